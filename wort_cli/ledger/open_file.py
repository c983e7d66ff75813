"""The file of the ledger while the daemon uses it: locked, and compared with what is at its path.

SQLite does not notice that another file takes the place of an open database: by `mv`, which leaves the old file open,
or by `cp`, which overwrites it (sqlite.org/howtocorrupt.html).  So the daemon marks the database with a number, random
at its start and higher every few seconds.  A file with another mark, or a lower one, is another file.  The copies that
wort makes have the mark 0.

The mark is the `application_id` of the database.  It is in the header of the file, which is read without SQLite
(sqlite.org/fileformat2.html).  It lags behind: SQLite writes to the file only at checkpoints.  The file stays open as
long as the process runs, because closing it would drop SQLite's own locks on it.
"""

import contextlib
import os
import secrets
import time
from collections.abc import Callable

from wort_cli.errors import DaemonAlreadyRunning, LedgerReplaced, StorageProblem
from wort_cli.ledger.database import Storage
from wort_cli.system.file_locks import try_lock

MAGIC, MARK_AT, MARK_END = b"SQLite format 3\0", 68, 72
"""The first bytes of a database, and the place of its `application_id`."""
HIGHEST_START = 1 << 30
"""Leaves room for the numbers of a thousand years below the highest `application_id`, 2^31 - 1."""
MARK_EVERY = 10.0
"""Seconds between two marks."""


class OpenLedgerFile:
    """The file of a ledger that this process alone serves."""

    def __init__(self, storage: Storage, clock: Callable[[], float] = time.monotonic) -> None:
        """Lock the file.  Raises DaemonAlreadyRunning if another daemon serves it, StorageProblem if it is unusable."""
        storage.open()
        self._storage = storage
        self._path = storage.path
        self._clock = clock
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise StorageProblem(f"{self._path} cannot be read: {error.strerror}", "check its permissions") from error
        with contextlib.suppress(OSError):  # some network file systems have no such locks
            if not try_lock(self._file):
                raise DaemonAlreadyRunning(0)
        self._first = self._newest = secrets.randbelow(HIGHEST_START) + 1
        self._seen = 0
        """The last mark that was found in the file; 0 until its first checkpoint."""
        self._mark()

    def check(self) -> None:
        """Raise LedgerReplaced if the file at the path is no longer the one that is open.  Cheap: for each turn."""
        try:
            there = self._path.stat()
        except OSError:
            raise LedgerReplaced(self._path, "removed") from None
        if not os.path.samestat(there, os.fstat(self._file)):
            raise LedgerReplaced(self._path, "replaced by another file")
        mark = read_mark(self._file)
        if mark is None or (self._seen and not self._seen <= mark <= self._newest):
            raise LedgerReplaced(self._path, "overwritten by another file")
        if self._first <= mark <= self._newest:
            self._seen = mark
        if self._clock() - self._marked_at > MARK_EVERY:
            self._newest += 1
            with contextlib.suppress(StorageProblem):  # the disk is full; the health file reports that
                self._mark()

    def close_in_child(self) -> None:
        """Close a child process's copy of the file, so that the child does not keep it locked."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _mark(self) -> None:
        self._marked_at = self._clock()
        self._storage.mark(self._newest)


def read_mark(file: int) -> int | None:
    """Return the mark in the file of a database; None if it is no database."""
    header = os.pread(file, MARK_END, 0)
    if len(header) < MARK_END or not header.startswith(MAGIC):
        return None
    return int.from_bytes(header[MARK_AT:])
