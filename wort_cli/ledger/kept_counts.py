"""The counts that triggers keep, counted again from the rows: to find wrong ones, and to correct them.

Triggers keep them correct for every writer (sql/migrations/6.sql, 9.sql and 21.sql).  Code that writes rows without the
triggers, as when a damaged ledger is merged, calls `count_again` afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isclose

from wort_cli.ledger.database import Storage, queries

DAYS = 2880
"""Minutes of the attempts that are counted, before the newest."""


@dataclass(frozen=True)
class KeptCount:
    """A table of counts; its first columns are the key, and the query `count_TABLE` counts the rows."""

    table: str
    key: int
    """The number of columns of the key."""
    what: str


KEPT = (
    KeptCount("job_counts", 2, "jobs by state"),
    KeptCount("group_counts", 3, "members of groups by state"),
    KeptCount("group_amounts", 2, "bases of groups"),
    KeptCount("signature_counts", 1, "signatures"),
    KeptCount("ended_counts", 3, "attempts that ended"),
)

Numbers = dict[tuple[object, ...], tuple[float, ...]]


def count_again(storage: Storage, kept: Iterable[KeptCount] = KEPT) -> None:
    """Replace counts by those of the rows."""
    with storage.transaction():
        for one in kept:
            with storage.translated_errors():
                storage.connection.execute(f"DELETE FROM {one.table}")  # noqa: S608 - a name from KEPT
                storage.connection.execute(f"INSERT INTO {one.table} {queries()[f'count_{one.table}']}")


def wrong_counts(storage: Storage) -> list[KeptCount]:
    """Return the tables whose counts are not those of the rows; reads all jobs, members and signatures."""
    with storage.transaction(write=False):
        return [one for one in KEPT if is_wrong(storage, one)]


def is_wrong(storage: Storage, one: KeptCount) -> bool:
    """Return whether a table has other counts than its rows."""
    kept = numbers(storage, f"SELECT * FROM {one.table}", one.key)  # noqa: S608 - a name from KEPT
    true = numbers(storage, queries()[f"count_{one.table}"], one.key)
    if one.table == "ended_counts":
        oldest = max((int(str(key[0])) for key in (*kept, *true)), default=0) - DAYS
        kept, true = ({key: n for key, n in each.items() if int(str(key[0])) >= oldest} for each in (kept, true))
    none = (0.0,) * 3
    return not all(
        isclose(a, b, rel_tol=1e-9, abs_tol=0.5)
        for key in kept.keys() | true.keys()
        for a, b in zip(kept.get(key, none), true.get(key, none), strict=False)
    )


def numbers(storage: Storage, sql: str, key: int) -> Numbers:
    """Return the counts of a SELECT by their keys."""
    return {row[:key]: row[key:] for row in storage.tuples(sql, {})}
