"""Jobs as commands print them."""

from pathlib import Path
from typing import Any

from wort_cli.commands.shared.showing.fields import (
    BYTES,
    ID,
    JOB,
    MESSAGE,
    NOT_ZERO,
    NUMBER,
    PATH,
    PATH_FIELD,
    SECONDS,
    SHARE,
    TEXT,
    TIME,
    Field,
    Kind,
    list_of,
    one_of,
)
from wort_cli.ledger.groups import StoredMember
from wort_cli.model.failure import Reason
from wort_cli.model.job import Job, JobKind, JobState, Progress
from wort_cli.model.units import format_share, iso_time

BAR_WIDTH = 10
"""Characters of a bar."""
PROGRESS = Kind(SHARE.schema, lambda fraction: f"{bar(fraction)} {format_share(fraction):>4}", kept=True)
KIND = Kind(one_of(JobKind).schema, lambda kind: "" if kind == JobKind.COMPUTE else kind)
STATE = Field("state", one_of(JobState), "The state of the job")
REASON = Field("reason", one_of(Reason), "Why there is no signature, or not yet", optional=True)
GROUPS = Field("groups", list_of(TEXT), "The groups of the job")
JOB_FIELDS = (
    Field("job", JOB, "The number of the job; null if none was needed, because the signature was there", optional=True),
    Field("name", ID, "The name of the signature: an accession, or a local name"),
    STATE,
    REASON,
    Field("stage", TEXT, "What the running attempt is doing", optional=True),
    Field("progress", PROGRESS, "The fraction of the stage that is done", optional=True),
    Field("remaining", SECONDS, "An estimate of the time until the stage ends", optional=True, title="left"),
    Field("position", NUMBER, "The place in the queue, from 1, of the jobs that start next", optional=True),
    GROUPS,
    Field("priority", NOT_ZERO, "Jobs with a higher priority start first"),
    Field("attempt", NOT_ZERO, "The number of the current or last attempt"),
    Field("size", BYTES, "The size of the archive, if a path was given", optional=True),
    Field("queued_at", TIME, "When the job was queued first"),
    Field("started_at", TIME, "When the current or last attempt started", optional=True),
    Field("ended_at", TIME, "When the job ended", optional=True),
    Field("wait_until", TIME, "When a waiting job is tried again", optional=True),
    MESSAGE,
    Field("kind", KIND, "Whether the job computes or verifies a signature"),
    Field("profile", TEXT, "The profile of the signature"),
    Field("archive", PATH, "The archive, if a path was given", optional=True),
    PATH_FIELD,
)


def job_record(job: Job, store: Path, position: int | None = None) -> dict[str, Any]:
    """Return a job with the keys of JOB_FIELDS; `store` is the root of the local store."""
    running = job.progress if job.state is JobState.RUNNING else None
    return {
        "job": job.id,
        "name": str(job.name),
        "state": str(job.state),
        "reason": str(job.reason) if job.reason else None,
        "stage": running.stage if running else None,
        "progress": round(running.fraction, 4) if running and running.total else None,
        "remaining": remaining(running),
        "position": position,
        "groups": list(job.groups),
        "priority": job.priority,
        "attempt": job.attempt,
        "size": sum(filter(None, map(size_of, job.source.files))) or None,
        "queued_at": iso_time(job.created_at),
        "started_at": iso_time(job.started_at),
        "ended_at": iso_time(job.ended_at),
        "wait_until": iso_time(job.wait_until) if job.state is JobState.WAITING else None,
        "message": job.message or None,
        "kind": str(job.kind),
        "profile": job.profile,
        "archive": str(job.source) if job.source.location else None,
        "path": path_of(job, store),
    }


def member_record(member: StoredMember, group: str, store: Path) -> dict[str, Any]:
    """Return a member of a group whose signature was there already, with the same keys."""
    return {
        **dict.fromkeys(field.key for field in JOB_FIELDS),
        "name": str(member.name),
        "state": str(JobState.DONE),
        "groups": [group],
        "priority": 0,
        "attempt": 0,
        "queued_at": iso_time(member.added_at),
        "message": "the signature was there already",
        "kind": str(JobKind.COMPUTE),
        "profile": member.profile,
        "path": str(store / member.path) if member.path else member.remote or None,
    }


def path_of(job: Job, store: Path) -> str | None:
    """Return where the signature of a job is; None if there is none."""
    if job.kind is JobKind.VERIFY:
        return str(store / job.subject)
    return str(store / job.path) if job.path else job.remote or None


def size_of(archive: Path | None) -> int | None:
    """Return the size of an archive; None if it is not a file here."""
    try:
        return archive.stat().st_size if archive else None
    except OSError:
        return None


def remaining(progress: Progress | None) -> float | None:
    """Return an estimate of the seconds until the stage ends; None if that is unknown."""
    seconds = progress.seconds_left if progress else None
    return None if seconds is None else round(seconds, 1)


def bar(fraction: float) -> str:
    """Return a bar of BAR_WIDTH characters, filled to a fraction."""
    full = int(fraction * BAR_WIDTH)
    return "\u2501" * full + "\u2500" * (BAR_WIDTH - full)
