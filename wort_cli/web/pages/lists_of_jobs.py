"""The queue: jobs that are selected by state, reason and group, a page at a time."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wort_cli.errors import UsageError, shown
from wort_cli.ledger.jobs import MAX_ID, JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.web.pages.daemon_view import DaemonView
from wort_cli.web.pages.job_view import JobView

ROWS = 50
"""Jobs of a page."""
RUNNING_ROWS = 20
"""Running jobs that are shown with their progress."""
MAX_GROUP = 200
"""Characters of the name of a group that are looked at."""


@dataclass(frozen=True)
class QueuePage:
    """The queue."""

    daemon: DaemonView
    state: str
    reason: str
    group: str
    before: int | None
    """The page has jobs with lower numbers than this."""
    selected: int
    """The number of jobs that the filters select."""
    running: tuple[JobView, ...]
    jobs: tuple[JobView, ...]
    next_before: int | None
    """`before` of the next page; None on the last one."""
    newer_before: int | None
    """`before` of the page of newer jobs; None if that is the first page, or this one is."""
    reasons: tuple[str, ...]
    """The reasons that some jobs have."""
    groups: tuple[str, ...]

    @property
    def is_live(self) -> bool:
        """Whether the page will soon show something else; older jobs change less."""
        return self.before is None and self.daemon.live > 0

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return asdict(self)


def parse_filter(given: Mapping[str, str]) -> JobFilter:
    """Return the filter in the query of a URL.  Raises UsageError if a value is invalid."""
    state, reason = given.get("state", ""), given.get("reason", "")
    if state and state not in set(JobState):
        raise UsageError(f"there is no state {shown(state)}", f"the states are {', '.join(JobState)}")
    if reason and reason not in set(Reason):
        raise UsageError(f"there is no reason {shown(reason)}", "the queue lists the reasons that there are")
    return JobFilter(
        JobState(state) if state else None, Reason(reason) if reason else None, given.get("group", "")[:MAX_GROUP]
    )


def parse_before(text: str) -> int | None:
    """Return the number before which a page starts; None for the newest.  Raises UsageError if it is not a number."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= MAX_ID):
        raise UsageError(f"there is no job {shown(text)}", "start again at the newest jobs")
    return int(text)


def queue_page(ledger: Ledger, daemon: DaemonView, job_filter: JobFilter, before: int | None) -> QueuePage:
    """Return a page of the queue."""
    newer = ledger.job_pages.newer(job_filter, ROWS + 1, before) if before else []
    jobs = ledger.job_pages.page(job_filter, ROWS + 1, before or MAX_ID)
    running = JobFilter(JobState.RUNNING, group=job_filter.group)
    return QueuePage(
        daemon=daemon,
        state=str(job_filter.state or ""),
        reason=str(job_filter.reason or ""),
        group=job_filter.group,
        before=before,
        selected=ledger.job_pages.count(job_filter),
        running=running_jobs(ledger, running),
        jobs=tuple(JobView.of(job) for job in jobs[:ROWS]),
        next_before=jobs[ROWS - 1].id if len(jobs) > ROWS else None,
        newer_before=newer[ROWS] if len(newer) > ROWS else None,
        reasons=tuple(sorted({reason for count in daemon.counts for reason, _ in count.reasons})),
        groups=tuple(ledger.groups.sizes()),
    )


def running_jobs(ledger: Ledger, job_filter: JobFilter) -> tuple[JobView, ...]:
    """Return running jobs with their progress, the oldest first."""
    return tuple(JobView.of(job) for job in reversed(ledger.job_pages.page(job_filter, RUNNING_ROWS)))
