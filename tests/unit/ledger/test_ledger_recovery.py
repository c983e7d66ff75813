"""Crashes of the daemon, clocks that are set back, and paused groups."""

import time

from tests.support.builders import request
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import DAEMON

POLICY = RetryPolicy(daemon_crashes=3, patience=7 * 86400.0)


def crash(ledger: Ledger, work: int = 0) -> JobState | None:
    job = ledger.attempts.claim(1, DAEMON, 60.0)
    assert job is not None
    return ledger.attempts.record_crash(1, job.attempt, work, POLICY)


def test_job_that_was_running_at_each_crash_is_set_aside(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    assert [crash(ledger) for _ in range(3)] == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    job = ledger.jobs.get(1)
    assert (job.state, job.reason) == (JobState.FAILED, Reason.SET_ASIDE)
    ledger.jobs.retry([1])
    assert crash(ledger) is JobState.QUEUED


def test_crashes_with_progress_in_between_are_not_consecutive(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    assert [crash(ledger, work) for work in (0, 1, 2, 3, 4)] == [JobState.QUEUED] * 5
    assert [crash(ledger, 4) for _ in range(2)] == [JobState.QUEUED, JobState.FAILED]


def test_crash_of_an_earlier_attempt_changes_nothing(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    ledger.attempts.claim(1, DAEMON, 60.0)
    assert ledger.attempts.record_crash(1, 7, 0, POLICY) is None
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


def test_waiting_job_is_queued_after_the_clock_was_set_back(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    ledger.attempts.claim(1, DAEMON, 60.0)
    ledger.attempts.finish(JobResult(1, 1, failure=Failure(Reason.NETWORK, "")), POLICY)
    assert ledger.attempts.wake(POLICY.max_wait) == 0
    ledger.storage.connection.execute("UPDATE jobs SET wait_until = ?", (time.time() + 2 * 86400.0,))
    assert ledger.attempts.wake(POLICY.max_wait) == 1


def test_jobs_of_a_paused_group_are_not_started(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request("SRR000001", group="a"), request("SRR000002", group="b"), request("SRR000003")])
    ledger.controls.pause_group("a")
    ledger.controls.pause_group("a")
    assert ledger.controls.paused_groups() == ["a"]
    assert ledger.attempts.next_jobs(9) == [2, 3]
    ledger.jobs.enqueue([request("SRR000004", group="a")])
    ledger.jobs.enqueue([request("SRR000003", group="a")])  # the job joins the group
    assert ledger.attempts.next_jobs(9) == [2]
    ledger.jobs.cancel([1])
    ledger.jobs.retry([1])
    assert ledger.attempts.next_jobs(9) == [2]
    assert ledger.attempts.claim(1, "process 1 on here", 60.0) is not None  # `--now` may start it nevertheless
    assert ledger.controls.resume_group("a")
    assert not ledger.controls.resume_group("a")
    assert ledger.attempts.next_jobs(9) == [2, 3, 4]
