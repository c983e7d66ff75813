"""The daemon's lock: at most one daemon runs for a home, and the locked file says which process it is.

The kernel releases the lock when the process ends for any reason.  So a file without a lock means that no daemon runs.
If the file is removed, the daemon creates it again (`DaemonLock.restore`); until then, the lock on the ledger
(ledger/open_file.py) keeps a second daemon from serving it.
"""

import contextlib
import errno
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import wort_cli
from wort_cli.errors import DaemonAlreadyRunning, StorageProblem
from wort_cli.system.file_locks import CANNOT_LOCK, LOCAL_DISK, try_lock
from wort_cli.system.process_identity import (
    Presence,
    ProcessIdentity,
    boot_id,
    own_identity,
    pid_namespace,
    presence_of,
)

CANNOT_LOCK_ERRORS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPROTO})
GRACE = 1.0
"""Seconds during which acquiring the lock is retried, because `running_daemon` also locks the file for a moment."""


HEALTH = "health"
"""The name of the report that the daemon writes, beside the lock file."""
REPORTED_WITHIN = 3.0
"""Seconds in which a running daemon reports its health."""
RECENT = 60.0
"""Seconds since the last report, after which no new one is waited for."""


@dataclass(frozen=True)
class DaemonInfo:
    """The running daemon; `pid` is 0 while it is starting.  Times are in seconds since 1970."""

    pid: int
    started_at: float
    version: str
    host: str
    process: ProcessIdentity | None = None
    """None while the daemon is starting, and if an earlier version of wort is running."""

    @property
    def where(self) -> str:
        """Where the daemon runs, if this process may not signal it; empty if it runs here."""
        if self.host != os.uname().nodename:
            return f"on the host {self.host}"
        if self.process is None:
            return ""
        if self.process.boot != boot_id():
            return f"on another machine that is called {self.host}"
        if self.process.namespace != pid_namespace():
            return f"in another container on {self.host}"
        return ""


def running_daemon(lock_file: Path) -> DaemonInfo | None:
    """Return the running daemon, or None.  Raises StorageProblem if the lock file cannot be read.

    On some network file systems, the lock of another machine is not seen here.  The daemon of another machine runs if
    it writes its report.  Where the file can't be locked, as when a lock service has failed, the file itself says which
    process has it; StorageProblem if that is not to be seen from here.
    """
    try:
        file = os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageProblem(f"cannot read {lock_file}: {error.strerror}", "check its permissions") from error
    with os.fdopen(file, "rb") as opened:
        try:
            locked_by_another = not try_lock(file, fcntl.LOCK_SH)
        except OSError as error:
            return unlocked_daemon(parsed(opened.read(4096)), lock_file, error)
        last = parsed(opened.read(4096))
    if locked_by_another:
        return last
    return last if last.pid and last.where and is_reporting(lock_file.with_name(HEALTH)) else None


def unlocked_daemon(last: DaemonInfo, lock_file: Path, error: OSError) -> DaemonInfo | None:
    """Return the daemon that wrote a file which cannot be locked, if it runs.  Raises StorageProblem if unknown."""
    presence = presence_of(last.process) if last.process is not None and not last.where else Presence.UNKNOWN
    if presence is Presence.RUNNING or (last.pid and is_reporting(lock_file.with_name(HEALTH))):
        return last
    if presence is Presence.GONE:
        return None
    raise StorageProblem(f"{lock_file} {CANNOT_LOCK}: {error.strerror}", LOCAL_DISK) from error


def last_daemon(lock_file: Path) -> DaemonInfo | None:
    """Return the daemon that wrote the lock file last, whether it runs or not; None if there is none."""
    try:
        content = lock_file.read_bytes()
    except OSError:
        return None
    found = parsed(content)
    return found if found.pid else None


def daemon_is_running(lock_file: Path) -> bool | None:
    """Return whether the daemon runs; None if it is unknown.

    On some network file systems, other hosts do not see a lock.  So nothing is known of a daemon that was started
    somewhere else.
    """
    if running_daemon(lock_file) is not None:
        return True
    last = last_daemon(lock_file)
    return None if last is not None and last.where else False


def parsed(content: bytes) -> DaemonInfo:
    """Return the daemon in the content of a lock file; one without a pid if it has not written it yet."""
    try:
        data = json.loads(content)
        process = ProcessIdentity.from_json(data["process"]) if "process" in data else None
        return DaemonInfo(int(data["pid"]), float(data["started_at"]), str(data["version"]), str(data["host"]), process)
    except (ValueError, TypeError, KeyError, RecursionError):
        return DaemonInfo(0, time.time(), "", os.uname().nodename)


def acquire_lock(lock_file: Path, report: Path | None = None) -> "DaemonLock":
    """Acquire the lock.

    `report` is a file that a running daemon writes every second.  It is watched if the last daemon was started on
    another host or in another container: on some network file systems, its lock is not seen here.

    Raises DaemonAlreadyRunning if another process has the lock, and StorageProblem if the file cannot be written.
    """
    last = last_daemon(lock_file)
    if report is not None and last is not None and last.where and is_written(report):
        raise DaemonAlreadyRunning(last.pid, last.where)
    deadline = time.monotonic() + GRACE
    while True:
        try:
            return DaemonLock(lock_file, locked_file(lock_file))
        except BlockingIOError:
            if time.monotonic() > deadline:
                holder = running_daemon(lock_file)
                raise DaemonAlreadyRunning(holder.pid if holder else 0, holder.where if holder else "") from None
            time.sleep(0.05)
        except OSError as error:
            if error.errno in CANNOT_LOCK_ERRORS:
                raise StorageProblem(f"{lock_file} {CANNOT_LOCK}: {error.strerror}", LOCAL_DISK) from error
            raise StorageProblem(f"cannot write {lock_file}: {error.strerror}", "check its permissions") from error


def is_reporting(report: Path) -> bool:
    """Return whether a daemon of another machine writes its report; the clocks of both are about right."""
    try:
        age = time.time() - report.stat().st_mtime
    except OSError:
        return False
    return abs(age) < RECENT and is_written(report)


def is_written(report: Path) -> bool:
    """Return whether a file is written to within REPORTED_WITHIN."""

    def state() -> object:
        try:
            return report.stat().st_mtime_ns, report.read_bytes()
        except OSError:
            return None

    before, deadline = state(), time.monotonic() + REPORTED_WITHIN
    while before is not None and time.monotonic() < deadline:
        time.sleep(0.1)
        if state() not in (before, None):
            return True
    return False


def locked_file(path: Path) -> int:
    """Create or open a file, lock it and empty it.  Raises BlockingIOError if another process has locked it."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, 0)
    except BaseException:
        os.close(file)
        raise
    return file


class DaemonLock:
    """The lock while this process has it."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self._file = file
        self._info = b""

    def write_info(self) -> None:
        """Write this process into the file, which shows that the daemon has started."""
        me = own_identity()
        info = DaemonInfo(me.pid, time.time(), wort_cli.__version__, os.uname().nodename, me)
        self._info = json.dumps(asdict(info)).encode()
        os.pwrite(self._file, self._info, 0)

    def restore(self) -> bool:
        """Create the file again if it was removed or replaced; return whether that was needed.

        Raises OSError if it cannot be written, BlockingIOError if another process has locked the new file.
        """
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(self.path.stat(), os.fstat(self._file)):
                return False
        file = locked_file(self.path)
        os.pwrite(file, self._info, 0)
        os.close(self._file)
        self._file = file
        return True

    def close(self) -> None:
        """Release the lock, or, in a child process, close the child's copy of it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
