"""The coordinator cancels attempts, and kills the workers that do not notice."""

import subprocess

from tests.support.builders import published
from tests.unit.daemon.conftest import NAME, Clock, Worker, identity
from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.supervisor import CANCEL_WITHIN
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.settings import Settings


def test_worker_that_notices_the_cancellation_is_not_killed(
    coordinator: Coordinator,
    ledger: Ledger,
    queue: WorkQueue,
    settings: Settings,
    job_id: int,
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    worker = Worker(queue, identity(sleeper)).start()
    worker.send_heartbeat()
    settings.workspace(job_id).mkdir(parents=True)
    coordinator.turn()
    ledger.jobs.cancel([job_id])
    coordinator.turn()
    assert worker.is_cancelled()
    assert coordinator.busy
    worker.finish()
    coordinator.turn()
    assert not coordinator.busy
    assert not settings.workspace(job_id).exists()
    assert ledger.jobs.get(job_id).state is JobState.CANCELLED
    assert sleeper.poll() is None


def test_worker_that_ignores_the_cancellation_is_killed_after_the_limit(
    coordinator: Coordinator,
    ledger: Ledger,
    queue: WorkQueue,
    clock: Clock,
    job_id: int,
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    Worker(queue, identity(sleeper)).start().send_heartbeat()
    coordinator.turn()
    ledger.jobs.cancel([job_id])
    coordinator.turn()
    clock.advance(CANCEL_WITHIN - 0.1)
    coordinator.turn()
    assert sleeper.poll() is None
    clock.advance(0.2)
    coordinator.turn()
    assert sleeper.wait(60) == -9
    assert not coordinator.busy
    assert ledger.jobs.get(job_id).state is JobState.CANCELLED


def test_cancelled_task_that_no_worker_has_received_is_dropped(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, clock: Clock, job_id: int
) -> None:
    ledger.jobs.cancel([job_id])
    coordinator.turn()
    clock.advance(CANCEL_WITHIN + 0.1)
    coordinator.turn()
    assert not coordinator.busy
    assert ledger.jobs.get(job_id).state is JobState.CANCELLED


def test_worker_that_starts_a_cancelled_attempt_may_notice_it(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, clock: Clock, job_id: int
) -> None:
    """It has acquired the attempt and sent no heartbeat yet, so there is no process to kill."""
    ledger.jobs.cancel([job_id])
    coordinator.turn()
    worker = Worker(queue).start()
    clock.advance(CANCEL_WITHIN + 0.1)
    coordinator.turn()
    assert coordinator.busy
    assert worker.is_cancelled()


def test_job_that_is_queued_again_waits_for_its_cancelled_attempt(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, job_id: int
) -> None:
    worker = Worker(queue).start()
    ledger.jobs.cancel([job_id])
    ledger.jobs.retry([job_id])
    coordinator.turn()
    coordinator.turn()
    assert not queue.has_pending_tasks()
    assert ledger.jobs.get(job_id).state is JobState.QUEUED
    worker.finish(published=published(NAME))
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.RUNNING, "the result of the cancelled attempt is ignored"
    assert Worker(queue).spec.attempt == 2
