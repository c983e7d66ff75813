"""The profile that a command is about, and the records of profiles."""

from typing import Any

from wort_cli.commands.shared.showing.fields import BOOLEAN, COUNT, DATE, ID, NUMBER, TEXT, Field, list_of, one_of
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.profile import MOLTYPES, PROFILES, Profile
from wort_cli.model.units import iso_time
from wort_cli.settings import Settings

ORIGINS = ("built in", "config.toml", "ledger")
FIELDS = (
    Field("name", ID, "The name of the profile"),
    Field("k", list_of(NUMBER), "The k of its sketches, as `sourmash sketch -p` takes them"),
    Field("scaled", COUNT, "A sketch keeps one in so many hashes"),
    Field("abund", BOOLEAN, "Whether it counts abundances"),
    Field("moltype", one_of(tuple(MOLTYPES)), "The molecule"),
    Field("seed", NUMBER, "The seed of the hashes"),
    Field("origin", one_of(ORIGINS), "Where it is defined; `ledger`: it was used, and config.toml no longer has it"),
    Field("used_at", DATE, "When it was used first, if it was", optional=True, title="used"),
    Field("signatures", COUNT, "The number of its signatures in the catalog"),
    Field("decode_flags", list_of(TEXT), "The flags of fastq-dump that it chooses"),
    Field("sha256", ID, "The checksum of the definition, which is in the provenance of its signatures"),
)


def chosen_profile(name: str, settings: Settings, ledger: Ledger) -> Profile:
    """Return the profile that was named, or else that of the settings.

    Raises UsageError if there is none, ProfileChanged if it was used with another definition.
    """
    name = name or settings.profile
    return PROFILES[name] if name in PROFILES else ledger.profiles.named(name, settings.profiles)


def record_of(profile: Profile, used_at: float | None, settings: Settings, ledger: Ledger) -> dict[str, Any]:
    """Return a profile with the keys of FIELDS."""
    origin = ORIGINS[0] if profile.name in PROFILES else ORIGINS[1 if profile.name in settings.profiles else 2]
    return {
        "name": profile.name,
        **profile.to_json(),
        "origin": origin,
        "used_at": iso_time(used_at) if used_at else None,
        "signatures": ledger.catalog.count(profile.name),
        "sha256": profile.sha256,
    }
