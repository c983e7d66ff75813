"""Locks on files (flock) that are never waited for without a limit.

A stopped process, or any user who may open the file, can hold such a lock forever.
"""

import errno
import fcntl
import time
from typing import IO, Any

CANNOT_LOCK = "is on a file system that cannot lock it"
LOCAL_DISK = "set WORT_HOME to a directory on a local disk; many network file systems cannot lock files"
LONGEST_WAIT = 60.0
"""Seconds; wort itself holds a lock for milliseconds, or while it writes one signature."""
INTERVAL = 0.02
"""Seconds between two tries."""


def lock_file(file: IO[Any], wait: float = LONGEST_WAIT) -> None:
    """Lock a file exclusively.

    Raises TimeoutError if another process keeps it locked for `wait` seconds, OSError if it can't be locked at all.
    """
    deadline = time.monotonic() + wait
    while True:
        try:
            if try_lock(file.fileno()):
                return
        except OSError as error:
            error.filename = str(file.name)
            raise
        if time.monotonic() > deadline:
            raise TimeoutError(
                errno.ETIMEDOUT, f"another process has kept it locked for {wait:g} seconds", str(file.name)
            )
        time.sleep(INTERVAL)


def try_lock(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file, or change the kind of its lock; return False if another process prevents that."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
