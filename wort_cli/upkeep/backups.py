"""Copies of the ledger, made while everything goes on: the daemon's own, and those that a person asks for.

A copy is the ledger as it was at one moment.  It appears under its name only when it is whole, on the disk, and found
sound.  `backups/ledger-20261124-180000.db` is one of the daemon's; their names tell their age.
"""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from wort_cli.errors import LedgerDamaged, StorageProblem, WortError
from wort_cli.ledger.database import open_read_only, queries
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.migrations import latest_version
from wort_cli.system.atomic_files import atomic_file
from wort_cli.upkeep.retention import copies_to_remove

FIRST, LAST = "ledger-", ".db"


@dataclass(frozen=True)
class Holding:
    """What a copy of the ledger holds."""

    path: Path
    size: int
    """Bytes."""
    version: int
    jobs: int
    live: int
    """Jobs that are queued, running or waiting."""
    signatures: int
    submissions: int


def copy_ledger(ledger: Ledger, path: Path) -> Holding:
    """Copy the ledger to a file, whole or not at all; LedgerDamaged if it is not sound, or a StorageProblem."""
    try:
        with atomic_file(path) as file:
            os.fchmod(file.fileno(), 0o600)
            ledger.storage.copy_to(Path(file.name))
            holding = examine(Path(file.name))
    except OSError as error:
        raise StorageProblem(
            f"{path} can't be written: {error.strerror}", "check its permissions and the disk"
        ) from error
    return replace(holding, path=path)


def examine(path: Path) -> Holding:
    """What a copy holds; LedgerDamaged if it is no sound ledger that this wort can read."""
    if not path.is_file():
        raise LedgerDamaged(path, "there is no such file")
    with open_read_only(path) as rows:
        said = str(next(iter(rows("PRAGMA quick_check(1)")[0].values())))
        if said != "ok":
            raise LedgerDamaged(path, said)
        version = int(rows("PRAGMA user_version")[0]["user_version"])
        if not 0 < version <= latest_version():
            raise LedgerDamaged(path, f"it is of version {version}")
        names = {row["name"] for row in rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        query = queries()["contents"]
        if "submissions" not in names:  # before version 3
            query = query.replace("(SELECT count(*) FROM submissions)", "0")
        return Holding(path, path.stat().st_size, version, **rows(query)[0])


def copies(directory: Path) -> list[Path]:
    """The daemon's copies, the newest first."""
    return sorted(directory.glob(f"{FIRST}*{LAST}"), reverse=True)


def newest_at(directory: Path) -> float | None:
    """When the newest copy was made, in seconds since 1970; None if there is none."""
    found = copies(directory)
    return found[0].stat().st_mtime if found else None


def make_copy(ledger: Ledger, directory: Path, keep: int) -> Holding:
    """One more copy of the daemon's; the oldest go once it is there."""
    made = copy_ledger(ledger, directory / f"{FIRST}{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}{LAST}")
    for name in copies_to_remove([path.name for path in copies(directory)], keep):
        (directory / name).unlink(missing_ok=True)
    return made


def newest_good(directory: Path) -> Holding | None:
    """The newest copy that is sound; None if there is none."""
    for path in copies(directory):
        try:
            return examine(path)
        except WortError:
            continue
    return None
