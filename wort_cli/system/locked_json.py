"""A small JSON file that several processes read and change in turn.

The file is locked (flock) while one process has it open here.  It is not a truth: a process that is killed while it
writes may leave a cut file, which the next reader sees as empty.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class LockedJson:
    """The document while this process holds the lock; whatever `data` is at the end is written back."""

    def __init__(self, data: Any) -> None:
        self.data = data


@contextmanager
def locked_json(path: Path) -> Iterator[LockedJson]:
    """Lock the file at `path`, creating it with mode 0600 if it is missing, and yield its document.

    `data` is None if the file is empty or is no JSON.  Nothing is written if the block raises.  Raises OSError if the
    file cannot be read or written.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        document = LockedJson(parsed(file.read()))
        yield document
        file.seek(0)
        file.truncate()
        file.write(json.dumps(document.data).encode())


def parsed(content: bytes) -> Any:
    """Return the document in `content`, None if there is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
