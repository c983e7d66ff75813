"""The part of the ledger that is about what was handed in: submissions, their verifications, and who was asked.

A verification is a job like any other.  How it ends decides, in the same transaction, how far the signature is trusted.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wort_cli.ledger.database import Storage
from wort_cli.model.accession import Accession, Name
from wort_cli.model.job import Job, JobKind, JobState, Source
from wort_cli.model.provenance import Trust
from wort_cli.model.submission import Lookup, Submission
from wort_cli.model.verdict import Depth, Verdict, trust_after

BEGINNING = re.compile(r"[0-9a-f]{8,64}")
"""How a digest begins, if that is to name a submission."""


@dataclass(frozen=True)
class VerifyRequest:
    """A signature that somebody wants verified."""

    source: Source
    profile: str
    subject: str
    """Its path below the store's root."""
    digest: str
    """What is recorded of it."""
    depth: Depth
    priority: int = 0
    group: str = ""
    engine: str = ""


class Submissions:
    """Submissions and their verifications, in the ledger's file."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    # ---- what was handed in --------------------------------------------------

    def add(self, submission: Submission, keep: Callable[[], object] = lambda: None) -> bool:
        """Record a submission; False if there is this one already, which then stays as it is.

        `keep` keeps the bytes of a new one: before the record stands, and not beside somebody who hands in the same.
        """
        values = {key: getattr(submission, key) for key in Submission.__dataclass_fields__ if key != "why"}
        texts = {key: str(values[key]) for key in ("name", "trust", "source_check")}
        with self._storage.transaction():
            added = self._storage.change("add_submission", **{**values, **texts}) > 0
            if added:
                keep()
            else:
                self._storage.change(
                    "confirm_source",
                    digest=submission.digest,
                    name=str(submission.name),
                    source_check=str(submission.source_check),
                    source_note=submission.source_note,
                )
            return added

    def get(self, digest: str, name: Name) -> Submission | None:
        """The submission of a content under a name."""
        row = self._storage.row("submission", digest=digest, name=str(name))
        return Submission.from_row(row) if row else None

    def named(self, name: Name) -> list[Submission]:
        """What was handed in under a name, the oldest first."""
        return [Submission.from_row(row) for row in self._storage.rows("submissions_named", name=str(name))]

    def with_digest_prefix(self, text: str) -> list[Submission]:
        """Those whose digest begins so; none if `text` is no beginning of a digest, of 8 letters at the least."""
        if not BEGINNING.fullmatch(text):
            return []
        return [Submission.from_row(row) for row in self._storage.rows("submissions_of_digest", beginning=text)]

    def unverified(self) -> list[Submission]:
        """All that wait to be verified, the oldest first."""
        return [Submission.from_row(row) for row in self._storage.rows("unverified_submissions")]

    # ---- verifications -------------------------------------------------------

    def enqueue_verifications(self, requests: Sequence[VerifyRequest]) -> list[int]:
        """Queue verifications, all or none; return their jobs, in order.  One that is under way already is that one."""
        with self._storage.transaction():
            return [self._verify(request) for request in requests]

    def _verify(self, request: VerifyRequest) -> int:
        latest = self._storage.row("latest_verification", subject=request.subject)
        if latest and JobState(latest["state"]).is_live:
            self._storage.change("ask_again", id=latest["id"], priority=request.priority, group_name=request.group)
            self._storage.change("deepen_verification", id=latest["id"], depth=str(request.depth))
            return int(latest["id"])
        self._storage.change(
            "add_verification",
            name=str(request.source.name),
            profile=request.profile,
            archive=str(request.source.archive or ""),
            priority=request.priority,
            group_name=request.group,
            engine=request.engine,
            now=time.time(),
            depth=str(request.depth),
            subject=request.subject,
            subject_digest=request.digest,
        )
        return int(self._storage.connection.execute("SELECT last_insert_rowid()").fetchone()[0])

    def record_verdict(self, job: Job, verdict: Verdict) -> None:
        """Write down what a verification found.  To be called in a transaction, when its job has just ended."""
        self._storage.change(
            "record_verdict",
            id=job.id,
            attempt=job.attempt,
            verdict=str(verdict.trust),
            report=json.dumps(verdict.to_json()),
            message=verdict.sentence(),
        )
        self._trust(job, verdict.trust, verdict.sentence())

    def record_missing_source(self, job: Job) -> None:
        """Write down that a verification found no source to recalculate from."""
        if job.kind is JobKind.VERIFY and job.reason is not None:
            self._trust(job, Trust.UNVERIFIABLE, f"{job.reason}: {job.reason.sentence}")

    def mark_unverifiable(self, submission: Submission, why: str) -> None:
        """Write down that there is no recipe for what a submission is of."""
        self._storage.change("trust_submission", path=submission.path, trust=str(Trust.UNVERIFIABLE), why=why)

    def _trust(self, job: Job, found: Trust, why: str) -> None:
        row = self._storage.row("trust_of", path=job.subject)
        if row is None:
            return
        trust = str(trust_after(Trust(row["trust"]), found))
        self._storage.change("trust_submission", path=job.subject, trust=trust, why=why)
        self._storage.change("trust_signature", path=job.subject, digest=job.subject_digest, trust=trust)

    def last_verdict(self, subject: str) -> Verdict | None:
        """What the last verification of a signature found, by its path below the store's root."""
        row = self._storage.row("last_report", subject=subject)
        return Verdict.from_json(json.loads(row["report"])) if row else None

    # ---- what the archives said ----------------------------------------------

    def lookup(self, accession: Accession) -> Lookup | None:
        """What was answered last about a run."""
        row = self._storage.row("lookup", accession=str(accession))
        return Lookup(bool(row["known"]), row["note"], row["asked_at"]) if row else None

    def record_lookup(self, accession: Accession, lookup: Lookup) -> None:
        """Remember an answer."""
        self._storage.change(
            "record_lookup",
            accession=str(accession),
            known=int(lookup.known),
            note=lookup.note,
            asked_at=lookup.asked_at,
        )
