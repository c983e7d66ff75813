"""Retention: pure decisions on which files of jobs are kept, and for how long.

Each function returns why a file or directory is to be removed; empty if it is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.pipeline.workspace import PUBLISH_FAILURES

DAY = 86400.0
GRACE = 5.0
"""Seconds for which a cancelled attempt may still be using the job's directory."""
ATTEMPT_GRACE = 60.0
"""Seconds since its last change after which the directory of an earlier attempt is abandoned."""
OUTPUT_GRACE = 3600.0
"""Seconds after which no `wort daemon start` waits any more for the output of the daemon that it started."""


@dataclass(frozen=True)
class JobSummary:
    """The properties of a job on which the retention of its files depends."""

    id: int
    state: JobState
    reason: Reason | None
    attempt: int
    ended_at: float | None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "JobSummary":
        """Return the summary of a row of `jobs`."""
        reason = Reason(row["reason"]) if row["reason"] else None
        return cls(row["id"], JobState(row["state"]), reason, row["attempt"], row["ended_at"])

    def seconds_since_end(self, now: float) -> float:
        """Return the seconds since the job ended; 0 if it has not ended."""
        return 0.0 if self.state.is_live or self.ended_at is None else max(0.0, now - self.ended_at)


def why_remove_workspace(job: JobSummary | None, now: float, *, has_sealed: bool, keep_sealed: float) -> str:
    """Return why the workspace of a job is to be removed; `keep_sealed` is in days."""
    if job is None:
        return "there is no such job"
    ended = job.seconds_since_end(now)
    if job.state.is_live or ended < GRACE:
        return ""
    if job.state is JobState.FAILED and job.reason in PUBLISH_FAILURES and has_sealed:
        return "" if ended < keep_sealed * DAY else f"its signature could not be published for {keep_sealed:g} days"
    return f"the job is {job.state}"


def why_remove_attempt(job: JobSummary, attempt: int, unchanged: float) -> str:
    """Return why the directory of an attempt of a live job is to be removed; `unchanged` is its age in seconds."""
    is_running = job.state is JobState.RUNNING and attempt >= job.attempt
    return "" if is_running or unchanged < ATTEMPT_GRACE else f"attempt {attempt} has ended"


def why_remove_log(job: JobSummary | None, now: float, unchanged: float, keep_logs: float) -> str:
    """Return why the log of a job is to be removed; `unchanged` is its age in seconds, `keep_logs` is in days."""
    if job is None:
        return f"there is no such job, and it is older than {keep_logs:g} days" if unchanged > keep_logs * DAY else ""
    too_old = job.seconds_since_end(now) > keep_logs * DAY
    return f"the job ended more than {keep_logs:g} days ago" if too_old else ""


def backups_to_remove(names: list[str], keep: int) -> list[str]:
    """Return the oldest of the daemon's backups, all except `keep`; the names contain the time."""
    return sorted(names)[: max(0, len(names) - max(1, keep))]


def backup_is_due(newest: float | None, now: float, hours: float) -> bool:
    """Return whether it is time for a backup; `newest` is the time of the last one.

    A backup is due, too, if the last one is from the future, because the clock was set back.
    """
    return newest is None or not 0 <= now - newest < hours * 3600
