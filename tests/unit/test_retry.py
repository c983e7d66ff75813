"""Whether a job is tried again, and when, is a table."""

import pytest

from wort_cli.failure import Failure, Reason
from wort_cli.job import JobState
from wort_cli.retry import CRASHES, SHORTAGES, RetryPolicy, Verdict, decide, reasons_like

POLICY = RetryPolicy(crash_tries=3, crash_delay=2.0, tries=10, delay=60.0, longest=3600.0)
GIVEN_UP = Verdict(JobState.FAILED)
UNAVAILABLE = Verdict(JobState.UNAVAILABLE)


def waits(seconds: float) -> Verdict:
    return Verdict(JobState.WAITING, seconds)


@pytest.mark.parametrize(
    ("reason", "lasting", "earlier", "expected"),
    [
        (Reason.NOT_FOUND, False, 0, UNAVAILABLE),
        (Reason.CONTROLLED, False, 0, UNAVAILABLE),
        (Reason.WITHDRAWN, False, 5, UNAVAILABLE),
        (Reason.NO_READS, True, 0, UNAVAILABLE),
        (Reason.CORRUPT, False, 0, GIVEN_UP),
        (Reason.TOOL_MISSING, False, 0, GIVEN_UP),
        (Reason.STORAGE_DENIED, False, 0, GIVEN_UP),
        (Reason.PARAMS_MISMATCH, False, 0, GIVEN_UP),
        (Reason.NETWORK, False, 0, waits(60)),
        (Reason.NETWORK, False, 1, waits(120)),
        (Reason.NETWORK, False, 2, waits(240)),
        (Reason.RATE_LIMITED, False, 5, waits(1920)),
        (Reason.DISK_LOW, False, 0, waits(60)),
        (Reason.DISK_LOW, False, 6, waits(600)),
        (Reason.DISK_LOW, False, 10_000, waits(600)),
        (Reason.DISK_LOW, True, 0, GIVEN_UP),
        (Reason.STORAGE_DOWN, False, 8, waits(3600)),
        (Reason.MEMORY, False, 9, waits(600)),
        (Reason.NETWORK, False, 1000, GIVEN_UP),
        (Reason.NETWORK, True, 0, GIVEN_UP),
        (Reason.TOOL_CRASH, False, 0, waits(2)),
        (Reason.TOOL_CRASH, False, 1, waits(4)),
        (Reason.TOOL_CRASH, False, 2, GIVEN_UP),
        (Reason.INTERRUPTED, False, 1, waits(4)),
        (Reason.INTERRUPTED, False, 2, GIVEN_UP),
        (Reason.INCOMPLETE, False, 0, waits(2)),
        (Reason.INCOMPLETE, False, 2, GIVEN_UP),
        (Reason.INCOMPLETE, True, 0, GIVEN_UP),
        (Reason.READS_SHORTER_THAN_K, False, 0, GIVEN_UP),
    ],
)
def test_the_verdict_follows_from_the_reason_and_the_failures_before(
    reason: Reason, lasting: bool, earlier: int, expected: Verdict
) -> None:
    assert decide(Failure(reason, "x", lasting), earlier, POLICY) == expected


@pytest.mark.parametrize(("jitter", "factor"), [(0.0, 0.75), (0.5, 1.0), (0.75, 1.125)])
def test_the_jitter_spreads_the_delay_around_its_nominal_length(jitter: float, factor: float) -> None:
    assert decide(Failure(Reason.NETWORK, ""), 0, POLICY, jitter) == waits(60 * factor)


def test_a_policy_of_one_try_never_waits() -> None:
    once = RetryPolicy(crash_tries=1, tries=1)
    assert all(decide(Failure(reason, ""), 0, once).state is not JobState.WAITING for reason in set(Reason) - SHORTAGES)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_counted_with_its_like(reason: Reason) -> None:
    alike = set(reasons_like(reason))
    assert reason in alike
    assert alike in (CRASHES, SHORTAGES, set(Reason) - CRASHES - SHORTAGES)
