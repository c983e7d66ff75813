"""Backups of the ledger: those that the daemon makes regularly, and those of `wort backup`.

A backup is the ledger's state at one moment, copied while other processes use it.  The file gets its final name only
when it is complete, on the disk, and has passed SQLite's check.  The names of the daemon's backups contain the time:
`backups/ledger-20261124-180000.db`.
"""

import os
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from wort_cli.errors import LedgerDamaged, StorageProblem
from wort_cli.ledger import executed_sql
from wort_cli.ledger.database import open_read_only, queries
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.migrations import latest_version, scripts
from wort_cli.system.atomic_files import atomic_output
from wort_cli.upkeep.retention import backups_to_remove

PREFIX, SUFFIX = "ledger-", ".db"
NAME = re.compile(rf"{PREFIX}[0-9]{{8}}-[0-9]{{6}}(-version-[0-9]+)?{SUFFIX}")
"""Names of backups.  One with a version was made before the ledger was upgraded from that schema version."""


@dataclass(frozen=True)
class Backup:
    """A backup of the ledger and its contents."""

    path: Path
    size: int
    """Bytes."""
    version: int
    """The schema version."""
    jobs: int
    live: int
    """Jobs that are queued, running or waiting."""
    signatures: int
    submissions: int


def back_up(ledger: Ledger, path: Path) -> Backup:
    """Copy the ledger to a file, which appears only when it is complete.

    Raises LedgerDamaged if the copy is not sound, StorageProblem if it cannot be written.
    """
    try:
        with atomic_output(path) as file:
            os.fchmod(file.fileno(), 0o600)
            ledger.storage.copy_to(Path(file.name))
            backup = read_backup(Path(file.name))
    except OSError as error:
        raise StorageProblem(
            f"{path} cannot be written: {error.strerror}", "check its permissions and the disk"
        ) from error
    return replace(backup, path=path)


def read_backup(path: Path) -> Backup:
    """Check a backup and return its contents; LedgerDamaged if it is damaged or this version of wort cannot read it."""
    if not path.is_file():
        raise LedgerDamaged(path, "there is no such file")
    with open_read_only(path) as rows:
        answer = str(next(iter(rows("PRAGMA quick_check(1)")[0].values())))
        if answer != "ok":
            raise LedgerDamaged(path, answer)
        version = int(rows("PRAGMA user_version")[0]["user_version"])
        if not 0 < version <= latest_version():
            raise LedgerDamaged(path, f"its schema version is {version}")
        executed = [(row["name"], row["sql"]) for row in rows(executed_sql.QUERY)]
        if answer := executed_sql.difference(executed, scripts()[:version]):
            raise LedgerDamaged(path, answer)
        names = {row["name"] for row in rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        query = queries()["contents"]
        if "submissions" not in names:  # schema versions 1 and 2
            query = query.replace("(SELECT count(*) FROM submissions)", "0")
        return Backup(path, path.stat().st_size, version, **rows(query)[0])


def list_backups(directory: Path) -> list[Path]:
    """Return the daemon's backups, newest first; other files in their directory are skipped."""
    return sorted((path for path in directory.glob("*") if NAME.fullmatch(path.name) and path.is_file()), reverse=True)


def newest_backup_time(directory: Path) -> float | None:
    """Return when the newest backup was made, in seconds since 1970; None if there is none."""
    found = list_backups(directory)
    return found[0].stat().st_mtime if found else None


def make_backup(ledger: Ledger, directory: Path, keep: int) -> Backup:
    """Make one of the daemon's backups; then remove the oldest until `keep` are left."""
    made = back_up(ledger, directory / f"{PREFIX}{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}{SUFFIX}")
    for name in backups_to_remove([path.name for path in list_backups(directory)], keep):
        (directory / name).unlink(missing_ok=True)
    return made


def newest_sound_backup(directory: Path) -> Backup | None:
    """Return the newest backup that is sound; None if there is none."""
    for path in list_backups(directory):
        try:
            return read_backup(path)
        except LedgerDamaged:  # not StorageProblem: what cannot be read now may be sound
            continue
    return None
