"""Cancels jobs and queues them again, and says how the selected jobs were before."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from wort_cli.errors import UsageError, shown
from wort_cli.ledger.jobs import JobFilter
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.settings import Settings


@dataclass(frozen=True)
class Changed:
    """The number of jobs that were changed, and of selected jobs in each state before."""

    number: int
    before: Mapping[JobState, int]


def cancel_jobs(ledger: Ledger, settings: Settings, job_ids: Collection[int]) -> Changed:
    """Cancel those jobs that have not ended, and remove the workspaces of those that did not run.

    The process that runs a job stops its attempt, and removes that job's workspace.
    """
    from wort_cli.upkeep.ended_workspace import remove_ended_workspace

    selected = list(job_ids)
    before = ledger.jobs.states_among(selected)
    with_workspace = [job_id for job_id in selected if settings.workspace(job_id).exists()]
    idle = [job.id for job in ledger.jobs.with_ids(with_workspace) if job.state in (JobState.QUEUED, JobState.WAITING)]
    number = ledger.jobs.cancel(selected)
    for job_id in idle:
        remove_ended_workspace(job_id, ledger, settings)
    return Changed(number, before)


def retry_jobs(ledger: Ledger, job_ids: Collection[int]) -> Changed:
    """Queue those jobs again that failed, are unavailable, wait for a later attempt, or were cancelled."""
    before = ledger.jobs.states_among(job_ids)
    return Changed(ledger.jobs.retry(job_ids), before)


def filtered_job_ids(ledger: Ledger, job_filter: JobFilter) -> list[int]:
    """Return the jobs that a filter selects, oldest first.  Raises UsageError if it names a group without members."""
    check_group(ledger, job_filter.group)
    return ledger.jobs.ids(job_filter)


def check_group(ledger: Ledger, group: str) -> None:
    """Raise UsageError if a group was named that has no members; the error has the nearest name."""
    if not group:
        return
    groups = ledger.groups.sizes()
    if group not in groups:
        import difflib

        near = difflib.get_close_matches(group, groups, 1)
        hint = f"did you mean {shown(near[0])}?" if near else "`wort compute -g NAME` puts runs into a group"
        raise UsageError(f"there is no group {shown(group)}", hint)
