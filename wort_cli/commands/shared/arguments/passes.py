"""Several profiles of one command: jobs for the same source are sketched in one pass."""

from collections.abc import Sequence

from wort_cli.commands.shared.arguments.profiles import chosen_profile
from wort_cli.errors import UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Source
from wort_cli.model.profile import GENOMES_V1, SRA_V1, Profile
from wort_cli.settings import Settings


def chosen_profiles(
    names: Sequence[str] | None, settings: Settings, ledger: Ledger, sources: Sequence[Source], *, output: str
) -> list[Profile]:
    """Return the profiles that were named, without duplicates; without any, that of the settings.

    Raises UsageError for what cannot be computed with several.
    """
    profiles = [chosen_profile(name, settings, ledger) for name in dict.fromkeys(names or [""])]
    check_sources(sources, profiles, output=output)
    return profiles


def check_sources(sources: Sequence[Source], profiles: Sequence[Profile], *, output: str) -> None:
    """Raise UsageError for what cannot be computed with these profiles."""
    if GENOMES_V1 in profiles and (other := next((one for one in sources if not one.is_assembly), None)):
        raise UsageError(
            f"{GENOMES_V1.name} is the profile of assemblies, and {shown(str(other.name))} is not an assembly",
            f"leave --profile out: assemblies get {GENOMES_V1.name}, and all else {SRA_V1.name}",
        )
    if len(profiles) == 1:
        return
    if output:
        raise UsageError("-o takes one profile", "write them later: `wort view ID --profile NAME -o FILE`")
    if any(source.reads is not None and source.reads.is_stdin for source in sources):
        raise UsageError("standard input can be read only once", "name one profile, or a file")
