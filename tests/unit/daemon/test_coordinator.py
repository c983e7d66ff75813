"""The coordinator dispatches jobs, records results and requeues what is lost with the queue."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import published, request
from tests.unit.daemon.conftest import Clock, Worker, WorkersWithoutProcesses
from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.supervisor import Supervisor
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState, Source
from wort_cli.settings import Settings
from wort_cli.system.slots import Slots

NAME = "SRR000001"


def enqueue(ledger: Ledger, *names: str, priority: int = 0, group: str = "") -> list[int]:
    answers = ledger.jobs.enqueue([request(name, priority=priority, group=group) for name in names])
    return [answer.job_id or 0 for answer in answers]


# ---- Results


def test_result_is_recorded_and_removed_from_the_queue(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, settings: Settings
) -> None:
    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    assert coordinator.busy
    assert coordinator.jobs == {job_id}
    worker = Worker(queue).start()
    workspace = settings.workspace(job_id)
    workspace.mkdir(parents=True)
    worker.finish(published=published(NAME))
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.DONE
    assert ledger.catalog.get(request(NAME).source.name, "sra-v1") is not None
    assert not coordinator.busy
    assert not worker.has_result()
    assert not workspace.exists()


def test_failure_leads_to_a_retry_whose_delay_depends_on_the_jitter(
    ledger: Ledger, queue: WorkQueue, supervisor: Supervisor, settings: Settings, clock: Clock
) -> None:
    waits: list[float] = []
    for jitter in (0.0, 0.5):
        coordinator = Coordinator(ledger, supervisor, settings, clock=clock, jitter=lambda value=jitter: value)  # type: ignore[misc]
        (job_id,) = enqueue(ledger, f"SRR00000{len(waits) + 1}")
        coordinator.turn()
        Worker(queue).start().finish(failure=Failure(Reason.NETWORK, "no route"))
        coordinator.turn()
        job = ledger.jobs.get(job_id)
        assert (job.state, job.reason) == (JobState.WAITING, Reason.NETWORK)
        assert job.wait_until is not None
        assert job.ended_at is None
        waits.append(job.wait_until - ledger.jobs.events(job_id)[-1].at)
    assert waits[0] / waits[1] == pytest.approx(0.75, abs=0.01)


def test_error_of_the_task_itself_is_a_tool_crash(coordinator: Coordinator, ledger: Ledger, queue: WorkQueue) -> None:
    from huey.utils import Error

    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    Worker(queue).start().put_result(Error({"error": "MemoryError()"}))
    coordinator.turn()
    job = ledger.jobs.get(job_id)
    assert (job.state, job.reason) == (JobState.WAITING, Reason.TOOL_CRASH)
    assert job.message == "the worker failed: MemoryError()"


def test_late_result_of_an_earlier_attempt_changes_nothing(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue
) -> None:
    """The job was requeued and claimed by another process, which runs attempt 2."""
    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    worker = Worker(queue).start()
    assert ledger.attempts.requeue(job_id, 1, "test")
    assert ledger.attempts.claim(job_id, "another process", 60.0) is not None
    worker.finish(published=published(NAME))
    coordinator.turn()
    job = ledger.jobs.get(job_id)
    assert (job.state, job.attempt, job.owner) == (JobState.RUNNING, 2, "another process")
    assert not coordinator.busy


def test_unreadable_result_is_removed_and_the_attempt_goes_on(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue
) -> None:
    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    worker = Worker(queue).start()
    worker.put_result({"nonsense": 1})
    coordinator.turn()
    assert not worker.has_result()
    worker.finish(published=published(NAME))
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.DONE


def test_result_stays_in_the_queue_until_the_ledger_has_it(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    worker = Worker(queue).start()
    worker.finish(published=published(NAME))
    with monkeypatch.context() as context:
        context.setattr(ledger.attempts, "finish", raise_full_disk)
        with pytest.raises(OSError, match="full"):
            coordinator.turn()
    assert worker.has_result()
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.DONE
    assert not worker.has_result()


def test_recorded_result_is_not_recorded_again_if_the_queue_could_not_forget_it(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    worker = Worker(queue).start()
    worker.finish(failure=Failure(Reason.NETWORK, "no route"))
    with monkeypatch.context() as context:
        context.setattr(queue, "forget", raise_full_disk)
        with pytest.raises(OSError, match="full"):
            coordinator.turn()
    events = ledger.jobs.events(job_id)
    assert coordinator.busy, "the worker counts as busy until the queue has forgotten the attempt"
    coordinator.turn()
    assert ledger.jobs.events(job_id) == events
    assert not coordinator.busy
    assert not worker.has_result()


def raise_full_disk(*_: object) -> None:
    raise OSError("the disk is full")


# ---- Dispatch


def test_jobs_start_in_order_of_priority_up_to_the_limit(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, workers: WorkersWithoutProcesses
) -> None:
    low = enqueue(ledger, "SRR000001", "SRR000002")
    (high,) = enqueue(ledger, "SRR000003", priority=5)
    coordinator.turn()
    assert workers.size == 2
    assert coordinator.jobs == {high, low[0]}
    assert [Worker(queue).spec.job_id for _ in range(2)] == [high, low[0]]
    assert not queue.has_pending_tasks()
    ledger.controls.set_job_limit(3)
    coordinator.turn()
    assert workers.size == 3
    assert coordinator.jobs == {high, *low}


def test_jobs_are_fetched_ahead_of_those_that_use_the_processor(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, workers: WorkersWithoutProcesses, settings: Settings
) -> None:
    jobs = enqueue(ledger, *(f"SRR00000{n}" for n in range(1, 6)))
    coordinator.reconfigure(replace(settings, fetch_ahead=1))
    coordinator.turn()
    assert coordinator.jobs == set(jobs[:3])
    assert workers.size == 3
    slots = [Worker(queue).spec.slot for _ in range(3)]
    assert [slot.number for slot in slots if slot] == [2, 2, 2]
    places = [slot.place for slot in slots if slot]
    assert places == sorted(places), "older jobs are sketched first"
    assert Slots(settings.slots_dir, 0).number == 2
    ledger.controls.set_job_limit(1)
    coordinator.turn()
    assert Slots(settings.slots_dir, 0).number == 1, "those that wait for a slot see a new limit"
    assert coordinator.jobs == set(jobs[:3])


@pytest.mark.parametrize("where", ["named by its path", "in a directory of archives", "streamed"])
def test_job_without_a_download_waits_for_its_turn_and_is_not_overtaken(
    where: str, coordinator: Coordinator, ledger: Ledger, settings: Settings, tmp_path: Path
) -> None:
    enqueue(ledger, "SRR000001", "SRR000002")
    archive = tmp_path / "archives" / "SRR000003.sra"
    archive.parent.mkdir()
    archive.write_bytes(b"NCBI.sra")
    if where == "named by its path":
        source = Source(parse_name("SRR000003"), archive)
        ledger.jobs.enqueue([replace(request("SRR000003"), source=source)])
        settings = replace(settings, fetch_ahead=2)
    else:
        enqueue(ledger, "SRR000003")
        settings = replace(settings, fetch_ahead=2, archives=(archive.parent,))
    if where == "streamed":
        settings = replace(settings, archives=(), download="toolkit")
    enqueue(ledger, "SRR000004")
    coordinator.reconfigure(settings)
    coordinator.turn()
    coordinator.turn()
    assert len(coordinator.jobs) == 2


def test_no_job_starts_while_paused(coordinator: Coordinator, ledger: Ledger) -> None:
    enqueue(ledger, NAME)
    ledger.controls.pause()
    coordinator.turn()
    assert not coordinator.busy
    ledger.controls.resume()
    coordinator.turn()
    assert coordinator.busy


def test_no_job_of_a_paused_group_starts(coordinator: Coordinator, ledger: Ledger) -> None:
    enqueue(ledger, NAME, group="slow")
    (other,) = enqueue(ledger, "SRR000002")
    ledger.controls.pause_group("slow")
    coordinator.turn()
    assert coordinator.jobs == {other}


def test_no_job_starts_while_the_disk_is_low(
    coordinator: Coordinator, ledger: Ledger, settings: Settings, clock: Clock
) -> None:
    enqueue(ledger, NAME)
    coordinator.reconfigure(replace(settings, disk_reserve=10**18))
    coordinator.turn()
    assert not coordinator.busy
    assert "reserve" in coordinator.blocked_by
    coordinator.reconfigure(settings)
    clock.advance(1.5)
    coordinator.turn()
    assert coordinator.busy
    assert coordinator.blocked_by == ""


def test_disk_is_written_to_at_once_after_a_disk_error(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, settings: Settings
) -> None:
    """The data directory is moved to a place where nothing can be written; the clock does not advance."""
    enqueue(ledger, NAME)
    coordinator.turn()
    coordinator.reconfigure(replace(settings, data_dir=Path("/proc/self/data")))
    assert coordinator.disk_damage == ""
    Worker(queue).start().finish(failure=Failure(Reason.DISK_ERROR, "I/O error"))
    coordinator.turn()
    assert coordinator.disk_damage.startswith("nothing can be written to /proc")
    assert coordinator.disk_damage in coordinator.blocked_by


def test_waiting_jobs_are_woken_and_workers_repaired_once_a_second(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, workers: WorkersWithoutProcesses, clock: Clock
) -> None:
    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    Worker(queue).start().finish(failure=Failure(Reason.NETWORK, "no route"))
    coordinator.turn()
    ledger.storage.connection.execute("UPDATE jobs SET wait_until = 1")
    assert workers.repairs == 1
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.WAITING
    clock.advance(1.5)
    coordinator.turn()
    assert workers.repairs == 2
    assert ledger.jobs.get(job_id).state is JobState.RUNNING


# ---- The queue is lost, the daemon stops


def test_lost_queue_is_recreated_and_its_jobs_start_again(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, workers: WorkersWithoutProcesses
) -> None:
    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    queue.path.unlink()
    coordinator.turn()
    assert (workers.stops, workers.starts) == (1, 1)
    assert queue.path.exists()
    assert [(event.after, event.message) for event in ledger.jobs.events(job_id)][-2:] == [
        ("queued", "the queue's file was lost"),
        ("running", ""),
    ]
    Worker(queue).start().finish(published=published(NAME))
    coordinator.turn()
    assert ledger.jobs.get(job_id).state is JobState.DONE


def test_damaged_queue_is_recreated(
    coordinator: Coordinator, queue: WorkQueue, workers: WorkersWithoutProcesses
) -> None:
    file = os.open(queue.path, os.O_WRONLY)
    os.pwrite(file, b"x" * 100, 0)
    os.close(file)
    coordinator.turn()
    assert workers.starts == 1
    assert not queue.is_lost()


def test_stopping_records_results_and_requeues_the_rest(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue
) -> None:
    done, unfinished = enqueue(ledger, "SRR000001", "SRR000002")
    coordinator.turn()
    Worker(queue).start().finish(published=published("SRR000001"))
    coordinator.requeue_all()
    assert ledger.jobs.get(done).state is JobState.DONE
    job = ledger.jobs.get(unfinished)
    assert (job.state, job.reason, job.message) == (JobState.QUEUED, Reason.INTERRUPTED, "the daemon was stopped")
    assert not coordinator.busy


def test_stopping_requeues_all_jobs_if_results_cannot_be_read(
    coordinator: Coordinator, ledger: Ledger, queue: WorkQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job_id,) = enqueue(ledger, NAME)
    coordinator.turn()
    monkeypatch.setattr(queue, "result", raise_full_disk)
    coordinator.requeue_all()
    assert ledger.jobs.get(job_id).state is JobState.QUEUED
