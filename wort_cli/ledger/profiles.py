"""Profiles that were used: what each was at its first use, so that its signatures keep one meaning."""

import json
import time
from collections.abc import Mapping

from wort_cli.errors import ProfileChanged, UsageError, shown
from wort_cli.ledger.database import Row, Storage
from wort_cli.model.profile import PROFILES, Profile


class UsedProfiles:
    """The table `profiles`.  It has none of those that are built in."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def get(self, name: str) -> Profile | None:
        """Return a profile that was used; None if there is none."""
        row = self._storage.row("used_profile", name=name)
        return profile_in(row) if row else None

    def all(self) -> dict[Profile, float]:
        """Return all profiles that were used, with the time of their first use."""
        return {profile_in(row): row["used_at"] for row in self._storage.rows("used_profiles")}

    def use(self, *profiles: Profile) -> None:
        """Record the first use of profiles.  Call this in the transaction that uses them.  Raises ProfileChanged."""
        for profile in profiles:
            if profile.name in PROFILES:
                continue
            definition = json.dumps(profile.to_json(), sort_keys=True)
            values = {"name": profile.name, "definition": definition, "sha256": profile.sha256, "now": time.time()}
            if not self._storage.change("use_profile", **values):
                check_unchanged(profile, self.get(profile.name))

    def named(self, name: str, defined: Mapping[str, Profile]) -> Profile:
        """Return the profile of a name: a built-in one, one of those that are defined, or one that was used.

        Raises ProfileChanged if its definition is another one than when it was used; UsageError if there is none.
        """
        if name in PROFILES:
            return PROFILES[name]
        used = self.get(name)
        if name in defined:
            check_unchanged(defined[name], used)
        found = defined.get(name) or used
        if found is None:
            known = ", ".join(dict.fromkeys([*PROFILES, *sorted(defined), *(profile.name for profile in self.all())]))
            raise UsageError(
                f"there is no profile {shown(name)}", f"the profiles are: {known}; `wort profile add` defines another"
            )
        return found


def profile_in(row: Row) -> Profile:
    """Return the profile in a row."""
    return Profile.from_json(row["name"], json.loads(row["definition"]))


def check_unchanged(profile: Profile, used: Profile | None) -> None:
    """Raise ProfileChanged if a profile was used with another definition."""
    if used is not None and used != profile:
        before, after = used.to_json(), profile.to_json()
        changes = [f"{key} was {before[key]}, and is {after[key]}" for key in before if before[key] != after[key]]
        raise ProfileChanged(profile.name, "; ".join(changes))
