"""Forgets jobs that have ended: their events go to a file, then their rows are deleted.

The file, logs/forgotten.jsonl, has one JSON document for each job and is only appended to.  It is written before the
rows are deleted, so that a crash in between leaves a job in both.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from wort_cli.ledger.jobs import batches
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Failure
from wort_cli.model.job import Job, JobState
from wort_cli.pipeline.workspace import may_be_published
from wort_cli.settings import Settings
from wort_cli.system.private_files import make_private
from wort_cli.upkeep.ended_workspace import remove_ended_workspace


@dataclass
class Forgotten:
    """The numbers of jobs that were, or would be, forgotten or kept."""

    forgotten: int = 0
    absences: int = 0
    """Forgotten ones that were the last record of why a run has no signature."""
    verdicts: int = 0
    """Forgotten ones that had the details of a verification."""
    live: int = 0
    """Kept ones that have not ended."""
    unpublished: int = 0
    """Kept ones whose signature is sealed and waits to be published."""


def forget(
    job_ids: Iterable[int], ended_before: float, ledger: Ledger, settings: Settings, *, dry_run: bool
) -> Forgotten:
    """Forget the jobs that ended before a time, in seconds since 1970, or say what would be forgotten.

    Raises OSError if the file cannot be written; jobs that are not in it are not forgotten then.
    """
    done = Forgotten()
    for batch in batches(job_ids):
        found = sorted(ledger.jobs.with_ids(batch), key=lambda job: job.id)
        jobs = [job for job in found if is_wanted(job, ended_before, settings, done)]
        for job in jobs:
            done.absences += job.state in (JobState.FAILED, JobState.UNAVAILABLE) and is_last_word(job, ledger)
            done.verdicts += job.verdict is not None
        if dry_run or not jobs:
            done.forgotten += len(jobs)
            continue
        archive_jobs(jobs, ledger, settings)
        for job in jobs:
            remove_ended_workspace(job.id, ledger, settings)
        done.forgotten += ledger.jobs.forget([job.id for job in jobs])
    return done


def is_wanted(job: Job, ended_before: float, settings: Settings, done: Forgotten) -> bool:
    """Return whether a job can be forgotten, and count it if it must be kept."""
    if job.state.is_live:
        done.live += 1
        return False
    failure = Failure(job.reason, job.message) if job.reason else None
    if may_be_published(settings.workspace(job.id), failure):
        done.unpublished += 1
        return False
    return (job.ended_at or 0.0) < ended_before


def is_last_word(job: Job, ledger: Ledger) -> bool:
    """Return whether a job is the newest of its name, and the catalog has no such signature."""
    newest = ledger.jobs.named(job.name)[0]
    return newest.id == job.id and ledger.catalog.get(job.name, job.profile) is None


def archive_jobs(jobs: Iterable[Job], ledger: Ledger, settings: Settings) -> None:
    """Append jobs with their events to the file, and sync it."""
    make_private(settings.forgotten_log.parent)
    descriptor = os.open(settings.forgotten_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        for job in jobs:
            record = {
                "job": job.id,
                "name": str(job.name),
                "profile": job.profile,
                "kind": str(job.kind),
                "groups": list(job.groups),
                "state": str(job.state),
                "reason": str(job.reason or ""),
                "message": job.message,
                "created_at": job.created_at,
                "ended_at": job.ended_at,
                "verdict": str(job.verdict or ""),
                "events": [asdict(event) for event in ledger.jobs.events(job.id)],
            }
            file.write(json.dumps(record) + "\n")
        file.flush()
        os.fsync(file.fileno())
