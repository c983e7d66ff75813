"""Fixtures of the daemon's unit tests: a home with a real ledger and queue, and a clock that tests advance.

Only the worker processes are replaced.  A test plays the worker with the class Worker.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import request
from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.supervisor import Supervisor
from wort_cli.daemon.workers import Workers
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.settings import Settings, load_settings
from wort_cli.system.process_identity import ProcessIdentity, identity_of, own_identity

NAME = "SRR000001"
LEASE, HANG_TIMEOUT, STALL_TIMEOUT = 60.0, 300.0, 600.0


class Clock:
    """A monotonic clock that stands still until `advance` is called."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class WorkersWithoutProcesses(Workers):
    """Workers that enqueue tasks as usual but start no processes; it counts the calls instead."""

    def __init__(self, queue: WorkQueue) -> None:
        super().__init__(queue, 0, lambda: None)
        self.size = 0
        self.repairs = self.stops = self.starts = 0

    def start_again(self) -> None:
        self.starts += 1

    def repair(self, patience: float) -> None:
        self.repairs += 1

    def grow(self, count: int) -> None:
        self.size = max(self.size, count)

    def count_alive(self) -> tuple[int, int]:
        return self.size, self.size

    def stop(self) -> None:
        self.stops += 1


class Worker:
    """A worker that has received a task from the queue."""

    def __init__(self, queue: WorkQueue, process: ProcessIdentity | None = None) -> None:
        task = queue.huey.dequeue()
        assert task is not None, "there is a task in the queue"
        self._queue = queue
        self._task_id: str = task.id
        (document,) = task.args
        self.spec = JobSpec.from_json(document)
        self.process = process or own_identity()

    def start(self) -> "Worker":
        """Acquire the attempt, as a worker does first."""
        assert self._queue.acquire(self.spec.job_id, self.spec.attempt)
        return self

    def send_heartbeat(self, stage: str = "sketching", spots: int = 0, idle: float = 0.0, at: float = 0.0) -> None:
        progress = Progress(stage, spots, 100, spots * 100, at)
        self._queue.send_heartbeat(self.spec, self.process, progress, idle)

    def is_cancelled(self) -> bool:
        return self._queue.is_cancelled(self.spec.job_id, self.spec.attempt)

    def finish(self, **outcome: Any) -> None:
        """Return a result through the queue."""
        self.put_result(JobResult(self.spec.job_id, self.spec.attempt, **outcome).to_json())

    def put_result(self, value: object) -> None:
        self._queue.huey.put_result(self._task_id, value)

    def has_result(self) -> bool:
        return self._queue.huey.get(self._task_id, peek=True) is not None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of an empty home in which the disk never blocks jobs."""
    made = load_settings(
        {
            "WORT_HOME": str(tmp_path),
            "WORT_JOBS": "2",
            "WORT_LEASE": str(LEASE),
            "WORT_HANG_TIMEOUT": str(HANG_TIMEOUT),
            "WORT_STALL_TIMEOUT": str(STALL_TIMEOUT),
            "WORT_DISK_RESERVE": "1",
            "WORT_FETCH_AHEAD": "0",
        }
    )
    made.make_directories()
    return made


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    """The ledger of the home."""
    made = Ledger(settings.ledger_file)
    yield made
    made.close()


@pytest.fixture
def queue(settings: Settings) -> Iterator[WorkQueue]:
    """The queue of the home."""
    made = WorkQueue.create(settings.queue_file)
    yield made
    made.close()


@pytest.fixture
def workers(queue: WorkQueue) -> WorkersWithoutProcesses:
    return WorkersWithoutProcesses(queue)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(queue: WorkQueue, workers: WorkersWithoutProcesses, settings: Settings, clock: Clock) -> Supervisor:
    return Supervisor(queue, workers, settings, clock)


@pytest.fixture
def coordinator(ledger: Ledger, supervisor: Supervisor, settings: Settings, clock: Clock) -> Coordinator:
    return Coordinator(ledger, supervisor, settings, clock=clock, jitter=lambda: 0.5)


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that a worker may claim to be, and that may be killed."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


@pytest.fixture
def job_id(ledger: Ledger, coordinator: Coordinator) -> int:
    """A job that was dispatched."""
    (answer,) = ledger.jobs.enqueue([request(NAME)])
    coordinator.turn()
    assert answer.job_id is not None
    return answer.job_id


def identity(process: "subprocess.Popen[bytes]") -> ProcessIdentity:
    """Return the identity of a process that runs."""
    found = identity_of(process.pid)
    assert found is not None
    return found
