"""The state of a file, by which a change is noticed even if its size and its time of modification are restored.

A process cannot set the time of the last change of an inode (ctime), and another file under the same name has another
inode.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class FileState:
    """The state of a file: which one it is, its size in bytes, and its times in seconds and nanoseconds since 1970."""

    device: int
    inode: int
    size: int
    mtime: float
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the state of the file at a path now.  Raises OSError if there is none."""
        found = path.stat()
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime, found.st_mtime_ns, found.st_ctime_ns)
