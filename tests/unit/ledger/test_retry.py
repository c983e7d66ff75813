"""Retry decisions, as tables of cases."""

from dataclasses import replace

import pytest

from wort_cli.ledger.retry import (
    OUTAGES,
    SHORTAGES,
    RetryDecision,
    RetryPolicy,
    consecutive_crashes,
    decide,
    reasons_counted_with,
    remaining_wait,
)
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState

POLICY = RetryPolicy(crash_tries=3, crash_delay=2.0, tries=10, delay=60.0, max_delay=3600.0)
GIVEN_UP = RetryDecision(JobState.FAILED)
UNAVAILABLE = RetryDecision(JobState.UNAVAILABLE)


def waits(seconds: float) -> RetryDecision:
    return RetryDecision(JobState.WAITING, seconds)


@pytest.mark.parametrize(
    ("reason", "lasting", "earlier", "expected"),
    [
        (Reason.NOT_FOUND, False, 0, UNAVAILABLE),
        (Reason.CONTROLLED, False, 0, UNAVAILABLE),
        (Reason.WITHDRAWN, False, 5, UNAVAILABLE),
        (Reason.NO_READS, True, 0, UNAVAILABLE),
        (Reason.TECHNICAL_READS, False, 0, UNAVAILABLE),
        (Reason.CORRUPT, False, 0, GIVEN_UP),
        (Reason.TOOL_MISSING, False, 0, GIVEN_UP),
        (Reason.STORAGE_DENIED, False, 0, GIVEN_UP),
        (Reason.PARAMS_MISMATCH, False, 0, GIVEN_UP),
        (Reason.NETWORK, False, 0, waits(60)),
        (Reason.NETWORK, False, 1, waits(120)),
        (Reason.NETWORK, False, 2, waits(240)),
        (Reason.RATE_LIMITED, False, 5, waits(1920)),
        (Reason.MACHINE_ERROR, False, 0, waits(60)),
        (Reason.DISK_LOW, False, 0, waits(60)),
        (Reason.DISK_LOW, False, 6, waits(600)),
        (Reason.DISK_LOW, False, 10_000, waits(600)),
        (Reason.DISK_LOW, True, 0, GIVEN_UP),
        (Reason.STORAGE_CREDENTIALS, False, 10_000, waits(600)),
        (Reason.STORAGE_DENIED, False, 0, GIVEN_UP),
        (Reason.STORAGE_DOWN, False, 8, waits(3600)),
        (Reason.MEMORY, False, 9, waits(600)),
        (Reason.NETWORK, False, 1000, GIVEN_UP),
        (Reason.NETWORK, True, 0, GIVEN_UP),
        (Reason.TOOL_CRASH, False, 0, waits(2)),
        (Reason.TOOL_CRASH, False, 1, waits(4)),
        (Reason.TOOL_CRASH, False, 2, GIVEN_UP),
        (Reason.INTERRUPTED, False, 1, waits(4)),
        (Reason.INTERRUPTED, False, 2, RetryDecision(JobState.FAILED, set_aside=True)),
        (Reason.BAD_RESULT, False, 0, waits(2)),
        (Reason.BAD_RESULT, False, 2, GIVEN_UP),
        (Reason.LOCAL_FILES, False, 0, GIVEN_UP),
        (Reason.QUEUE_LIMIT, False, 0, GIVEN_UP),
        (Reason.TIMEOUT, False, 8, waits(3600)),
        (Reason.TIMEOUT, False, 9, GIVEN_UP),
        (Reason.SET_ASIDE, False, 0, GIVEN_UP),
        (Reason.INCOMPLETE, False, 0, waits(2)),
        (Reason.INCOMPLETE, False, 2, GIVEN_UP),
        (Reason.INCOMPLETE, True, 0, GIVEN_UP),
        (Reason.READS_SHORTER_THAN_K, False, 0, GIVEN_UP),
    ],
)
def test_decision_depends_on_the_reason_and_earlier_failures(
    reason: Reason, lasting: bool, earlier: int, expected: RetryDecision
) -> None:
    assert decide(Failure(reason, "x", lasting), earlier, POLICY) == expected


@pytest.mark.parametrize(("jitter", "factor"), [(0.0, 0.75), (0.5, 1.0), (0.75, 1.125)])
def test_jitter_spreads_the_delay_around_its_nominal_length(jitter: float, factor: float) -> None:
    assert decide(Failure(Reason.NETWORK, ""), 0, POLICY, jitter) == waits(60 * factor)


def test_policy_of_one_try_never_waits() -> None:
    once = RetryPolicy(crash_tries=1, tries=1)
    assert all(decide(Failure(reason, ""), 0, once).state is not JobState.WAITING for reason in set(Reason) - SHORTAGES)


@pytest.mark.parametrize("reason", Reason)
def test_reasons_of_one_kind_are_counted_together(reason: Reason) -> None:
    alike = set(reasons_counted_with(reason))
    assert reason in alike
    assert all(set(reasons_counted_with(other)) == alike for other in alike)


@pytest.mark.parametrize("reason", [Reason.TIMEOUT, Reason.NO_DATA, Reason.TOOL_CRASH, Reason.DISK_LOW])
def test_failures_of_an_outage_are_no_tries_of_another_kind(reason: Reason) -> None:
    assert not {*OUTAGES, Reason.STORAGE_DENIED} & set(reasons_counted_with(reason))


WEEK = 7 * 86400.0
PATIENT_POLICY = RetryPolicy(patience=WEEK)


@pytest.mark.parametrize(
    ("reason", "earlier", "age", "state"),
    [
        (Reason.NETWORK, 100, 6 * 86400.0, JobState.WAITING),  # longer than an outage of a weekend
        (Reason.NETWORK, 170, WEEK, JobState.FAILED),
        (Reason.STORAGE_DOWN, 100, WEEK - 1, JobState.WAITING),
        (Reason.DISK_LOW, 1000, 52 * WEEK, JobState.WAITING),
        (Reason.RATE_LIMITED, 8, 52 * WEEK, JobState.WAITING),  # the clock was set forward, but ten tries must be made
        (Reason.MEMORY, 1000, 52 * WEEK, JobState.WAITING),
        (Reason.TOOL_CRASH, 2, 0.0, JobState.FAILED),
    ],
)
def test_job_is_retried_throughout_an_outage(reason: Reason, earlier: int, age: float, state: JobState) -> None:
    assert decide(Failure(reason, ""), earlier, PATIENT_POLICY, age=age).state is state


def test_no_delay_exceeds_the_maximum() -> None:
    delays = [decide(Failure(reason, ""), n, PATIENT_POLICY, 0.999).delay for reason in OUTAGES for n in range(200)]
    assert max(delays) <= PATIENT_POLICY.max_wait


@pytest.mark.parametrize(
    ("wait_until", "now", "left"),
    [(100.0, 40.0, 60.0), (100.0, 100.0, 0.0), (100.0, 1e9, 0.0), (86400.0, 40.0, 0.0)],
)
def test_wait_ends_at_once_if_the_clock_was_set_back(wait_until: float, now: float, left: float) -> None:
    assert remaining_wait(wait_until, now, POLICY) == left


@pytest.mark.parametrize(
    ("before", "work_before", "work", "crashes"), [(0, 0, 0, 1), (1, 0, 0, 2), (4, 3, 3, 5), (4, 3, 4, 1), (2, 3, 0, 3)]
)
def test_progress_resets_the_number_of_consecutive_crashes(
    before: int, work_before: int, work: int, crashes: int
) -> None:
    assert consecutive_crashes(before, work_before, work) == crashes


@pytest.mark.parametrize("reason", [Reason.NO_DATA, Reason.NOT_PUBLISHED, Reason.UNPROVABLE])
def test_run_that_ncbi_does_not_provide_yet_is_tried_days_apart(reason: Reason) -> None:
    decision = decide(Failure(reason, ""), 0, RetryPolicy(), jitter=0.5)
    assert (decision.state, decision.delay) == (JobState.WAITING, 86400.0)
    assert decide(Failure(reason, ""), 0, RetryPolicy(), jitter=0.99).delay < RetryPolicy().max_pending_wait
    assert decide(Failure(reason, ""), 9, RetryPolicy()).state is JobState.FAILED


def test_permission_that_was_lost_is_an_outage() -> None:
    """Signatures were written before, so the owner of the bucket may correct that for all jobs at once."""
    denied = Failure(Reason.STORAGE_DENIED, "the permission s3:PutObject is missing")
    assert decide(denied, 0, PATIENT_POLICY, wrote_before=True).state is JobState.WAITING
    assert decide(denied, 0, PATIENT_POLICY).state is JobState.FAILED
    assert decide(replace(denied, lasting=True), 0, PATIENT_POLICY, wrote_before=True).state is JobState.FAILED
    days = 10 * 86_400
    assert decide(denied, 1000, PATIENT_POLICY, age=days, wrote_before=True).state is JobState.FAILED
