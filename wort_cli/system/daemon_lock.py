"""The daemon's lock: at most one daemon runs for a home, and the locked file contains its process id.

The kernel releases the lock when the process ends for any reason.  So a file without a lock means that no daemon runs.
"""

import fcntl
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import wort_cli
from wort_cli.errors import DaemonAlreadyRunning, StorageProblem

GRACE = 1.0
"""Seconds during which acquiring the lock is retried, because `running_daemon` also locks the file for a moment."""


@dataclass(frozen=True)
class DaemonInfo:
    """The running daemon; `pid` is 0 while it is starting.  Times are in seconds since 1970."""

    pid: int
    started_at: float
    version: str
    host: str


def running_daemon(lock_file: Path) -> DaemonInfo | None:
    """Return the running daemon, or None.  Raises StorageProblem if the lock file cannot be read."""
    try:
        file = os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageProblem(f"cannot read {lock_file}: {error.strerror}", "check its permissions") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            data = json.loads(os.read(file, 4096))
            return DaemonInfo(**{key: data[key] for key in DaemonInfo.__dataclass_fields__})
        except (ValueError, TypeError, KeyError):  # it is starting
            return DaemonInfo(0, time.time(), "", "")
    else:
        return None
    finally:
        os.close(file)


def acquire_lock(lock_file: Path) -> int:
    """Acquire the lock and return its file descriptor.

    Raises DaemonAlreadyRunning if another process has the lock, and StorageProblem if the file cannot be written.
    """
    try:
        file = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageProblem(f"cannot write {lock_file}: {error.strerror}", "check its permissions") from error
    deadline = time.monotonic() + GRACE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(file)
                holder = running_daemon(lock_file)
                raise DaemonAlreadyRunning(holder.pid if holder else 0) from None
            time.sleep(0.05)


def write_daemon_info(lock: int) -> None:
    """Write this process into the lock file, which shows that the daemon has started."""
    me = DaemonInfo(os.getpid(), time.time(), wort_cli.__version__, socket.gethostname())
    os.pwrite(lock, json.dumps(asdict(me)).encode(), 0)
