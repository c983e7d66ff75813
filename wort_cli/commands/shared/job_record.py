"""A job as the tables of `wort status` and `wort wait` show it."""

from typing import Any

from wort_cli.commands.shared import render
from wort_cli.model.job import Job, JobKind, Progress


def job_record(job: Job) -> dict[str, Any]:
    """Return a job as a record for `render.table`."""
    progress = job.progress
    return {
        "job": job.id,
        "name": str(job.name),
        "state": str(job.state),
        "reason": str(job.reason or ""),
        "progress": progress_text(progress) if progress else "",
        "group": job.group,
        "priority": job.priority or "",
        "attempt": job.attempt or "",
        "queued": render.local_time(job.created_at),
        "ended": render.local_time(job.ended_at),
        "message": job.message,
        "kind": str(job.kind) if job.kind is not JobKind.COMPUTE else "",
    }


def progress_text(progress: Progress) -> str:
    """Return the stage of a running job, with the share of it that is done if that is known."""
    return f"{progress.fraction:.0%} {progress.stage}" if progress.total else progress.stage
