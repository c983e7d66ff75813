"""Runs without a signature, and why: as this home found out, and as tables in a bucket and reports of tasks claim.

A claim is never taken for a job of this home.  It says why there is no signature; and if the run is unavailable, it
keeps the run from being requested for nothing.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from wort_cli.ledger.database import Storage
from wort_cli.ledger.jobs import Enqueued, EnqueueStatus
from wort_cli.model.accession import Accession, parse_name
from wort_cli.model.failure import Disposition, Reason
from wort_cli.model.job import JobRequest, JobState
from wort_cli.model.profile import profile_for, profile_option

CLAIMED = "according to "
"""The beginning of the message of a job that only a claim ended."""
PAGE = 1000
"""Rows that one query reads or one transaction writes."""


@dataclass(frozen=True)
class AbsentRun:
    """A run that has no signature, why, and since when in seconds since 1970."""

    name: str
    reason: Reason
    at: float
    origin: str = ""
    """The URL of the table or the report that claims it; empty if this home found it out."""

    @property
    def state(self) -> JobState:
        """The state of the job of the other home: unavailable if that is permanent, else failed."""
        is_permanent = self.reason.disposition is Disposition.UNAVAILABLE
        return JobState.UNAVAILABLE if is_permanent else JobState.FAILED

    def next_step(self, profile: str) -> str:
        """Return the command that computes a signature of a profile here all the same."""
        option = profile_option(profile)
        if self.state is JobState.UNAVAILABLE:
            return f"`wort compute --force {self.name}{option}` looks again"
        return f"`wort compute {self.name}{option}` tries it here"


class Absences:
    """The table `claimed_absences`, and the unavailable among the jobs."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def own(self, profile: str) -> Iterator[AbsentRun]:
        """Yield the accessions of runs that this home found to be unavailable, in order."""
        after = ""
        while page := self._storage.rows(
            "own_absences", profile=profile, after=after, claimed=f"{CLAIMED}*", limit=PAGE
        ):
            for row in page:
                if isinstance(parse_name(row["name"]), Accession):  # a local name means nothing to others
                    yield AbsentRun(row["name"], Reason(row["reason"]), row["at"])
            after = page[-1]["name"]

    def replace_claims(self, origin: str, profile: str, claims: Iterable[AbsentRun]) -> int:
        """Record what one table claims, in place of what it claimed before; return the number of its claims."""
        number, rest = 0, iter(claims)
        with self._storage.transaction():
            self._storage.change("forget_claimed_absences", origin=origin, profile=profile)
            while batch := [claim_row(one, profile, origin) for one in islice(rest, PAGE)]:
                self._storage.change_many("claim_absence", batch)
                number += len(batch)
        return number

    def end_claimed(
        self, requests: Sequence[JobRequest], answers: Sequence[Enqueued], *, dry_run: bool
    ) -> list[Enqueued]:
        """End the jobs that were queued for runs that other homes claim to be unavailable; return the answers.

        Call this in the transaction of the request, before a worker starts the jobs.
        """
        ended = list(answers)
        for n, (request, answer) in enumerate(zip(requests, answers, strict=True)):
            if answer.status is not EnqueueStatus.QUEUED or answer.source.location:
                continue
            claim = self.claimed(str(answer.source.name), request.profile)
            if claim is None or claim.state is not JobState.UNAVAILABLE:
                continue
            if answer.job_id is not None and not dry_run:
                self._end(answer.job_id, claim)
            state = JobState.UNAVAILABLE
            ended[n] = Enqueued(answer.source, EnqueueStatus.UNAVAILABLE, answer.job_id, state, str(claim.reason))
        return ended

    def claimed(self, name: str, profile: str) -> AbsentRun | None:
        """Return what another home claims of a run; None if none claims anything."""
        row = self._storage.row("claimed_absence", name=name, profile=profile)
        return AbsentRun(row["name"], Reason(row["reason"]), row["at"], row["origin"]) if row else None

    def _end(self, job_id: int, claim: AbsentRun) -> None:
        now, of_job = time.time(), {"id": job_id}
        if not self._storage.change("claim_job", **of_job, owner="", lease_until=now, now=now):
            return
        row = self._storage.row("job", **of_job)
        if row is None:
            return
        day = time.strftime("%Y-%m-%d", time.gmtime(claim.at))
        self._storage.change(
            "end_attempt",
            **of_job,
            attempt=row["attempt"],
            state=str(JobState.UNAVAILABLE),
            reason=str(claim.reason),
            message=f"{CLAIMED}{claim.origin} of {day}; {claim.next_step(row['profile'])}",
            wait_until=None,
            now=now,
        )


def claim_row(claim: AbsentRun, profile: str, origin: str) -> tuple[str, str, str, float, str]:
    """Return a claim about a profile as a row of the table."""
    return claim.name, profile_for(claim.name, profile), str(claim.reason), claim.at, origin
