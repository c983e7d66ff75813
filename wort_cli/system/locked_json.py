"""A small JSON file that several processes read and change, one after the other.

The file is locked (flock) while a process uses it.  Its content may be lost: a process that is killed while it writes
may leave a truncated file, which the next reader treats as empty.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wort_cli.system.file_locks import lock_file


class LockedJson:
    """The document while this process has the lock; `data` is written back at the end."""

    def __init__(self, data: Any) -> None:
        self.data = data


@contextmanager
def locked_json(path: Path) -> Iterator[LockedJson]:
    """Lock the file at `path`, creating it with mode 0600 if it is missing, and yield its document.

    `data` is None if the file is empty or invalid.  Nothing is written if the block raises.  Raises OSError if the
    file cannot be read or written, is a link, or stays locked for a minute.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        lock_file(file)
        document = LockedJson(parsed(file.read()))
        yield document
        file.seek(0)
        file.truncate()
        file.write(json.dumps(document.data).encode())


def parsed(content: bytes) -> Any:
    """Return the JSON document in `content`; None if it is invalid."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
