"""What becomes of a job that did not succeed: a pure decision of the failure and how often the job failed before."""

from dataclasses import dataclass

from wort_cli.failure import Disposition, Failure, Reason
from wort_cli.job import JobState

CRASHES = frozenset({Reason.TOOL_CRASH, Reason.INCOMPLETE, Reason.INTERRUPTED})
"""Mishaps of this machine: the next try may follow soon, and three of them mean that it is no accident."""


SHORTAGES = frozenset({Reason.DISK_LOW, Reason.MEMORY})
"""What this machine lacks just now: the job is none the worse for it, and waits for as long as that takes."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often a job is tried, and how long it waits in between (seconds; doubled each time up to `longest`)."""

    crash_tries: int = 3
    crash_delay: float = 2.0
    tries: int = 10
    delay: float = 60.0
    longest: float = 3600.0
    longest_shortage: float = 600.0
    """Seconds between tries while disk or memory is short, at the most; such tries are not counted."""


@dataclass(frozen=True)
class Verdict:
    """The state a job goes to; `delay` is the seconds it waits there, of a waiting job only."""

    state: JobState
    delay: float = 0.0


def reasons_like(reason: Reason) -> list[Reason]:
    """The reasons that are counted together: mishaps of this machine, its shortages, or all that may pass elsewhere."""
    return [
        other for other in Reason if (other in CRASHES, other in SHORTAGES) == (reason in CRASHES, reason in SHORTAGES)
    ]


def decide(failure: Failure, earlier_failures: int, policy: RetryPolicy, jitter: float = 0.5) -> Verdict:
    """Where the job goes that met `failure` after `earlier_failures` like it; `jitter` is a random number of [0, 1).

    The delay is spread over 75 to 125 % of its nominal length, so that jobs that failed together don't return together.
    """
    if failure.disposition is Disposition.UNAVAILABLE:
        return Verdict(JobState.UNAVAILABLE)
    if failure.disposition is Disposition.RETRY and failure.reason in SHORTAGES:
        pause: float = min(policy.longest_shortage, policy.delay * 2.0 ** min(earlier_failures, 30))
        return Verdict(JobState.WAITING, pause * (0.75 + jitter / 2))
    crash = failure.reason in CRASHES
    tries, first = (policy.crash_tries, policy.crash_delay) if crash else (policy.tries, policy.delay)
    if failure.disposition is not Disposition.RETRY or earlier_failures + 1 >= tries:
        return Verdict(JobState.FAILED)
    nominal: float = min(policy.longest, first * 2.0 ** min(earlier_failures, 30))
    return Verdict(JobState.WAITING, nominal * (0.75 + jitter / 2))
