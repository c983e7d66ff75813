"""The queue between the coordinator and its workers: Huey on SQLite, with JSON messages.

Huey forgets a task as soon as it hands it out, so that nothing here is a truth: a task is a hint to do a job that the
ledger knows.  The queue's file is made anew whenever the daemon starts, and when it is lost while the daemon runs.
Messages are JSON because a pickle would run whatever somebody writes into that file.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from huey import SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer
from huey.utils import Error

from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.system.process_identity import ProcessIdentity

MAGIC = b"SQLite format 3\0"
"""How a database begins (sqlite.org/fileformat2.html)."""
DAMAGE = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR"})
"""What SQLite calls a file that is damaged, is none of its own, or has lost its tables."""

log = logging.getLogger(__name__)


class JsonSerializer(Serializer):  # type: ignore[misc]
    """Huey's messages, errors and values as JSON, each under its own key."""

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
    """What a worker says of itself: its process, when it spoke, how far it is, and how long the job itself was silent.

    `silent` is in seconds: the job's own thread asks all the time whether it was called off, unless it hangs.
    """

    process: ProcessIdentity
    at: float
    progress: Progress
    silent: float


class WorkQueue:
    """Carries jobs to workers, and their signs of life and results back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        make_file(path)
        self.huey = SqliteHuey("wort", filename=str(path), serializer=JsonSerializer(), fsync=False, timeout=30)
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # open for as long as we may use the database

    @classmethod
    def made_anew(cls, path: Path) -> "WorkQueue":
        """An empty queue: whatever an earlier daemon left in it is in the ledger too."""
        remove_files(path)
        return cls(path)

    def is_lost(self) -> bool:
        """Whether the file was deleted, replaced or damaged: whoever opens it from now on does not find what we put."""
        # SQLite's cache would not notice.  Opening the file here would, when it is closed, drop SQLite's locks.
        if file_at(self.path) != identity(os.fstat(self._file)) or os.pread(self._file, len(MAGIC), 0) != MAGIC:
            return True
        try:
            self.huey.pending_count()
        except Exception as error:
            # An error of SQLite that is none of these, such as a lock that is held for long, passes.
            return getattr(error, "sqlite_errorname", "") in DAMAGE
        return False

    def make_anew(self) -> None:
        """Be an empty queue again, in a new file.  To be called while no worker has the old one."""
        self.close()
        remove_files(self.path)
        make_file(self.path)
        self.huey.storage.initialize_schema()
        os.close(self._file)
        self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the connection; the next call opens it anew.  Needed before a fork."""
        self.huey.storage.close()

    def has_waiting(self) -> bool:
        """Whether there is a task that no worker has taken yet."""
        return int(self.huey.pending_count()) > 0

    def take(self, job_id: int, attempt: int) -> bool:
        """Whether the caller is the first to have an attempt: a task may come twice, or too late."""
        return bool(self.huey.put_if_empty(key("taken", job_id, attempt), True))

    def report_life(self, spec: JobSpec, process: ProcessIdentity, progress: Progress, silent: float) -> None:
        """A worker says that it lives, and how far it is."""
        sign = Heartbeat(process, time.time(), progress, silent)
        self.huey.put(key("life", spec.job_id, spec.attempt), asdict(sign))

    def life(self, job_id: int, attempt: int) -> Heartbeat | None:
        """The last sign of life of an attempt."""
        with unless_it_is_garbage():
            found = self.huey.get(key("life", job_id, attempt), peek=True)
            if found:
                process, progress = ProcessIdentity.from_json(found["process"]), Progress(**found["progress"])
                return Heartbeat(process, found["at"], progress, float(found["silent"]))
        return None

    def cancel(self, job_id: int, attempt: int) -> None:
        """Ask the worker to end an attempt."""
        self.huey.put(key("call-off", job_id, attempt), True)

    def is_cancelled(self, job_id: int, attempt: int) -> bool:
        """Whether an attempt is to end."""
        with unless_it_is_garbage():
            return self.huey.get(key("call-off", job_id, attempt), peek=True) is not None
        return False

    def result(self, task_id: str) -> JobResult | Error | None:
        """The result of an attempt; an Error if the task itself failed, None if there is none yet.

        It stays until it is forgotten: until what follows from it stands in the ledger.
        """
        with unless_it_is_garbage():
            found = self.huey.get(task_id, peek=True)
            if found is None or isinstance(found, Error):
                return found
            return JobResult.from_json(found)
        self.huey.delete(task_id)
        return None

    def forget(self, task_id: str, job_id: int, attempt: int) -> None:
        """Drop what is stored of an attempt that has ended."""
        for name in (*(key(kind, job_id, attempt) for kind in ("taken", "life", "call-off")), task_id):
            self.huey.delete(name)


def make_file(path: Path) -> None:
    """See that there is a file, for this user only from its first moment."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def remove_files(path: Path) -> None:
    """Remove a database and its companions."""
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        file.unlink(missing_ok=True)


def file_at(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path, None if there is none."""
    try:
        return identity(path.stat())
    except FileNotFoundError:
        return None


def identity(found: os.stat_result) -> tuple[int, int]:
    """Which file it is."""
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def unless_it_is_garbage() -> Iterator[None]:
    """Passes over a value that is none of ours: whoever may write the file can put anything there."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        log.warning("there is garbage in the queue's storage", exc_info=True)


def key(kind: str, job_id: int, attempt: int) -> str:
    """Of a value in Huey's storage."""
    return f"{kind}:{job_id}:{attempt}"
