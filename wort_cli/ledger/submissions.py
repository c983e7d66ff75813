"""Submissions, their verifications, and the answers of public services about runs.

A verification is a job.  Its outcome sets how far the signature is trusted, in the transaction that ends the job.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wort_cli.ledger.database import Storage
from wort_cli.ledger.groups import Groups
from wort_cli.model.accession import Accession, Name
from wort_cli.model.job import Job, JobKind, JobState, Source
from wort_cli.model.provenance import Trust
from wort_cli.model.submission import Lookup, Submission
from wort_cli.model.verdict import Depth, Verdict, trust_after

DIGEST_PREFIX = re.compile(r"[0-9a-f]{8,64}")
"""At least 8 hexadecimal digits select submissions by their digest."""


@dataclass(frozen=True)
class VerifyRequest:
    """A request to verify a signature."""

    source: Source
    profile: str
    subject: str
    """Path of the signature, relative to the store's root."""
    digest: str
    """The recorded digest of the signature."""
    depth: Depth
    priority: int = 0
    group: str = ""
    engine: str = ""


class Submissions:
    """The tables `submissions` and `lookups`, and the verifications in `jobs`."""

    def __init__(self, storage: Storage, groups: Groups) -> None:
        self._storage = storage
        self._groups = groups

    # ---- submissions ---------------------------------------------------------

    def add(self, submission: Submission, store_file: Callable[[], object] = lambda: None) -> bool:
        """Record a submission; return False, and keep the existing record, if it was submitted before.

        `store_file` stores the submitted file of a new submission.  It runs before the commit, and the write lock keeps
        other processes from storing the same file at the same time.
        """
        values = {key: getattr(submission, key) for key in Submission.__dataclass_fields__ if key != "why"}
        texts = {key: str(values[key]) for key in ("name", "trust", "source_check")}
        with self._storage.transaction():
            added = self._storage.change("add_submission", **{**values, **texts}) > 0
            if added:
                store_file()
            else:
                self._storage.change(
                    "update_source_check",
                    digest=submission.digest,
                    name=str(submission.name),
                    source_check=str(submission.source_check),
                    source_note=submission.source_note,
                )
            return added

    def get(self, digest: str, name: Name) -> Submission | None:
        """Return the submission with a digest and a name, or None."""
        row = self._storage.row("submission", digest=digest, name=str(name))
        return Submission.from_row(row) if row else None

    def named(self, name: Name) -> list[Submission]:
        """Return the submissions of a name, oldest first."""
        return [Submission.from_row(row) for row in self._storage.rows("submissions_named", name=str(name))]

    def with_digest_prefix(self, text: str) -> list[Submission]:
        """Return the submissions whose digest starts with `text`; none if `text` is not at least 8 hex digits."""
        if not DIGEST_PREFIX.fullmatch(text):
            return []
        return [Submission.from_row(row) for row in self._storage.rows("submissions_with_prefix", prefix=text)]

    def unverified(self) -> list[Submission]:
        """Return the unverified submissions, oldest first."""
        return [Submission.from_row(row) for row in self._storage.rows("unverified_submissions")]

    # ---- verifications -------------------------------------------------------

    def enqueue_verifications(self, requests: Sequence[VerifyRequest]) -> list[int]:
        """Enqueue verifications in one transaction; return their job ids in order.

        For a signature whose verification is live already, that job's id is returned.
        """
        with self._storage.transaction():
            job_ids = [self._enqueue(request) for request in requests]
            for request, job_id in zip(requests, job_ids, strict=True):
                self._groups.add(request.group, request.source.name, request.profile, job_id, request.subject)
            return job_ids

    def _enqueue(self, request: VerifyRequest) -> int:
        latest = self._storage.row("latest_verification", subject=request.subject)
        if latest and JobState(latest["state"]).is_live:
            self._storage.change(
                "merge_request", id=latest["id"], priority=request.priority, accept_unproved=False, accept_public=False
            )
            self._storage.change("make_verification_full", id=latest["id"], depth=str(request.depth))
            return int(latest["id"])
        self._storage.change(
            "add_verification",
            name=str(request.source.name),
            profile=request.profile,
            archive=request.source.location,
            priority=request.priority,
            engine=request.engine,
            now=time.time(),
            depth=str(request.depth),
            subject=request.subject,
            subject_digest=request.digest,
        )
        return int(self._storage.connection.execute("SELECT last_insert_rowid()").fetchone()[0])

    def record_verdict(self, job: Job, verdict: Verdict) -> None:
        """Record the verdict of a verification.  Call this in the transaction that ends its job."""
        self._storage.change(
            "record_verdict",
            id=job.id,
            attempt=job.attempt,
            verdict=str(verdict.trust),
            report=json.dumps(verdict.to_json()),
            message=verdict.sentence(),
        )
        if not verdict.of_copy:
            self._update_trust(job, verdict.trust, verdict.sentence())

    def record_missing_source(self, job: Job) -> None:
        """Record that a verification found no source; other jobs are ignored."""
        if job.kind is JobKind.VERIFY and job.reason is not None:
            self._update_trust(job, Trust.UNVERIFIABLE, f"{job.reason}: {job.reason.sentence}")

    def mark_unverifiable(self, submission: Submission, why: str) -> None:
        """Record that a submission cannot be recomputed, and why."""
        self._storage.change("set_submission_trust", path=submission.path, trust=str(Trust.UNVERIFIABLE), why=why)

    def _update_trust(self, job: Job, found: Trust, why: str) -> None:
        signature = {"name": str(job.source.name), "profile": job.profile, "path": job.subject}
        row = self._storage.row("trust_of", **signature)
        if row is None:
            return
        trust = str(trust_after(Trust(row["trust"]), found))
        self._storage.change("set_submission_trust", path=job.subject, trust=trust, why=why)
        self._storage.change("set_signature_trust", **signature, digest=job.subject_digest, trust=trust)

    def last_verdict(self, subject: str) -> Verdict | None:
        """Return the verdict of the last verification of a signature, given its path relative to the store's root."""
        row = self._storage.row("last_report", subject=subject)
        return Verdict.from_json(json.loads(row["report"])) if row else None

    # ---- lookups of runs at ENA and NCBI -------------------------------------

    def lookup(self, accession: Accession) -> Lookup | None:
        """Return the last answer about a run, or None."""
        row = self._storage.row("lookup", accession=str(accession))
        return Lookup(bool(row["known"]), row["note"], row["asked_at"]) if row else None

    def record_lookup(self, accession: Accession, lookup: Lookup) -> None:
        """Store an answer about a run."""
        self._storage.change(
            "record_lookup",
            accession=str(accession),
            known=int(lookup.known),
            note=lookup.note,
            asked_at=lookup.asked_at,
        )
