"""Groups: named lists of the signatures that were requested, whatever the state of each.

A signature may be in several groups.  A member has the newest job of its signature, or none if the signature was there
when it was requested.  Triggers keep the jobs, the counts and the amounts of members correct (sql/migrations/9.sql and
21.sql).
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wort_cli.ledger.database import Storage, queries
from wort_cli.ledger.run_conditions import run_conditions_sql
from wort_cli.model.accession import Name, parse_name
from wort_cli.model.run_condition import RunCondition

PAGE = 1000
"""Rows that one query reads."""
NEWEST = 5000
"""Attempts that are looked at for the rate of a group."""


@dataclass(frozen=True)
class StoredMember:
    """A member without a job: its signature was there when it was requested, at `added_at` in seconds since 1970."""

    name: Name
    profile: str
    added_at: float
    path: str
    """The path of its signature, relative to the store's root; empty if it is not in the local store."""
    remote: str
    """The URL of its signature in the bucket; empty if it is not there."""


@dataclass(frozen=True)
class GroupAmounts:
    """The bases and the bytes of the archives of those runs of a group of which they are known."""

    runs: int = 0
    bases: int = 0
    bytes: int = 0
    bases_done: int = 0
    bytes_done: int = 0
    """Bytes of the archives of jobs whose signature is there."""


class Groups:
    """The tables `group_members`, `group_counts` and `group_amounts`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(self, group: str, name: Name, profile: str, job_id: int | None, subject: str = "") -> None:
        """Add a signature to a group, with its newest job; None if no job is needed.  No group: do nothing."""
        if group:
            self._storage.change(
                "add_member",
                group_name=group,
                name=str(name),
                profile=profile,
                subject=subject,
                job_id=job_id,
                now=time.time(),
            )

    def stored_members(self, group: str, where: Sequence[RunCondition] = ()) -> Iterator[StoredMember]:
        """Yield the members without a job, whose runs meet all conditions, in the order of their names.

        Only a page of them is in memory.
        """
        condition, parameters = run_conditions_sql(where, "members.name")
        sql = queries()["members_without_job"].replace("{condition}", condition)
        values = {**parameters, "group_name": group, "limit": PAGE}
        after = {"name": "", "profile": ""}
        while page := self._storage.select(sql, {**values, **after}):
            for row in page:
                yield StoredMember(**{**row, "name": parse_name(row["name"])})
            after = {key: page[-1][key] for key in after}

    def forget_stored(self, group: str) -> int:
        """Take the members without a job out of a group; return their number."""
        return self._storage.change("remove_members_without_job", group_name=group)

    def ended_since(self, group: str, since: float, limit: int = NEWEST) -> tuple[int, float | None]:
        """Return how many jobs of a group are among those that ended last since a time, and when the first of them did.

        `limit`: how many attempts, of all groups, are looked at
        """
        row = self._storage.rows("ended_of_group", group_name=group, since=since, limit=limit)[0]
        return row["n"], row["first"]

    def amounts(self, group: str) -> GroupAmounts:
        """Return the bases and bytes of a group, as far as they are known."""
        return GroupAmounts(**self._storage.rows("amounts_of_group", group_name=group)[0])

    def sizes(self) -> dict[str, int]:
        """Return the number of members of each group, in the order of their names."""
        return {row["group_name"]: row["n"] for row in self._storage.rows("group_sizes")}
