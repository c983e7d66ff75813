"""What becomes of a job that did not succeed: a pure decision of the failure, how often and for how long it went so.

Four kinds of trouble that may pass are told apart.  Mishaps of this machine: the next try may follow soon, and three
of them are no accident.  What took too long: ten times.  Trouble elsewhere, and a disk that is breaking: for days, for
an outage of a weekend must not cost a job, and nobody must have to watch.  What is short here: for as long as it is.
"""

from dataclasses import dataclass

from wort_cli.model.failure import Disposition, Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.settings import Settings

CRASHES = frozenset({Reason.TOOL_CRASH, Reason.INCOMPLETE, Reason.INTERRUPTED})
"""Mishaps of this machine: the next try may follow soon, and three of them mean that it is no accident."""
OUTAGES = frozenset({Reason.NETWORK, Reason.RATE_LIMITED, Reason.STORAGE_DOWN, Reason.DISK_ERROR})
"""Trouble that is none of the job's, and that is going to pass when somebody mends it."""
SPREAD = 0.25
"""Delays are spread by this share, so that jobs that failed together don't return together."""


SHORTAGES = frozenset({Reason.DISK_LOW, Reason.MEMORY})
"""What this machine lacks just now: the job is none the worse for it, and waits for as long as that takes."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often a job is tried, and how long it waits in between (seconds; doubled each time up to `max_delay`).

    Trouble that is OUTAGES is met for `patience` seconds, and `tries` times at the least: a clock that is set forward
    must not end it.
    """

    crash_tries: int = 3
    crash_delay: float = 2.0
    tries: int = 10
    delay: float = 60.0
    max_delay: float = 3600.0
    max_shortage_delay: float = 600.0
    """Seconds between tries while disk or memory is short, at the most; such tries are not counted."""
    patience: float = 0.0
    daemon_crashes: int = 5
    """Crashes of the daemon, one after the other, in which a job may have been running and come no further."""

    @classmethod
    def of(cls, settings: Settings) -> "RetryPolicy":
        """The policy of these settings."""
        return cls(delay=settings.retry_delay, patience=settings.retry_for, daemon_crashes=settings.daemon_crashes)

    @property
    def max_wait(self) -> float:
        """No job waits for longer than so many seconds."""
        return self.max_delay * (1 + SPREAD)


@dataclass(frozen=True)
class RetryDecision:
    """The state a job goes to; `delay` is the seconds it waits there, of a waiting job only."""

    state: JobState
    delay: float = 0.0
    set_aside: bool = False
    """Whether it is given up because what works on it ends each time."""


def reasons_counted_with(reason: Reason) -> list[Reason]:
    """The reasons that are counted together: mishaps of this machine, its shortages, or all that may pass elsewhere."""
    return [
        other for other in Reason if (other in CRASHES, other in SHORTAGES) == (reason in CRASHES, reason in SHORTAGES)
    ]


def decide(
    failure: Failure, earlier_failures: int, policy: RetryPolicy, jitter: float = 0.5, age: float = 0.0
) -> RetryDecision:
    """Where the job goes that met `failure` after `earlier_failures` like it, the first of them `age` seconds ago.

    `jitter` is a random number of [0, 1); the delay is spread over 75 to 125 % of its nominal length.
    """
    if failure.disposition is Disposition.UNAVAILABLE:
        return RetryDecision(JobState.UNAVAILABLE)
    if failure.disposition is Disposition.RETRY and failure.reason in SHORTAGES:
        pause: float = min(policy.max_shortage_delay, policy.delay * 2.0 ** min(earlier_failures, 30))
        return RetryDecision(JobState.WAITING, pause * (1 - SPREAD + 2 * SPREAD * jitter))
    crash = failure.reason in CRASHES
    tries, first = (policy.crash_tries, policy.crash_delay) if crash else (policy.tries, policy.delay)
    spent = earlier_failures + 1 >= tries and (failure.reason not in OUTAGES or age >= policy.patience)
    if failure.disposition is not Disposition.RETRY or spent:
        return RetryDecision(JobState.FAILED, set_aside=spent and failure.reason is Reason.INTERRUPTED)
    nominal: float = min(policy.max_delay, first * 2.0 ** min(earlier_failures, 30))
    return RetryDecision(JobState.WAITING, nominal * (1 - SPREAD + 2 * SPREAD * jitter))


def consecutive_crashes(before: int, work_before: int, work: int) -> int:
    """How often a daemon crashed at a job that came no further: `before` times, and now once more.

    `work_before` and `work` say how much of the job is finished for good: at the crash before, and now.
    """
    return 1 if work > work_before else before + 1


def remaining_wait(wait_until: float, now: float, policy: RetryPolicy) -> float:
    """Seconds that a job still waits; a time that is too far off is of a clock that was set back since: none."""
    left = wait_until - now
    return left if 0 < left <= policy.max_wait else 0.0
