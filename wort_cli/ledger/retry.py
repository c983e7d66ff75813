"""Retry: whether a job that failed is tried again, and when.  A pure decision, made from the failure and its history.

Failures that may pass are retried with exponential backoff, by kind:
- CRASHES, on this machine: 3 tries, seconds apart.  After that, the cause is the job or the machine.
- OUTAGES, of a server or of this machine: for days (`retry_for`), so that an outage of a weekend costs no job.
- SHORTAGES, of disk space, memory or valid credentials: without limit, until there is enough.
- PENDING at NCBI, which may take weeks: 10 tries, days apart.
- Others, such as a timeout: 10 tries.
"""

from dataclasses import dataclass

from wort_cli.model.failure import Disposition, Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.settings import Settings

CRASHES = frozenset({Reason.TOOL_CRASH, Reason.INCOMPLETE, Reason.INTERRUPTED, Reason.BAD_RESULT})
"""Failures on this machine that a second try may avoid."""
OUTAGES = frozenset(
    {
        Reason.NETWORK,
        Reason.RATE_LIMITED,
        Reason.LOCATOR_REFUSED,
        Reason.REFERENCE_MISSING,
        Reason.STORAGE_DOWN,
        Reason.DISK_ERROR,
        Reason.MACHINE_ERROR,
    }
)
"""Failures that have nothing to do with the job, and pass when a server or a machine is repaired."""
PENDING = frozenset({Reason.NO_DATA, Reason.NOT_PUBLISHED, Reason.UNPROVABLE})
"""Runs that NCBI has announced but does not provide yet, or not with an md5."""
SPREAD = 0.25
"""Jitter: delays vary by this fraction, so that jobs that failed together are not retried together."""
SHORTAGES = frozenset({Reason.DISK_LOW, Reason.MEMORY, Reason.STORAGE_CREDENTIALS})
"""Reasons for which this machine lacks a resource at the moment.  They do not count as tries."""

KINDS = (CRASHES, OUTAGES | {Reason.STORAGE_DENIED}, SHORTAGES, PENDING)
"""Denied access is among the outages, because it is one if it was granted before."""
OTHERS = frozenset(Reason).difference(*KINDS)


@dataclass(frozen=True)
class RetryPolicy:
    """The number of tries of a job, and the delays between them: seconds, doubled each time up to `max_delay`.

    A job is retried during an outage for `patience` seconds, and at least `tries` times: the second condition keeps a
    clock that is set forward from failing the job.
    """

    crash_tries: int = 3
    crash_delay: float = 2.0
    tries: int = 10
    delay: float = 60.0
    max_delay: float = 3600.0
    max_shortage_delay: float = 600.0
    """Longest delay between tries while disk or memory is short, in seconds.  Such tries are not counted."""
    pending_delay: float = 86_400.0
    """Delay between tries of a run that NCBI does not provide yet, in seconds."""
    patience: float = 0.0
    daemon_crashes: int = 5
    """Consecutive deaths of the daemon while a job runs and makes no progress, after which the job is tried alone, or
    set aside if it ran alone and memory ran out.
    """

    @classmethod
    def of(cls, settings: Settings) -> "RetryPolicy":
        """Return the policy that the settings describe."""
        return cls(delay=settings.retry_delay, patience=settings.retry_for, daemon_crashes=settings.daemon_crashes)

    @property
    def max_wait(self) -> float:
        """Longest delay of a job, in seconds, with jitter, unless its run is pending."""
        return max(self.max_delay, self.max_shortage_delay) * (1 + SPREAD)

    @property
    def max_pending_wait(self) -> float:
        """Longest delay of any job, in seconds, with jitter."""
        return max(self.max_wait, self.pending_delay * (1 + SPREAD))


@dataclass(frozen=True)
class RetryDecision:
    """The next state of a job; `delay` is how many seconds a waiting job waits."""

    state: JobState
    delay: float = 0.0
    set_aside: bool = False
    """Whether the job fails because its worker process dies each time."""


def reasons_counted_with(reason: Reason) -> list[Reason]:
    """Return the reasons of the kind of `reason`, whose failures are counted together.

    The failures of a long outage are no tries of another kind: the first timeout after them does not end the job.
    """
    return [other for other in Reason if kind_of(other) is kind_of(reason)]


def kind_of(reason: Reason) -> frozenset[Reason]:
    """Return the reasons that are of one kind with `reason`; those of no other kind are the last one."""
    return next((kind for kind in KINDS if reason in kind), OTHERS)


def decide(
    failure: Failure,
    earlier_failures: int,
    policy: RetryPolicy,
    jitter: float = 0.5,
    age: float = 0.0,
    *,
    wrote_before: bool = False,
) -> RetryDecision:
    """Decide the next state of a job after `failure`.

    earlier_failures: failures of the same kind before this one, since the job was last requested
    age: seconds since the first of them
    jitter: a random number in [0, 1), which spreads the delay over 75 to 125 % of its nominal length
    wrote_before: whether signatures were written to the store before, so that denied access is an outage
    """
    if failure.disposition is Disposition.UNAVAILABLE:
        return RetryDecision(JobState.UNAVAILABLE)
    if failure.disposition is Disposition.RETRY and failure.reason in SHORTAGES:
        pause: float = min(policy.max_shortage_delay, policy.delay * 2.0 ** min(earlier_failures, 30))
        return RetryDecision(JobState.WAITING, pause * (1 - SPREAD + 2 * SPREAD * jitter))
    lost_permission = is_lost_permission(failure, wrote_before=wrote_before)
    outage = failure.reason in OUTAGES or lost_permission
    crash = failure.reason in CRASHES
    tries, first = (policy.crash_tries, policy.crash_delay) if crash else (policy.tries, policy.delay)
    exhausted = earlier_failures + 1 >= tries and (not outage or age >= policy.patience)
    if exhausted or not (lost_permission or failure.disposition is Disposition.RETRY):
        return RetryDecision(JobState.FAILED, set_aside=exhausted and failure.reason is Reason.INTERRUPTED)
    if failure.reason in PENDING:
        return RetryDecision(JobState.WAITING, policy.pending_delay * (1 - SPREAD + 2 * SPREAD * jitter))
    nominal: float = min(policy.max_delay, first * 2.0 ** min(earlier_failures, 30))
    return RetryDecision(JobState.WAITING, nominal * (1 - SPREAD + 2 * SPREAD * jitter))


def is_lost_permission(failure: Failure, *, wrote_before: bool) -> bool:
    """Return whether a store that could be written denies access; its owner may correct that for all jobs at once."""
    return failure.reason is Reason.STORAGE_DENIED and wrote_before and not failure.lasting


def consecutive_crashes(before: int, work_before: int, work: int) -> int:
    """Return the number of consecutive crashes in which a job made no progress, including this crash.

    before: the number at the previous crash
    work_before, work: finished work of the job, at the previous crash and now
    """
    return 1 if work > work_before else before + 1


def remaining_wait(wait_until: float, now: float, policy: RetryPolicy) -> float:
    """Return the seconds that a job still waits; 0 if `wait_until` is too far off because the clock was set back.

    The run of the job is not pending.
    """
    left = wait_until - now
    return left if 0 < left <= policy.max_wait else 0.0
