"""Attempts: the transitions of a job that the process running it makes, from the claim to the end.

Fencing: each transition names the attempt, and changes nothing if the job is no longer running in that attempt.  A late
result of an earlier attempt is therefore harmless.
"""

import json
import math
import time
from dataclasses import asdict, replace

from wort_cli.errors import NoSuchJob, shown
from wort_cli.ledger.catalog import Catalog
from wort_cli.ledger.database import Storage
from wort_cli.ledger.jobs import Jobs
from wort_cli.ledger.retry import PENDING, RetryPolicy, consecutive_crashes, decide, reasons_counted_with
from wort_cli.ledger.submissions import Submissions
from wort_cli.ledger.suspects import Suspects
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Job, JobState, Progress
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.lease import Claim
from wort_cli.model.provenance import Trust

WAKE_LIMIT = 100
"""Jobs queued again in one transaction.  More would lock the ledger for too long."""
LOOK_EVERY = 10.0
"""Seconds between searches for jobs that wait too long because the clock was set back; they read all pending jobs."""


class Attempts:
    """The table `jobs`, as the coordinator and commands with `--now` use it."""

    def __init__(
        self, storage: Storage, jobs: Jobs, catalog: Catalog, submissions: Submissions, suspects: Suspects
    ) -> None:
        self._storage = storage
        self._suspects = suspects
        self._jobs = jobs
        self._catalog = catalog
        self._submissions = submissions
        self._look_again_at = 0.0
        """When jobs are looked for that wait too long, on the monotonic clock."""

    def claim(self, job_id: int, owner: str, lease: float) -> Job | None:
        """Start an attempt of a queued or waiting job, with a lease in seconds; return None if the job is neither."""
        with self._storage.transaction():
            self._storage.change("wake_job", id=job_id)
            now = time.time()
            if not self._storage.change("claim_job", id=job_id, owner=owner, lease_until=now + lease, now=now):
                return None
            return self._jobs.get(job_id)

    def running(self) -> list[Claim]:
        """Return the claims of all running jobs."""
        rows = self._storage.rows("running_jobs")
        return [Claim(row["id"], row["attempt"], row["owner"], row["lease_until"] or 0.0) for row in rows]

    def extend_lease(self, job_id: int, attempt: int, lease: float) -> bool:
        """Extend the lease to `lease` seconds from now; return False if the job no longer runs in this attempt."""
        return self._storage.change("extend_lease", id=job_id, attempt=attempt, lease_until=time.time() + lease) > 0

    def report_progress(self, job_id: int, attempt: int, progress: Progress) -> None:
        """Record the progress of an attempt."""
        self._storage.change("report_progress", id=job_id, attempt=attempt, **asdict(progress))

    def finish(self, result: JobResult, policy: RetryPolicy, jitter: float = 0.5) -> JobState | None:
        """End an attempt with its result; return the new state.

        A crash of a tool does not count as a failure if the attempt has finished more parts than the one before: the
        job is queued again, and the next attempt continues from there.

        Returns None, and changes nothing, if the job no longer runs in this attempt.
        """
        with self._storage.transaction():
            state = self._finish(result, policy, jitter)
            if state is not None:
                self._suspects.discard(result.job_id)
            return state

    def _finish(self, result: JobResult, policy: RetryPolicy, jitter: float) -> JobState | None:
        if result.published is None and result.verdict is None:
            failure = result.failure or Failure(Reason.TOOL_CRASH, "the worker returned no result")
            if failure.reason is Reason.TOOL_CRASH and self._has_advanced(result):
                requeued = self._end(result.job_id, result.attempt, JobState.QUEUED, failure.reason, failure.detail)
                return JobState.QUEUED if requeued else None
            return self._fail(result.job_id, result.attempt, failure, policy, jitter)
        try:
            job, published = self._jobs.get(result.job_id), result.published
        except NoSuchJob:  # of another ledger
            return None
        if published is not None and result.verdict is not None:
            published = replace(published, trust=Trust.VERIFIED)
        if published is not None and (fault := self._fault(job, published)):
            return self._fail(result.job_id, result.attempt, fault, policy, jitter)
        if not self._end(result.job_id, result.attempt, JobState.DONE):
            return None
        if published is not None:
            self._catalog.record(published, force=job.force)
        if result.verdict is not None:
            self._submissions.record_verdict(job, result.verdict)
        return JobState.DONE

    def _has_advanced(self, result: JobResult) -> bool:
        """Return whether more parts of a job are finished than when an attempt crashed before; remember how many."""
        row = self._storage.row("crashes", id=result.job_id, attempt=result.attempt)
        if row is None or result.work <= row["crashes_work"]:
            return False
        self._storage.change("count_crash", id=result.job_id, crashes=0, work=result.work)
        return True

    def _fault(self, job: Job, published: Published) -> Failure | None:
        """Return why a signature is not recorded as that of a job; None if it is."""
        made = published.provenance
        if (made.name, made.profile) != (str(job.name), job.profile):
            return Failure(Reason.TOOL_CRASH, f"the worker returned a signature of {shown(made.name)}")
        if not job.force and not self._catalog.accepts(published):
            known = f"it is {published.trust}, and the catalog has another signature, which is worth more"
            return Failure(Reason.CONFLICT, known)
        return None

    def requeue(self, job_id: int, attempt: int, why: str) -> bool:
        """Requeue a running job without counting a failure; return False if the job no longer runs in this attempt."""
        return self._end(job_id, attempt, JobState.QUEUED, Reason.INTERRUPTED, why)

    def requeue_if_advanced(self, job_id: int, attempt: int, work: int, why: str) -> bool:
        """Requeue a job whose worker was lost, if it has finished more work than at its last crash.

        That does not count as a failure, because the next attempt continues from there.  Returns False, without a
        change, if there is no more work than then, or if the job no longer runs in this attempt.
        """
        with self._storage.transaction():
            row = self._storage.row("crashes", id=job_id, attempt=attempt)
            if row is None or work <= row["crashes_work"]:
                return False
            self._storage.change("count_crash", id=job_id, crashes=0, work=work)
            return self._end(job_id, attempt, JobState.QUEUED, Reason.INTERRUPTED, why)

    def record_death(
        self, job_id: int, attempt: int, work: int, policy: RetryPolicy, *, by_memory: bool, alone: bool
    ) -> JobState | None:
        """Requeue a job that was running when a daemon died, and have it tried alone if it may be the cause.

        It fails as set-aside only if that happened too often, the last time `alone`, and `by_memory`: the kernel killed
        a process for memory.  `work` is the amount of finished work that the next attempt can use.  Returns the new
        state, or None, without a change, if the job no longer runs in this attempt.
        """
        with self._storage.transaction():
            row = self._storage.row("crashes", id=job_id, attempt=attempt)
            if row is None:
                return None
            deaths = consecutive_crashes(row["crashes"], row["crashes_work"], work)
            self._storage.change("count_crash", id=job_id, crashes=deaths, work=work)
            often = deaths >= policy.daemon_crashes
            if not (often and by_memory and alone):
                if by_memory or often:
                    self._suspects.add(job_id)
                cause = " when memory ran out" if by_memory else ""
                self._end(job_id, attempt, JobState.QUEUED, Reason.INTERRUPTED, f"the daemon that ran it died{cause}")
                return JobState.QUEUED
            why = (
                f"memory ran out and the daemon died {deaths} times in a row while this job ran and made no progress, "
                "the last time alone"
            )
            self._suspects.discard(job_id)
            self._end(job_id, attempt, JobState.FAILED, Reason.SET_ASIDE, why)
            return JobState.FAILED

    def wake(self, policy: RetryPolicy | None = None, limit: int = WAKE_LIMIT) -> int:
        """Queue at most `limit` waiting jobs that are due; return how many were queued.

        A job that would wait longer than the policy lets it is due too: the clock was set back since.
        """
        now = time.time()
        furthest = now + (policy.max_pending_wait if policy else math.inf)
        due = self._storage.change("wake_jobs", now=now, furthest=furthest, limit=limit)
        if policy is None or time.monotonic() < self._look_again_at:
            return due
        self._look_again_at = time.monotonic() + LOOK_EVERY
        furthest, pending = now + policy.max_wait, json.dumps(sorted(PENDING))
        return due + self._storage.change("wake_jobs_of_a_later_time", furthest=furthest, pending=pending, limit=limit)

    def _fail(self, job_id: int, attempt: int, failure: Failure, policy: RetryPolicy, jitter: float) -> JobState | None:
        now = time.time()
        row = self._storage.row("count_failures", id=job_id, reasons=json.dumps(reasons_counted_with(failure.reason)))
        earlier, first_at = (row["n"], row["first_at"] or now) if row else (0, now)
        denied = failure.reason is Reason.STORAGE_DENIED
        wrote_before = denied and self._storage.row("any_remote") is not None
        decision = decide(failure, earlier, policy, jitter, now - first_at, wrote_before=wrote_before)
        if decision.set_aside:
            failure = Failure(Reason.SET_ASIDE, f"it was tried {earlier + 1} times; the last failure: {failure.detail}")
        wait_until = now + decision.delay if decision.state is JobState.WAITING else None
        moved = self._end(job_id, attempt, decision.state, failure.reason, failure.detail, wait_until)
        if moved and decision.state is JobState.UNAVAILABLE:
            self._submissions.record_missing_source(self._jobs.get(job_id))
        return decision.state if moved else None

    def _end(
        self,
        job_id: int,
        attempt: int,
        state: JobState,
        reason: Reason | None = None,
        message: str = "",
        wait_until: float | None = None,
    ) -> bool:
        return (
            self._storage.change(
                "end_attempt",
                id=job_id,
                attempt=attempt,
                state=str(state),
                reason=str(reason or ""),
                message=message.encode("utf-8", "backslashreplace").decode(),  # a path may contain any bytes
                wait_until=wait_until,
                now=time.time(),
            )
            > 0
        )
