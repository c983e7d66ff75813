"""The queue between the coordinator and its workers: Huey on SQLite, with JSON messages.

Huey forgets a task as soon as a worker has received it.  So a task is only a hint to do a job, and the ledger has the
job itself.  The queue's file is created again whenever the daemon starts, and when it is lost while the daemon runs.
Messages are JSON, because unpickling a message would run any code that is written into the file.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from huey import SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from huey.signals import SIGNAL_COMPLETE
from huey.utils import Error

from wort_cli.daemon.huey_internals import close_connection, create_tables
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.system.process_identity import ProcessIdentity

MAGIC = b"SQLite format 3\0"
"""The first bytes of a database (sqlite.org/fileformat2.html)."""
DAMAGE = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR"})
"""SQLite's errors for a damaged file, a file that is no database, and a database without its tables."""
KEYS = ACQUIRED, HEARTBEAT, CANCELLED = "acquired", "heartbeat", "cancelled"
"""Kinds of values that are stored for an attempt."""
ASKED, CONFIRMED = "asked", "confirmed"
"""Kinds of values of an attempt whose coordinator is on another host."""

log = logging.getLogger(__name__)


class JsonSerializer(Serializer):  # type: ignore[misc]
    """Serializes Huey's messages, errors and values as JSON objects with one key: `message`, `error` or `value`."""

    def _serialize(self, data: Any) -> bytes:
        if isinstance(data, Message):
            document = {"message": data._asdict()}
        elif isinstance(data, Error):
            document = {"error": data.metadata}
        else:
            document = {"value": data}
        return json.dumps(document).encode()

    def _deserialize(self, data: bytes) -> Any:
        document = json.loads(bytes(data))
        if "message" in document:
            return Message(**document["message"])
        if "error" in document:
            return Error(document["error"])
        return document["value"]


@dataclass(frozen=True)
class Heartbeat:
    """A sign from a worker process that an attempt is running."""

    process: ProcessIdentity
    """The worker."""
    at: float
    """When it was sent, in seconds since 1970."""
    progress: Progress
    idle: float
    """Seconds since the job's own thread last reported or checked for cancellation; grows if the job hangs."""


@dataclass(frozen=True)
class TaskError:
    """The error of a task that raised instead of returning a result."""

    message: str


class WorkQueue:
    """Carries jobs to workers, and heartbeats and results back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        make_file(path)
        self.huey = SqliteHuey("wort", filename=str(path), serializer=JsonSerializer(), fsync=False, timeout=30)
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # stays open while the database may be in use

    @classmethod
    def create(cls, path: Path) -> "WorkQueue":
        """Create an empty queue.  What an earlier daemon left in the file is dropped: the ledger has it too."""
        remove_files(path)
        return cls(path)

    def is_lost(self) -> bool:
        """Whether the file was deleted, replaced or damaged, so that other processes can no longer use it."""
        # SQLite's cache would hide that.  Closing a descriptor that was opened here would drop SQLite's locks.
        if file_at(self.path) != identity(os.fstat(self._file)) or os.pread(self._file, len(MAGIC), 0) != MAGIC:
            return True
        try:
            self.huey.pending_count()
        except Exception as error:
            # Other errors of SQLite, such as a lock that is held for long, are temporary.
            return getattr(error, "sqlite_errorname", "") in DAMAGE
        return False

    def recreate(self) -> None:
        """Become an empty queue in a new file.  No worker may be using the old file."""
        self.close()
        remove_files(self.path)
        make_file(self.path)
        create_tables(self.huey)
        os.close(self._file)
        self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the connection; the next call opens a new one.  Needed before a fork."""
        close_connection(self.huey)

    def has_pending_tasks(self) -> bool:
        """Whether there is a task that no worker has received yet."""
        return int(self.huey.pending_count()) > 0

    def acquire(self, job_id: int, attempt: int) -> bool:
        """Acquire an attempt; return False if another caller has it.  A task may arrive twice, or too late."""
        return bool(self.huey.put_if_empty(key(ACQUIRED, job_id, attempt), True))

    def send_heartbeat(self, spec: JobSpec, process: ProcessIdentity, progress: Progress, idle: float) -> None:
        """Store a heartbeat in place of the attempt's last one."""
        heartbeat = Heartbeat(process, time.time(), progress, idle)
        self.huey.put(key(HEARTBEAT, spec.job_id, spec.attempt), asdict(heartbeat))

    def heartbeat(self, job_id: int, attempt: int) -> Heartbeat | None:
        """Return the last heartbeat of an attempt."""
        with garbage_ignored():
            found = self.huey.get(key(HEARTBEAT, job_id, attempt), peek=True)
            if found:
                process, progress = ProcessIdentity.from_json(found["process"]), Progress(**found["progress"])
                return Heartbeat(process, found["at"], progress, float(found["idle"]))
        return None

    def cancel(self, job_id: int, attempt: int) -> None:
        """Ask the worker to end an attempt."""
        self.huey.put(key(CANCELLED, job_id, attempt), True)

    def is_cancelled(self, job_id: int, attempt: int) -> bool:
        """Whether `cancel` was called for an attempt."""
        with garbage_ignored():
            return self.huey.get(key(CANCELLED, job_id, attempt), peek=True) is not None
        return False

    def ask(self, job_id: int, attempt: int) -> None:
        """Ask whether an attempt is still the current one.  Called by its worker."""
        self.huey.put(key(ASKED, job_id, attempt), True)

    def take_question(self, job_id: int, attempt: int) -> bool:
        """Return whether the worker of an attempt has asked since the last call."""
        with garbage_ignored():
            name = key(ASKED, job_id, attempt)
            return self.huey.get(name, peek=True) is not None and self.huey.get(name) is not None
        return False

    def confirm(self, job_id: int, attempt: int) -> None:
        """Answer that an attempt is still the current one."""
        self.huey.put(key(CONFIRMED, job_id, attempt), True)

    def take_confirmation(self, job_id: int, attempt: int) -> bool:
        """Return whether that was answered."""
        with garbage_ignored():
            name = key(CONFIRMED, job_id, attempt)
            return self.huey.get(name, peek=True) is not None and self.huey.get(name) is not None
        return False

    def call_after_result(self, function: Callable[[], None]) -> None:
        """Call a function in a worker whenever the result of a task is in the queue."""
        self.huey.signal(SIGNAL_COMPLETE)(lambda *_: function())

    def result(self, task_id: str) -> JobResult | TaskError | None:
        """Return the result of a task; None if there is none yet.

        The result stays in the queue until `forget`, which is called once the ledger has recorded it.
        """
        with garbage_ignored():
            found = self.huey.get(task_id, peek=True)
            if isinstance(found, Error):
                return TaskError(str(found.metadata.get("error")))
            return None if found is None else JobResult.from_json(found)
        self.huey.delete(task_id)
        return None

    def forget(self, task_id: str, job_id: int, attempt: int) -> None:
        """Delete everything that is stored for an attempt that has ended."""
        for name in (*(key(kind, job_id, attempt) for kind in KEYS), task_id):
            self.huey.delete(name)


def make_file(path: Path) -> None:
    """Create a file if there is none, with mode 0600 from its first moment."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def remove_files(path: Path) -> None:
    """Remove a database with its WAL and shared-memory files."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        file.unlink(missing_ok=True)


def file_at(path: Path) -> tuple[int, int] | None:
    """Return the identity of the file at a path; None if there is none."""
    try:
        return identity(path.stat())
    except FileNotFoundError:
        return None


def identity(found: os.stat_result) -> tuple[int, int]:
    """Return the device and inode of a file."""
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def garbage_ignored() -> Iterator[None]:
    """Log and suppress the errors of a value that wort did not write.  Any process with access can add one."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        log.warning("ignored an unreadable value in the queue", exc_info=True)


def key(kind: str, job_id: int, attempt: int) -> str:
    """Return the key of a value in Huey's storage."""
    return f"{kind}:{job_id}:{attempt}"
