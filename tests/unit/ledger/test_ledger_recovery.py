"""Crashes of the daemon, clocks that are set back, and paused groups."""

import time

import pytest

from tests.support.builders import request
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.ledger.suspects import choose
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import DAEMON

POLICY = RetryPolicy(daemon_crashes=3, patience=7 * 86400.0)


def crash(ledger: Ledger, work: int = 0, *, by_memory: bool = True, alone: bool = True) -> JobState | None:
    job = ledger.attempts.claim(1, DAEMON, 60.0)
    assert job is not None
    return ledger.attempts.record_death(1, job.attempt, work, POLICY, by_memory=by_memory, alone=alone)


def test_job_that_ran_alone_whenever_memory_ran_out_is_set_aside(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    states = [crash(ledger, alone=alone) for alone in (False, False, False, True)]
    assert states == [JobState.QUEUED] * 3 + [JobState.FAILED]
    assert ledger.suspects.all() == frozenset()
    assert "the last time alone" in ledger.jobs.get(1).message
    ledger.jobs.retry([1])
    assert [crash(ledger) for _ in range(3)] == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    job = ledger.jobs.get(1)
    assert (job.state, job.reason) == (JobState.FAILED, Reason.SET_ASIDE)
    ledger.jobs.retry([1])
    assert crash(ledger) is JobState.QUEUED


def test_job_is_tried_alone_after_memory_ran_out_and_until_an_attempt_ends(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    crash(ledger, alone=False)
    assert ledger.suspects.queued() == {1: 1}
    ledger.attempts.claim(1, DAEMON, 60.0)
    ledger.attempts.requeue(1, 2, "the daemon was stopped")
    assert ledger.suspects.queued() == {1: 1}
    ledger.attempts.claim(1, DAEMON, 60.0)
    ledger.attempts.finish(JobResult(1, 3, failure=Failure(Reason.NETWORK, "no route")), POLICY)
    assert ledger.suspects.all() == frozenset()


def test_other_deaths_of_daemons_set_no_job_aside(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    for number in range(10):
        assert crash(ledger, by_memory=False) is JobState.QUEUED
        assert bool(ledger.suspects.all()) == (number >= 2)


NOTHING: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("ready", "running", "suspects", "queued", "chosen"),
    [
        pytest.param((1, 2), (3,), (), {}, (1, 2), id="no suspects"),
        pytest.param((1, 2, 3), (), (2, 3), {2: 2, 3: 1}, (3,), id="a suspect goes first, alone"),
        pytest.param((1, 2), (), (2, 3), {2: 1, 3: 1}, (2,), id="then the next one"),
        pytest.param((1, 2), (9,), (2,), {2: 1}, NOTHING, id="it waits until nothing runs"),
        pytest.param((1,), (2,), (2,), {}, NOTHING, id="nothing starts beside it"),
        pytest.param((1, 2), (9,), (2,), {2: 3}, (1,), id="after many deaths it is last"),
        pytest.param((2,), (), (2,), {2: 3}, (2,), id="the last one"),
        pytest.param((1,), (), (2,), {}, (1,), id="a suspect that waits holds nobody up"),
    ],
)
def test_suspects_run_alone(
    ready: tuple[int, ...],
    running: tuple[int, ...],
    suspects: tuple[int, ...],
    queued: dict[int, int],
    chosen: tuple[int, ...],
) -> None:
    assert tuple(choose(ready, running, suspects, queued, most_deaths=3)) == chosen


def test_crashes_with_progress_in_between_are_not_consecutive(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    assert [crash(ledger, work) for work in (0, 1, 2, 3, 4)] == [JobState.QUEUED] * 5
    assert [crash(ledger, 4) for _ in range(2)] == [JobState.QUEUED, JobState.FAILED]


def test_crash_of_an_earlier_attempt_changes_nothing(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    ledger.attempts.claim(1, DAEMON, 60.0)
    assert ledger.attempts.record_death(1, 7, 0, POLICY, by_memory=True, alone=True) is None
    assert ledger.jobs.get(1).state is JobState.RUNNING


def test_job_whose_worker_dies_three_times_is_set_aside(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    states = []
    for attempt in (1, 2, 3):
        ledger.attempts.claim(1, DAEMON, 60.0)
        states.append(
            ledger.attempts.finish(JobResult(1, attempt, failure=Failure(Reason.INTERRUPTED, "died")), POLICY)
        )
    assert states == [JobState.WAITING, JobState.WAITING, JobState.FAILED]
    job = ledger.jobs.get(1)
    assert (job.reason, job.message) == (Reason.SET_ASIDE, "it was tried 3 times; the last failure: died")


@pytest.mark.parametrize(
    ("reason", "hours", "is_due"),
    [
        (Reason.NETWORK, 1, False),
        (Reason.NETWORK, 24, True),
        (Reason.STORAGE_CREDENTIALS, 24, True),
        (Reason.NO_DATA, 24, False),
        (Reason.NO_DATA, 48, True),
    ],
)
def test_waiting_job_is_queued_after_the_clock_was_set_back(
    ledger: Ledger, reason: Reason, hours: float, is_due: bool
) -> None:
    ledger.jobs.enqueue([request()])
    ledger.attempts.claim(1, DAEMON, 60.0)
    ledger.attempts.finish(JobResult(1, 1, failure=Failure(reason, "")), POLICY)
    ledger.storage.connection.execute("UPDATE jobs SET wait_until = ?", (time.time() + hours * 3600.0,))
    assert ledger.attempts.wake(POLICY) == is_due


def test_jobs_of_a_paused_group_are_not_started(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request("SRR000001", group="a"), request("SRR000002", group="b"), request("SRR000003")])
    ledger.controls.pause_group("a")
    ledger.controls.pause_group("a")
    assert ledger.controls.paused_groups() == ["a"]
    assert ledger.jobs.next_jobs(9) == [2, 3]
    ledger.jobs.enqueue([request("SRR000004", group="a")])
    ledger.jobs.enqueue([request("SRR000003", group="a")])  # the job joins the group
    assert ledger.jobs.next_jobs(9) == [2]
    ledger.jobs.cancel([1])
    ledger.jobs.retry([1])
    assert ledger.jobs.next_jobs(9) == [2]
    assert ledger.attempts.claim(1, "process 1 on here", 60.0) is not None  # `--now` may start it nevertheless
    assert ledger.controls.resume_group("a")
    assert not ledger.controls.resume_group("a")
    assert ledger.jobs.next_jobs(9) == [2, 3, 4]
