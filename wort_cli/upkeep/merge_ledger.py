"""Copies what can be read of a damaged ledger into the sound one that takes its place.

The damaged file is newer than every backup of it, so each of its rows that can be read and is valid replaces the one of
the backup.  Rows that are not valid, or that contradict others, are counted and left out; the damaged file is kept.

The triggers of the jobs table forbid what is done here, so they are dropped until the end of the transaction.  If the
damaged file has a version before `SAME_SINCE`, only its jobs are copied: what the other tables mean depends on the
version.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wort_cli.errors import WortError
from wort_cli.ledger.database import Row, Storage, salvage_rows
from wort_cli.ledger.kept_counts import count_again
from wort_cli.ledger.migrations import latest_version
from wort_cli.model.accession import Accession, parse_name
from wort_cli.model.failure import Reason
from wort_cli.model.follow import Follow
from wort_cli.model.intake import Intake
from wort_cli.model.job import JobKind, JobState
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import SignatureRecord, Trust

SAME_SINCE = 9
"""The first version of the ledger whose tables mean what those of the present one do."""


@dataclass(frozen=True)
class Table:
    """A table that is copied; rows with the same `key` are the same row."""

    name: str
    key: str
    check: Callable[[Row], object] = lambda _: None
    """Raises WortError, KeyError, TypeError or ValueError if a row is not valid."""
    since: int = 0
    """The first version that has it, if that is after SAME_SINCE."""


@dataclass(frozen=True)
class MergedTable:
    """The numbers of rows of a table that were copied and left out, and why the rest could not be read."""

    name: str
    copied: int
    left_out: int
    error: str

    def __str__(self) -> str:
        left_out = f", left out {self.left_out} that are not valid" if self.left_out else ""
        rest = f", could not read the rest ({self.error})" if self.error else ""
        return f"{self.name}: copied {self.copied}{left_out}{rest}"


def merge_ledger(damaged: Path, storage: Storage) -> list[MergedTable]:
    """Copy the rows of a damaged ledger; return what was done with each table that had rows, or could not be read."""
    version, _ = salvage_rows(damaged, "PRAGMA user_version")
    same = bool(version) and SAME_SINCE <= version[0]["user_version"] <= latest_version()
    tables = [table for table in TABLES if table.since <= version[0]["user_version"]] if same else TABLES[:1]
    with storage.transaction(), dropped_triggers(storage):
        merged = [merge_table(damaged, storage, table) for table in tables]
        for change in DERIVED:
            storage.change(change)
        count_again(storage)
    return [table for table in merged if table.copied or table.left_out or table.error]


@contextmanager
def dropped_triggers(storage: Storage) -> Iterator[None]:
    """Drop all triggers, and create them again at the end of the block, which must be in a transaction."""
    triggers = storage.rows("triggers")
    for trigger in triggers:
        storage.connection.execute(f"DROP TRIGGER {trigger['name']}")
    yield
    for trigger in triggers:
        storage.connection.execute(trigger["sql"])


def merge_table(damaged: Path, storage: Storage, table: Table) -> MergedTable:
    """Copy the valid rows of a table; columns that the damaged file does not have get their defaults."""
    columns = {row["name"] for row in storage.rows("columns", table=table.name)}
    rows, error = salvage_rows(damaged, f"SELECT * FROM {table.name}")  # noqa: S608 - a name from TABLES
    left_out = 0
    for row in rows:
        try:
            table.check(row)
        except (WortError, KeyError, TypeError, ValueError):
            left_out += 1
            continue
        known = {name: value for name, value in row.items() if name in columns}
        put = storage.put_row(table.name, table.key, known)
        left_out += not put
        if put and row.get("group_name") and table.name == "jobs":  # before version 9, a job had one group
            storage.change("add_member", job_id=row["id"], now=row["created_at"], **member_key(row))
    return MergedTable(table.name, len(rows) - left_out, left_out, error)


def member_key(row: Row) -> Row:
    """Return the columns of `group_members` that identify the member of a job."""
    return {"subject": "", **{key: row[key] for key in ("group_name", "name", "profile", "subject") if key in row}}


def check_job(row: Row) -> None:
    """Raise an error if a row of `jobs`, which may be of an earlier version, is not valid."""
    parse_name(row["name"])
    JobState(row["state"])
    JobKind(row.get("kind", JobKind.COMPUTE))
    if row["reason"]:
        Reason(row["reason"])


def check_claim(row: Row) -> None:
    """Raise an error if a row of `claimed_absences` is not valid."""
    parse_name(row["name"])
    Reason(row["reason"])


DERIVED = ("assign_jobs_again", "hold_jobs_again", "release_jobs_again")
"""Queries that make again what follows from the copied rows, in this order."""
TABLES = (
    Table("jobs", "id", check_job),
    Table("events", "id", lambda row: JobState(row["after"])),
    Table("signatures", "name, profile", lambda row: SignatureRecord.from_row(row, json.loads(row["provenance"]))),
    Table("submissions", "digest, name", lambda row: Trust(row["trust"])),
    Table("lookups", "accession"),
    Table("control", "key"),
    Table("group_members", "group_name, name, profile, subject", lambda row: parse_name(row["name"])),
    Table("paused_groups", "name"),
    Table("runs", "run", lambda row: Accession.parse(row["run"]), since=13),
    Table("profiles", "name", lambda row: Profile.from_json(row["name"], json.loads(row["definition"])), since=15),
    Table("claimed_absences", "name, profile", check_claim, since=14),
    Table("follows", "id", Follow.from_row, since=17),
    Table("intakes", "number", Intake.from_row, since=19),
    Table("repairs", "id"),
    Table("move_counts", "after, reason"),
)
"""Tables in the order in which they are copied: events refer to jobs.  The other tables are derived from these."""
