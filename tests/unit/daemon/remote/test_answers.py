"""Answers of workers on other hosts: results, progress, and those that come too late."""

import pytest

from tests.unit.daemon.remote.scene import HOME, NAME, OTHER, Scene, Sealed
from wort_cli.daemon.remote.attempt_keys import acquired_key, answer_key
from wort_cli.daemon.remote.site import SWEEP_EVERY
from wort_cli.errors import QueueUnavailable
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState

NO_READS, NOT_FOUND = Failure(Reason.NO_READS, "none"), Failure(Reason.NOT_FOUND, "no such run")


def test_signature_in_an_answer_is_stored_and_recorded(scene: Scene, job: int, sealed: Sealed) -> None:
    scene.host.answer(scene.host.take(), **sealed.outcome)
    scene.turn()
    assert scene.job(job).state is JobState.DONE
    assert scene.store.path(Accession(NAME)).read_bytes() == sealed.content
    assert scene.remote.keys == set()
    assert scene.board.attempts == {}
    assert "on the host 'node1'" in scene.settings.job_log(job).read_text()
    assert not scene.settings.work_dir.exists()


def test_answer_of_a_lost_attempt_changes_nothing(scene: Scene, job: int, sealed: Sealed) -> None:
    order = scene.host.take()
    scene.turn()
    scene.ledger.attempts.requeue(job, 1, "by the test")
    scene.turn()
    scene.turn()
    assert scene.board.attempts == {job: 2}
    scene.host.answer(order, **sealed.outcome)
    scene.turn()
    assert scene.job(job).state is JobState.RUNNING
    assert not scene.store.has(Accession(NAME))


def test_failure_in_an_answer_is_recorded(scene: Scene, job: int) -> None:
    scene.host.answer(scene.host.take(), failure=NO_READS)
    scene.turn()
    assert scene.job(job).state is JobState.UNAVAILABLE


def test_job_that_is_returned_is_queued_again(scene: Scene, job: int) -> None:
    scene.host.answer(scene.host.take(), returned="the worker was stopped (node1)")
    scene.host.send(running={}, draining=True)
    scene.turn()
    found = scene.job(job)
    assert (found.state, found.message) == (JobState.QUEUED, "the worker was stopped (node1)")


def test_answers_of_a_turn_are_recorded_in_one_commit_before_they_are_deleted(
    scene: Scene, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = scene.order(NAME, OTHER)
    orders = [scene.host.take() for _ in jobs]
    scene.turn()  # which records the progress
    for order in orders:
        scene.host.answer(order, failure=NOT_FOUND)
    seen: list[JobState] = []

    def delete(keys: list[str]) -> None:
        other = Ledger(scene.settings.ledger_file)
        seen.extend(other.jobs.get(job).state for job in jobs)
        other.close()

    monkeypatch.setattr(scene.remote, "delete", delete)
    statements.clear()
    scene.turn()
    assert statements.count("COMMIT") == 1
    assert seen == [scene.job(job).state for job in jobs]
    assert JobState.RUNNING not in seen


def test_answer_that_cannot_be_received_does_not_hold_up_those_before_it(scene: Scene) -> None:
    jobs = scene.order(NAME, OTHER)
    scene.settings.job_log(jobs[1]).mkdir(parents=True)  # so that its log cannot be written
    for _ in jobs:
        scene.host.answer(scene.host.take(), failure=NOT_FOUND)
    with pytest.raises(IsADirectoryError):
        scene.turn()
    assert [scene.job(job).state is JobState.RUNNING for job in jobs] == [False, True]
    assert scene.remote.keys == {answer_key(HOME, jobs[1], 1)}


def test_progress_of_all_jobs_is_recorded_in_one_commit(scene: Scene, statements: list[str]) -> None:
    jobs = scene.order(NAME, OTHER)
    for _ in jobs:
        scene.host.take()
    statements.clear()
    scene.turn()
    assert [(found := scene.job(job).progress) and found.bases for job in jobs] == [100, 100]
    assert statements.count("COMMIT") == 1
    assert not any("UPDATE" in text and "lease_until" in text for text in statements), "the leases are new"


def test_keys_of_an_ended_attempt_are_deleted_when_the_queue_can_be_reached_again(
    scene: Scene, job: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = scene.host.take()
    scene.turn()
    scene.host.answer(order, failure=NO_READS)
    with monkeypatch.context() as broken:
        broken.setattr(scene.remote, "delete", lost_connection)
        with pytest.raises(QueueUnavailable):
            scene.turn()
    assert scene.job(job).state is JobState.UNAVAILABLE
    assert scene.remote.keys, "the answer is still there"
    scene.turn()
    assert not scene.remote.keys


def test_keys_are_deleted_whose_coordinator_and_worker_died(scene: Scene, job: int) -> None:
    order = scene.host.take()
    used, other = answer_key(HOME, job, 1), answer_key("o" * 16, job, 1)
    scene.remote.acquire(acquired_key(HOME, job, 1), "node1-1")
    for key in (answer_key(HOME, 99, 1), answer_key(HOME, job, 2), other):
        scene.remote.put(key, b"an answer")
    scene.remote.acquire(acquired_key(HOME, 99, 1), "node1-1")
    scene.turn(SWEEP_EVERY)
    assert scene.remote.keys == {acquired_key(HOME, job, 1), other}
    scene.host.answer(order, failure=NO_READS)
    assert used in scene.remote.keys
    scene.turn()
    assert scene.job(job).state is JobState.UNAVAILABLE


def lost_connection(*_: object) -> None:
    """Fail as a queue does that cannot be reached."""
    raise QueueUnavailable("the queue cannot be reached")
