"""There is one daemon for a home: who it is, told by a locked file.

The kernel drops the lock when the process ends, however it ends, so that a file left behind never lies.
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
"""Seconds to get the lock in: somebody who just asks who holds it has it for an instant."""


@dataclass(frozen=True)
class DaemonInfo:
    """The running daemon; `pid` is 0 while it is just starting."""

    pid: int
    started_at: float
    version: str
    host: str


def running_daemon(lock_file: Path) -> DaemonInfo | None:
    """The daemon that runs now, if one does."""
    try:
        file = os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageProblem(f"{lock_file} can't be read: {error.strerror}", "check its permissions") from error
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        try:
            signed = json.loads(os.read(file, 4096))
            return DaemonInfo(**{key: signed[key] for key in DaemonInfo.__dataclass_fields__})
        except (ValueError, TypeError, KeyError):  # it is just starting
            return DaemonInfo(0, time.time(), "", "")
    else:
        return None
    finally:
        os.close(file)


def take_lock(lock_file: Path) -> int:
    """Become the only daemon; return the file descriptor that holds the lock.  DaemonAlreadyRunning if it is taken."""
    try:
        file = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageProblem(f"{lock_file} can't be written: {error.strerror}", "check its permissions") from error
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


def sign(lock: int) -> None:
    """Say who holds the lock, once this process is ready to work."""
    me = DaemonInfo(os.getpid(), time.time(), wort_cli.__version__, socket.gethostname())
    os.pwrite(lock, json.dumps(asdict(me)).encode(), 0)
