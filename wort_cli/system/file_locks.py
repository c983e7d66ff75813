"""Locks on files (flock) that are never waited for without a limit.

A stopped process, or any user who may open the file, can hold such a lock for ever.
"""

import errno
import fcntl
import time
from typing import IO, Any

LONGEST_WAIT = 60.0
"""Seconds; wort itself holds a lock for milliseconds, or while it writes one signature."""
INTERVAL = 0.02
"""Seconds between two tries."""


def lock_file(file: IO[Any], wait: float = LONGEST_WAIT) -> None:
    """Lock a file exclusively.  Raises TimeoutError if another process keeps it locked for `wait` seconds."""
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    errno.ETIMEDOUT, f"another process has kept it locked for {wait:g} seconds", str(file.name)
                ) from None
            time.sleep(INTERVAL)
        else:
            return
