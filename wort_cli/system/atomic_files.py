"""Atomic writes: a file appears under its final name only when it is complete and on the disk.

The file is written as `NAME.partial`, fsynced and renamed; then the directory is fsynced.  A process that is killed at
any moment leaves at most the `.partial`, which the next writer of the same file overwrites.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that appears under its name only when it is complete and on the disk."""
    with atomic_file(path) as file:
        file.write(data)


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file for writing and reading, which appears under its name only when it is complete and on the disk.

    If the block raises, no file appears.  Writers of the same file wait for each other.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    with exclusive_file(partial) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def exclusive_file(path: Path) -> IO[bytes]:
    """Open an empty file that this process has locked until it closes it; wait while another process has it."""
    while True:
        file = open(path, "r+b", opener=create_if_missing)  # noqa: SIM115 (Path.open has no opener)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(file.fileno())):  # else it was renamed while we waited
                    file.truncate(0)
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


def create_if_missing(path: str, flags: int) -> int:
    """Open a file without truncating it, and create it if it is missing; for the `opener` argument of `open`."""
    return os.open(path, flags | os.O_CREAT, 0o666)
