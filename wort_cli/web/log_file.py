"""The file of the server's log, if it does not go to stderr: rotated by size, and opened again after others rotated it.

A line that cannot be written, as on a full disk, is lost; the server continues.
"""

import contextlib
import os
from pathlib import Path
from typing import IO

from wort_cli.errors import StorageProblem, cause_of

MAX_SIZE, FILES = 20_000_000, 5
"""Bytes of a file, and how many older ones are kept."""


class LogFile:
    """A stream to which only whole lines are written; one thread at a time."""

    def __init__(self, path: Path, *, max_size: int = MAX_SIZE) -> None:
        """Open or create the file.  Raises StorageProblem."""
        self._path = path
        self._max_size = max_size
        try:
            self._file = opened(path)
        except OSError as error:
            raise StorageProblem(f"the log cannot be written: {cause_of(error)}", "see --log") from error

    def write(self, text: str) -> None:
        """Append lines, and rotate the file if it has become long."""
        with contextlib.suppress(OSError):
            self._file.write(text.encode(errors="replace"))
            if self._file.tell() > self._max_size:
                self._rotate()

    def flush(self) -> None:
        """Do nothing: lines are written at once."""

    def reopen(self) -> None:
        """Open the file again, because another program may have renamed it."""
        with contextlib.suppress(OSError):
            new = opened(self._path)
            self._file.close()
            self._file = new

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _rotate(self) -> None:
        for number in range(FILES - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._numbered(number).replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))
        self.reopen()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def opened(path: Path) -> IO[bytes]:
    """Open a file to append to, which only its owner may read.  Raises OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab", buffering=0)
