"""Records a crash of this process in a file: for example a segmentation fault, but not a signal from another process.

A process that is killed (SIGKILL), or a machine that stops, leaves the file empty.  All files of a process are links to
one file, because a process can have only one into which its crash is written.

Source: Python's module faulthandler, which writes from the signal handler.
"""

import contextlib
import faulthandler
import os
import threading
from pathlib import Path


class CrashFiles:
    """The files of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file: int | None = None
        """The descriptor of the open file."""
        self._process = 0
        """The process that opened the file: a child process needs one of its own."""

    def add(self, path: Path) -> None:
        """Create an empty file into which a crash of this process will be written.  Raises OSError if that fails."""
        with self._lock:
            path.unlink(missing_ok=True)
            before = self._file
            if before is not None and self._process == os.getpid():
                state = os.fstat(before)
                if state.st_nlink and not state.st_size:
                    with contextlib.suppress(OSError):  # it is on another disk
                        # Without `src_dir_fd`, which an absolute path does not need, Python would link to the link.
                        os.link(f"/proc/self/fd/{before}", path, src_dir_fd=before, follow_symlinks=True)
                        return
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            faulthandler.enable(file, all_threads=False)
            self._file, self._process = file, os.getpid()
            if before is not None:
                os.close(before)


crash_files = CrashFiles()


def has_crashed(path: Path) -> bool:
    """Return whether the process that added this file has crashed."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
