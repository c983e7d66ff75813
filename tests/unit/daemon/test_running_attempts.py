"""The coordinator extends leases, and kills and requeues those that are lost."""

import subprocess

import pytest

from tests.support.builders import published, request
from tests.unit.daemon.conftest import HANG_TIMEOUT, LEASE, NAME, STALL_TIMEOUT, Clock, Worker, identity
from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.supervisor import Supervisor
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import Job, JobState
from wort_cli.pipeline.workspace import Workspace
from wort_cli.settings import Settings


def last_event(ledger: Ledger, job_id: int) -> tuple[str, str, str]:
    event = ledger.jobs.events(job_id)[-1]
    return event.after, event.reason, event.message


def lease_of(job: Job) -> float:
    assert job.lease_until is not None
    return job.lease_until


# ---- Heartbeats and leases


def test_heartbeat_reports_progress(coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, job_id: int) -> None:
    Worker(queue).start().send_heartbeat("sketching", 40)
    coordinator.turn()
    progress = ledger.jobs.get(job_id).progress
    assert progress is not None
    assert (progress.stage, progress.spots, progress.total) == ("sketching", 40, 100)


def test_heartbeats_extend_the_lease_after_a_third_of_it(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, clock: Clock, job_id: int
) -> None:
    worker = Worker(queue).start()
    granted = lease_of(ledger.jobs.get(job_id))
    worker.send_heartbeat(at=1.0)
    coordinator.turn()
    assert lease_of(ledger.jobs.get(job_id)) == granted
    clock.advance(LEASE / 3 + 1)
    worker.send_heartbeat(at=2.0)
    coordinator.turn()
    extended = lease_of(ledger.jobs.get(job_id))
    assert extended > granted
    clock.advance(LEASE / 3 + 1)
    coordinator.turn()
    assert lease_of(ledger.jobs.get(job_id)) == extended, "without a new heartbeat the lease is not extended"


# ---- Lost attempts


def test_attempt_of_a_dead_worker_is_retried(
    coordinator: Coordinator,
    ledger: Ledger,
    queue: WorkQueue,
    job_id: int,
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    Worker(queue, identity(sleeper)).start().send_heartbeat()
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    sleeper.kill()
    sleeper.wait()
    coordinator.turn()
    assert last_event(ledger, job_id) == ("waiting", "interrupted", "the worker died")
    assert not coordinator.busy


def test_worker_that_ends_after_its_result_is_not_lost(
    coordinator: Coordinator,
    supervisor: Supervisor,
    ledger: Ledger,
    queue: WorkQueue,
    job_id: int,
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    """It reports and ends between the moments at which the coordinator collects results and checks workers."""
    worker = Worker(queue, identity(sleeper)).start()
    worker.send_heartbeat()
    coordinator.turn()
    worker.finish(published=published(NAME))
    sleeper.kill()
    sleeper.wait()
    supervisor.check_attempts(coordinator._outcomes)
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.DONE


def test_worker_that_dies_again_and_again_costs_no_job_that_advances(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, settings: Settings, job_id: int
) -> None:
    """Each attempt fetches a megabyte more before its worker dies; then there is no more progress."""
    archive = settings.workspace(job_id) / "archive" / "x.sra"
    archive.parent.mkdir(parents=True)
    for n in range(1, 7):
        with subprocess.Popen(["sleep", "600"]) as worker:
            Worker(queue, identity(worker)).start().send_heartbeat("fetching")
            coordinator.turn()
            archive.write_bytes(b"x" * n * 1_000_000)
            worker.kill()
        coordinator.turn()
        assert ledger.jobs.get(job_id).attempt == n + 1, "it is dispatched again in the same turn"
    with subprocess.Popen(["sleep", "600"]) as worker:
        Worker(queue, identity(worker)).start().send_heartbeat("fetching")
        coordinator.turn()
        worker.kill()
    coordinator.turn()
    assert last_event(ledger, job_id) == ("waiting", "interrupted", "the worker died")


@pytest.mark.parametrize(
    ("beats", "idle", "after", "message", "hung"),
    [
        (False, 0.0, LEASE, "the worker sent no heartbeat", False),
        (True, HANG_TIMEOUT, 0.0, "the worker hung: its job did not respond", True),
        (True, 0.0, HANG_TIMEOUT + STALL_TIMEOUT, "the worker made no progress", True),
    ],
)
def test_lost_worker_is_killed_and_its_job_retried(
    coordinator: Coordinator,
    ledger: Ledger,
    queue: WorkQueue,
    clock: Clock,
    job_id: int,
    sleeper: "subprocess.Popen[bytes]",
    beats: bool,
    idle: float,
    after: float,
    message: str,
    hung: bool,
    settings: Settings,
) -> None:
    """The worker stops sending heartbeats, its job hangs for `idle` seconds, or it counts no spots for `after`.

    If it hung, no later attempt reads the archive in the worker's process.
    """
    workspace = Workspace(settings.workspace(job_id), 1)
    workspace.create()
    workspace.mark_in_process()
    worker = Worker(queue, identity(sleeper)).start()
    worker.send_heartbeat()
    coordinator.turn()
    clock.advance(after - 1)
    if beats:
        worker.send_heartbeat(idle=max(0.0, idle - 1), at=1.0)
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    clock.advance(2)
    if beats:
        worker.send_heartbeat(idle=idle + 1 if idle else 0.0, at=2.0)
    coordinator.turn()
    assert last_event(ledger, job_id) == ("waiting", "interrupted", message)
    assert sleeper.wait(60) == -9
    workspace.create()
    assert workspace.crashed_in_process is hung


def test_silence_is_excused_after_a_failed_turn(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, clock: Clock, job_id: int
) -> None:
    Worker(queue).start().send_heartbeat()
    coordinator.turn()
    clock.advance(LEASE + 1)
    coordinator.excuse_silence()
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.RUNNING


def test_task_that_no_worker_received_is_requeued_after_the_lease(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, clock: Clock, job_id: int
) -> None:
    """Huey has lost the task: it is no longer in the queue, and no worker has acquired the attempt."""
    Worker(queue)
    clock.advance(LEASE + 1)
    coordinator.turn()
    assert [event.message for event in ledger.jobs.events(job_id)][-2:] == ["no worker started it", ""]
    assert Worker(queue).spec.attempt == 2


def test_task_in_the_queue_may_wait_longer_than_the_lease(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, clock: Clock, job_id: int
) -> None:
    clock.advance(LEASE + 1)
    coordinator.turn()
    assert queue.has_pending_tasks()
    assert ledger.jobs.get(job_id).state is JobState.RUNNING


def test_attempt_whose_worker_acquired_it_and_sent_no_heartbeat_is_retried(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, clock: Clock, job_id: int
) -> None:
    Worker(queue).start()
    clock.advance(LEASE + 1)
    coordinator.turn()
    assert last_event(ledger, job_id) == ("waiting", "interrupted", "the worker did not start the job")


# ---- Jobs of other processes


def test_job_of_a_dead_process_is_requeued(coordinator: Coordinator, ledger: Ledger, settings: Settings) -> None:
    (answer,) = ledger.jobs.enqueue([request(NAME)])
    job_id = answer.job_id or 0
    assert ledger.attempts.claim(job_id, "daemon", LEASE) is not None  # of an earlier daemon
    coordinator.turn()
    events = [(event.after, event.message) for event in ledger.jobs.events(job_id)]
    assert ("queued", "the daemon that ran it ended") in events
    assert ledger.jobs.get(job_id).reason in (None, Reason.INTERRUPTED)
    assert coordinator.jobs == {job_id}


def test_job_of_a_process_on_another_host_is_requeued_once_its_lease_is_not_renewed(
    coordinator: Coordinator, ledger: Ledger, clock: Clock
) -> None:
    (answer,) = ledger.jobs.enqueue([request(NAME)])
    job_id = answer.job_id or 0
    assert ledger.attempts.claim(job_id, "process 7 on elsewhere (started 1, boot b)", LEASE) is not None
    coordinator.turn()
    clock.advance(LEASE - 1)
    ledger.attempts.extend_lease(job_id, 1, LEASE + 5)
    coordinator.turn()
    clock.advance(LEASE - 1)
    coordinator.turn()
    assert ledger.jobs.get(job_id).attempt == 1
    clock.advance(2)
    coordinator.turn()
    assert ledger.jobs.get(job_id).attempt == 2
    assert coordinator.busy
