"""The file of the ledger while the daemon uses it: locked, and compared with what is at its path.

SQLite does not notice that another file takes the place of an open database: by `mv`, which leaves the old file open,
or by `cp`, which overwrites it (sqlite.org/howtocorrupt.html).  So the daemon marks the database with a number, random
at its start and higher after each change of the file, which only checkpoints make.  A file with another mark, or a
lower one, is another file: a copy from before the last change has a lower mark.  The copies that wort makes have the
mark 0.  A copy of the file together with its log is noticed by the number of transitions, which never gets lower.

The mark is the `application_id` of the database.  It is in the header of the file, which is read without SQLite
(sqlite.org/fileformat2.html).  The file stays open as long as the process runs, because closing it would drop SQLite's
own locks on it.

If the log is removed (`ledger.db-wal`), what it holds is still open here: it is written to the ledger, and SQLite makes
a new log.
"""

import contextlib
import logging
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from wort_cli.errors import DaemonAlreadyRunning, LedgerReplaced, StorageProblem
from wort_cli.ledger.database import Storage
from wort_cli.system.file_locks import try_lock

MAGIC, MARK_AT, MARK_END = b"SQLite format 3\0", 68, 72
"""The first bytes of a database, and the place of its `application_id`."""
HIGHEST_START = 1 << 30
"""Leaves room for the numbers of a thousand years below the highest `application_id`, 2^31 - 1."""
LOOK_EVERY = 1.0
"""Seconds between two looks at the log and its index, which take longer than the rest."""
MARK_AGAIN = 1.0
"""Seconds until a mark is written again that is not in the file, because another process reads an earlier state."""
LOG, INDEX = "-wal", "-shm"
"""The suffixes that SQLite appends to the name of the ledger for its log and the index of that."""

log = logging.getLogger(__name__)


class OpenLedgerFile:
    """The file of a ledger that this process alone serves."""

    def __init__(self, storage: Storage, clock: Callable[[], float] = time.monotonic) -> None:
        """Lock the file.  Raises DaemonAlreadyRunning if another daemon serves it, StorageProblem if it is unusable."""
        storage.open()
        self._storage = storage
        self._path = storage.path
        self._real_path = self._path.resolve()
        self._looked_at = float("-inf")
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
        """The last of its marks that was found in the file; 0 until its first checkpoint."""
        self._earlier = read_mark(self._file)
        """The previous content of the mark."""
        self._moves = 0
        """The transitions that the ledger has counted."""
        self._mark()

    def check(self) -> None:
        """Raise LedgerReplaced if the file at the path is no longer the one that is open.  Cheap: for each turn."""
        try:
            there = self._path.stat()
        except OSError:
            raise LedgerReplaced(self._path, "removed") from None
        if not os.path.samestat(there, os.fstat(self._file)):
            raise LedgerReplaced(self._path, "replaced by another file")
        self._check_mark()
        self._restore_log()
        self._check_moves()
        # From here to the new mark nothing else is done: a file that comes in between would get the mark, too.
        is_changed = self._state() != self._marked_state
        self._check_mark()
        with contextlib.suppress(StorageProblem):  # the disk is full; the health file reports that
            if is_changed:
                self._newest += 1
                self._mark()
            elif self._seen != self._newest and self._clock() - self._marked_at > MARK_AGAIN:
                self._mark()

    def close_in_child(self) -> None:
        """Close a child process's copy of the file, so that the child does not keep it locked."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _check_mark(self) -> None:
        """Raise LedgerReplaced if the file has a mark that it cannot have."""
        mark = read_mark(self._file)
        if mark is not None and (self._seen or self._first) <= mark <= self._newest:
            self._seen = mark
        elif mark is None or self._seen or mark != self._earlier:
            raise LedgerReplaced(self._path, "overwritten by another file")

    def _mark(self) -> None:
        self._marked_at = self._clock()
        self._marked_state = self._state()  # if marking fails, the file is not taken for a changed one in each turn
        self._storage.mark(self._newest)
        self._marked_state = self._state()

    def _state(self) -> tuple[int, int, int]:
        """Return what a change of the file changes."""
        found = os.fstat(self._file)
        return found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _check_moves(self) -> None:
        """Raise LedgerReplaced if transitions are missing that were there before."""
        row = self._storage.row("moves_made")
        moves = int(row["n"]) if row else 0
        if moves < self._moves:
            raise LedgerReplaced(self._path, "replaced by an earlier copy of itself")
        self._moves = moves

    def _restore_log(self) -> None:
        """Write a log that was removed to the ledger, and let SQLite make a new one.

        Raises LedgerReplaced if another process has written to a new log meanwhile.
        """
        now = self._clock()
        if now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        lost = self._lost_files()
        if not lost:
            return
        if LOG in lost:
            there = Path(f"{self._path}{LOG}")
            with contextlib.suppress(FileNotFoundError):
                if there.stat().st_size:
                    raise LedgerReplaced(there, "replaced by another file")
            self._storage.checkpoint()
        self._storage.close()
        log.warning("%s was removed while it was in use; nothing was lost", " and ".join(lost))

    def _lost_files(self) -> list[str]:
        """Return which of the files of SQLite are open here, and no longer at their path."""
        gone = {f"{self._real_path}{end} (deleted)": end for end in (LOG, INDEX)}
        found = set()
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 (Path.iterdir would make an object of each name)
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
        return [end for text, end in gone.items() if text in found]


def read_mark(file: int) -> int | None:
    """Return the mark in the file of a database; None if it is no database."""
    header = os.pread(file, MARK_END, 0)
    if len(header) < MARK_END or not header.startswith(MAGIC):
        return None
    return int.from_bytes(header[MARK_AT:])
