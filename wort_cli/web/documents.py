"""Jobs, signatures and reasons as JSON for clients.  Paths and processes of this machine are not in it."""

from collections.abc import Mapping
from typing import Any

from wort_cli.ledger.absences import AbsentRun
from wort_cli.ledger.job_pages import FURTHEST
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import LIVE, Job, JobState
from wort_cli.model.units import iso_time
from wort_cli.web.task_id import task_id

HAVE, UNKNOWN = "have", "unknown"
STATES = (HAVE, *(state.value for state in JobState if state is not JobState.DONE), UNKNOWN)
"""The states of a run, as clients see them."""


def state_of(row: Mapping[str, Any], *, is_served: bool) -> tuple[str, str]:
    """Return the state of a run, one of STATES, and the reason, from a row of `status_of_names`."""
    if is_served:
        return HAVE, ""
    state = JobState(row["state"]) if row["state"] else None
    if state is not None and (state in LIVE or state is not JobState.DONE):
        return str(state), str(row["reason"] or "")
    if not row["claimed"]:
        return UNKNOWN, ""
    claim = AbsentRun(row["name"], Reason(row["claimed"]), 0.0)
    return str(claim.state), str(claim.reason)


def reason_document(text: str) -> dict[str, Any]:
    """Return a reason with its sentence and hint; nulls for none."""
    if not text:
        return {"reason": None, "sentence": None, "hint": None}
    reason = Reason(text)
    return {"reason": text, "sentence": reason.sentence, "hint": reason.hint or None}


def job_document(job: Job, ledger: Ledger, home_id: str, *, with_position: bool = False) -> dict[str, Any]:
    """Return a job; `position` is its place in the queue, null if it is not asked for, or far behind."""
    progress = job.progress if job.state is JobState.RUNNING else None
    left = progress.seconds_left if progress else None
    return {
        "job": job.id,
        "task_id": task_id(home_id, job.id),
        "id": str(job.name),
        "kind": str(job.kind),
        "profile": job.profile,
        "state": str(job.state),
        **reason_document(str(job.reason or "")),
        "position": position_of(job, ledger) if with_position else None,
        "stage": progress.stage if progress else None,
        "spots": progress.spots if progress else None,
        "spots_total": (progress.total or None) if progress else None,
        "progress": round(progress.fraction, 4) if progress and progress.total else None,
        "seconds_left": None if left is None else round(left, 1),
        "attempt": job.attempt,
        "priority": job.priority,
        "groups": list(job.groups),
        "queued_at": iso_time(job.created_at),
        "started_at": iso_time(job.started_at),
        "ended_at": iso_time(job.ended_at),
        "wait_until": iso_time(job.wait_until) if job.state is JobState.WAITING else None,
        "verdict": str(job.verdict) if job.verdict else None,
    }


def position_of(job: Job, ledger: Ledger) -> int | None:
    """Return the place of a job in the queue, from 1; None if it is not queued, or far behind."""
    if job.state is not JobState.QUEUED:
        return None
    before = ledger.job_pages.ahead_of(job)
    return before + 1 if before < FURTHEST else None


def catalog_document(row: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Return a signature from a row of `served_signature` or `catalog_page`; `url` is that of its file."""
    return {
        "trust": row["trust"],
        "digest": row["digest"],
        "sha256": row["sha256"] or None,
        "size": row["size"],
        "recorded_at": iso_time(row["created_at"]),
        "url": url,
    }
