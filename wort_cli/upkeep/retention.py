"""What is kept of jobs, and for how long: pure decisions.  '' means that something is kept, else it says why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.pipeline.workspace import PUBLISH_FAILURES

DAY = 86400.0
GRACE = 5.0
"""Seconds for which an attempt that was called off may still be at work in the job's directory."""
ATTEMPT_GRACE = 60.0
"""Seconds since the last change after which a directory of an attempt that is not the running one is nobody's."""
OUTPUT_GRACE = 3600.0
"""Seconds after which nobody waits any more for what a starting daemon says."""


@dataclass(frozen=True)
class Standing:
    """Where a job stands, as far as its files are concerned."""

    id: int
    state: JobState
    reason: Reason | None
    attempt: int
    ended_at: float | None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Standing":
        """The standing of a row of `jobs`."""
        reason = Reason(row["reason"]) if row["reason"] else None
        return cls(row["id"], JobState(row["state"]), reason, row["attempt"], row["ended_at"])

    def ended_for(self, now: float) -> float:
        """Seconds since it ended; 0 if it has not."""
        return 0.0 if self.state.is_live or self.ended_at is None else max(0.0, now - self.ended_at)


def workspace_verdict(job: Standing | None, now: float, *, has_sealed: bool, keep_sealed: float) -> str:
    """Why the workspace of a job is not kept; `keep_sealed` is in days."""
    if job is None:
        return "there is no such job"
    ended = job.ended_for(now)
    if job.state.is_live or ended < GRACE:
        return ""
    if job.state is JobState.FAILED and job.reason in PUBLISH_FAILURES and has_sealed:
        return "" if ended < keep_sealed * DAY else f"its signature could not be published for {keep_sealed:g} days"
    return f"the job is {job.state}"


def attempt_verdict(job: Standing, attempt: int, unchanged: float) -> str:
    """Why the directory of one attempt at a live job is not kept; `unchanged` is the seconds since its last change."""
    runs = job.state is JobState.RUNNING and attempt >= job.attempt
    return "" if runs or unchanged < ATTEMPT_GRACE else f"attempt {attempt} has ended"


def log_verdict(job: Standing | None, now: float, unchanged: float, keep_logs: float) -> str:
    """Why the log of a job is not kept; `unchanged` is the seconds since it was written, `keep_logs` is in days."""
    if job is None:
        return f"there is no such job, and it is older than {keep_logs:g} days" if unchanged > keep_logs * DAY else ""
    return f"the job ended more than {keep_logs:g} days ago" if job.ended_for(now) > keep_logs * DAY else ""


def copies_to_remove(names: list[str], keep: int) -> list[str]:
    """Which of the daemon's copies of the ledger are too many; their names tell their age."""
    return sorted(names)[: max(0, len(names) - max(1, keep))]


def copy_is_due(newest: float | None, now: float, hours: float) -> bool:
    """Whether the ledger is to be copied, by the time of the newest copy; one of the future is a jump of the clock."""
    return newest is None or not 0 <= now - newest < hours * 3600
