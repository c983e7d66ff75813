"""A job as the tables of `wort status` and `wort wait` show it."""

from typing import Any

from wort_cli.commands.shared import render
from wort_cli.ledger.groups import StoredMember
from wort_cli.model.job import Job, JobKind, JobState, Progress


def job_record(job: Job) -> dict[str, Any]:
    """Return a job as a record for `render.table`."""
    progress = job.progress
    return {
        "job": job.id,
        "name": str(job.name),
        "state": str(job.state),
        "reason": str(job.reason or ""),
        "progress": progress_text(progress) if progress else "",
        "groups": ",".join(job.groups),
        "priority": job.priority or "",
        "attempt": job.attempt or "",
        "queued": render.local_time(job.created_at),
        "ended": render.local_time(job.ended_at),
        "message": job.message,
        "kind": str(job.kind) if job.kind is not JobKind.COMPUTE else "",
    }


def member_record(member: StoredMember, group: str) -> dict[str, Any]:
    """Return a member of a group whose signature was there already, with the keys of `job_record`."""
    return {
        "job": None,
        "name": str(member.name),
        "state": str(JobState.DONE),
        "reason": "",
        "progress": "",
        "groups": group,
        "priority": "",
        "attempt": "",
        "queued": render.local_time(member.added_at),
        "ended": "",
        "message": "the signature was there already",
        "kind": "",
    }


def progress_text(progress: Progress) -> str:
    """Return the stage of a running job, with the share of it that is done if that is known."""
    return f"{progress.fraction:.0%} {progress.stage}" if progress.total else progress.stage
