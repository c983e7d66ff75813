"""The code of a worker process: one attempt, with heartbeats and cancellation."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import eventually, job_spec
from wort_cli.daemon import worker
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.worker import QueueWatcher, work
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.sketching import loops
from wort_cli.system.process_identity import own_identity


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    """A job whose archive does not exist, so that it fails at once."""
    return job_spec(tmp_path, tmp_path / "missing.sra")


def test_result_of_the_job_is_returned_as_json(queue: WorkQueue, spec: JobSpec) -> None:
    document = work(queue, spec.to_json())
    assert document is not None
    result = JobResult.from_json(document)
    assert (result.job_id, result.attempt) == (1, 1)
    assert result.failure is not None
    assert "missing.sra" in result.failure.detail
    heartbeat = queue.heartbeat(1, 1)
    assert heartbeat is not None
    assert heartbeat.process == own_identity()


def test_second_copy_of_a_task_does_nothing(queue: WorkQueue, spec: JobSpec) -> None:
    assert work(queue, spec.to_json()) is not None
    assert work(queue, spec.to_json()) is None
    assert work(queue, replace(spec, attempt=2).to_json()) is not None


def test_cancelled_job_returns_an_empty_result(queue: WorkQueue, spec: JobSpec) -> None:
    queue.cancel(spec.job_id, spec.attempt)
    assert work(queue, spec.to_json()) == JobResult(1, 1).to_json()


def test_watcher_sends_heartbeats_and_notices_the_cancellation(
    queue: WorkQueue, spec: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_EVERY", 0.01)
    with QueueWatcher(queue, spec) as watcher:
        watcher.report(Progress("sketching", 7, 10, 700, 1.0))

        def reported() -> bool:
            heartbeat = queue.heartbeat(1, 1)
            return heartbeat is not None and heartbeat.progress.spots == 7

        assert eventually(reported)
        assert not watcher.cancellation.requested()
        queue.cancel(1, 1)
        assert eventually(watcher.cancellation.requested)


def test_idle_time_grows_while_the_job_does_not_check_for_cancellation(
    queue: WorkQueue, spec: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_EVERY", 0.01)

    def idle() -> float:
        heartbeat = queue.heartbeat(1, 1)
        return heartbeat.idle if heartbeat else 0.0

    with QueueWatcher(queue, spec) as watcher:
        assert eventually(lambda: idle() > 0.3)
        assert eventually(lambda: not watcher.cancellation.requested() and idle() < 0.3)


def test_waiting_for_loops_that_are_compiled_is_not_idle(
    queue: WorkQueue, spec: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine that may take longer than a job may hang; a new worker would have to compile them again."""
    sent: list[tuple[Progress, float]] = []
    monkeypatch.setattr(worker, "HEARTBEAT_EVERY", 0.01)
    monkeypatch.setattr(queue, "send_heartbeat", lambda *values: sent.append((values[-2], values[-1])))
    monkeypatch.setattr(loops, "being_loaded", {"kernel_loops"})
    with QueueWatcher(queue, spec) as watcher:
        watcher.report(Progress("sketching", 0, 10, 0, 1.0))
        watcher._active_at -= 1000
        until = len(sent) + 3
        assert eventually(lambda: len(sent) > until)
        progress, idle = sent[-1]
        assert idle < 900
        assert progress.stage == "starting", "a job that is sketching must read spots"
        watcher.report(Progress("compiling", 0, 10, 0, 1.0))
        assert eventually(lambda: sent[-1][0].stage == "compiling")


def test_result_is_returned_only_when_the_queue_can_be_written_again(
    queue: WorkQueue, spec: JobSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Huey would lose a result that it cannot write."""
    monkeypatch.setattr(worker, "HEARTBEAT_EVERY", 0.01)
    failures = 5
    send = queue.send_heartbeat

    def fail_at_first(*args: object) -> None:
        nonlocal failures
        failures -= 1
        if failures > 0:
            raise OSError("the disk is full")
        send(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(queue, "send_heartbeat", fail_at_first)
    assert work(queue, spec.to_json()) is not None
    assert failures <= 0
