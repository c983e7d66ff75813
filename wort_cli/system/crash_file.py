"""Records a crash of this process in a file: a segmentation fault or the like, but not a signal from outside.

A process that is killed (SIGKILL), or a machine that stops, leaves the file empty.  All files of a process are links to
one file, because a process can have only one into which its crash is written.

Source: Python's module faulthandler, which writes from the signal handler.
"""

import contextlib
import faulthandler
import os
import threading
from pathlib import Path
from typing import IO


class CrashFiles:
    """The files of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._process = 0
        """The process that opened the file: a child process needs one of its own."""

    def add(self, path: Path) -> None:
        """Create an empty file into which a crash of this process will be written.  Raises OSError if that fails."""
        with self._lock:
            path.unlink(missing_ok=True)
            if self._process == os.getpid() and self._file is not None and os.fstat(self._file.fileno()).st_nlink:
                number = self._file.fileno()
                with contextlib.suppress(OSError):  # it is on another disk
                    # Without `src_dir_fd`, which an absolute path does not need, Python links to the symbolic link.
                    os.link(f"/proc/self/fd/{number}", path, src_dir_fd=number, follow_symlinks=True)
                    return
            file = path.open("wb", buffering=0)
            faulthandler.enable(file, all_threads=False)
            self._file, self._process = file, os.getpid()


crash_files = CrashFiles()


def has_crashed(path: Path) -> bool:
    """Return whether the process that added this file has crashed."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
