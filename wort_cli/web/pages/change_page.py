"""The page that asks whether to cancel or to retry the jobs that a filter selects, and says how many there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.web.access_file import Right


@dataclass(frozen=True)
class Change:
    """A change of jobs; `states` are those of the jobs to which it applies."""

    right: Right
    verb: str
    done_one: str
    done_many: str
    why_not: str
    states: tuple[JobState, ...]

    @property
    def name(self) -> str:
        """The word in the path."""
        return str(self.right)

    def filters(self, job_filter: JobFilter) -> Sequence[JobFilter]:
        """Return the filters that select those of the filter's jobs that it can be done to."""
        states = self.states if job_filter.state is None else (job_filter.state,)
        return [replace(job_filter, state=state) for state in self.states if state in states]


CHANGES = {
    "cancel": Change(
        Right.CANCEL, "Cancel", "was cancelled", "were cancelled", "it has ended",
        (JobState.QUEUED, JobState.WAITING, JobState.RUNNING),
    ),
    "retry": Change(
        Right.RETRY, "Retry", "is queued again", "are queued again", "it is under way, is done, or has a newer job",
        (JobState.FAILED, JobState.UNAVAILABLE, JobState.WAITING, JobState.CANCELLED),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ChangePage:
    """The question."""

    change: Change
    state: str
    reason: str
    group: str
    counts: tuple[tuple[str, int], ...]
    """The number of jobs of each state that would be changed."""

    @property
    def jobs(self) -> int:
        """The number of jobs that would be changed."""
        return sum(n for _, n in self.counts)

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return {
            "change": self.change.name,
            "state": self.state,
            "reason": self.reason,
            "group": self.group,
            "jobs": self.jobs,
            "counts": dict(self.counts),
        }


def change_page(ledger: Ledger, change: Change, job_filter: JobFilter) -> ChangePage:
    """Return the page."""
    counts = [(str(one.state), ledger.job_pages.count(one)) for one in change.filters(job_filter)]
    return ChangePage(
        change,
        str(job_filter.state or ""),
        str(job_filter.reason or ""),
        job_filter.group,
        tuple((state, n) for state, n in counts if n),
    )
