"""Classifies SQLite's errors: what a command says about them, and which of them mean that a ledger is damaged.

Only two errors are evidence of damage.  All others come from the disk, the file system or other processes: the file may
be sound, so it is never replaced because of them.  Network file systems in particular report locks that they cannot set
in many ways.

Codes: sqlite.org/rescode.html.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wort_cli.errors import LedgerDamaged, StorageProblem, WortError
from wort_cli.system.file_locks import CANNOT_LOCK, LOCAL_DISK

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@dataclass(frozen=True)
class Cause:
    """The cause of an SQLite error with one of `codes`, which are extended or primary result codes."""

    codes: frozenset[int]
    what: str
    """A predicate for the file or its disk, after its path."""
    hint: str


FULL = Cause(
    frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}),
    "cannot be written",
    "is the disk full? see `wort doctor`",
)
READ_ONLY = Cause(
    frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}),
    "cannot be opened for writing",
    "check its permissions, or set WORT_HOME",
)
CAUSES = (
    Cause(
        frozenset(
            {
                sqlite3.SQLITE_PROTOCOL,
                sqlite3.SQLITE_NOLFS,
                sqlite3.SQLITE_IOERR_LOCK,
                sqlite3.SQLITE_IOERR_RDLOCK,
                sqlite3.SQLITE_IOERR_UNLOCK,
                sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
                sqlite3.SQLITE_IOERR_BLOCKED,
                sqlite3.SQLITE_IOERR_SHMLOCK,
            }
        ),
        CANNOT_LOCK,
        LOCAL_DISK,
    ),
    Cause(
        frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_FSTAT}),
        "cannot be read from its disk",
        "the disk or the network file system has a fault: see the kernel's log; nothing was changed",
    ),
    FULL,
    READ_ONLY,
    Cause(
        frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}),
        "is in use by another process",
        "wait until no other command of wort uses it",
    ),
    Cause(frozenset({sqlite3.SQLITE_NOMEM}), "cannot be used: there is too little memory", "end other programs"),
)
UNEXPECTED = Cause(frozenset(), "cannot be used", "`wort doctor` examines it; nothing was changed")


def check_can_lock(path: Path) -> None:
    """Raise StorageProblem if the file system of a database cannot lock files.

    SQLite would wait as long as for another process, and then report that the database is in use.  The test is done
    with another file, because closing the database would drop SQLite's own locks on it.
    """
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(unnamed_file(path.parent))
        except OSError:  # a full or read-only disk; SQLite may still read
            return
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StorageProblem(f"{path} {CANNOT_LOCK}: {error.strerror}", LOCAL_DISK) from error


def unnamed_file(directory: Path) -> IO[bytes]:
    """Open a new file without a name, which ends when it is closed.  Raises OSError if there can be none."""
    try:
        return os.fdopen(os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600), "wb")
    except OSError:  # network file systems have no such files
        import tempfile

        return tempfile.TemporaryFile(dir=directory)


def as_wort_error(error: sqlite3.Error, path: Path) -> WortError:
    """Return the WortError that reports an error of SQLite, with a hint for the user."""
    if is_damage(error):
        return LedgerDamaged(path, str(error))
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    cause = cause_of(code)
    return StorageProblem(f"{path} {cause.what}: {error}", cause.hint)


def cause_of(code: int) -> Cause:
    """Return the cause of an extended result code; a row with the code itself goes before one with its primary code."""
    by_code: tuple[Callable[[Cause], bool], ...] = (
        lambda cause: code in cause.codes,
        lambda cause: code & 0xFF in cause.codes,
    )
    return next((cause for has in by_code for cause in CAUSES if has(cause)), UNEXPECTED)


def is_unwritable(error: sqlite3.Error) -> bool:
    """Return whether an error says that the disk is full or read-only, so that the file can still be read."""
    return cause_of(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) in (FULL, READ_ONLY)


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error is evidence that the file is damaged, or is no database."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in DAMAGE
