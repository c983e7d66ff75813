"""Attempts: the transitions that whoever runs a job makes, from claiming it to its end.

Each transition names the number of the attempt and changes nothing if the job no longer runs in that attempt.  So a late
result of an earlier attempt does no harm (fencing).
"""

import json
import math
import time
from dataclasses import asdict

from wort_cli.ledger.catalog import Catalog
from wort_cli.ledger.database import Storage
from wort_cli.ledger.jobs import Jobs
from wort_cli.ledger.retry import RetryPolicy, consecutive_crashes, decide, reasons_counted_with
from wort_cli.ledger.submissions import Submissions
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Job, JobState, Progress
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import Claim
from wort_cli.model.provenance import Trust

WAKE_LIMIT = 100
"""Jobs that are woken in one transaction; more would lock the ledger for too long."""


class Attempts:
    """The table `jobs` as the coordinator and `--now` use it."""

    def __init__(self, storage: Storage, jobs: Jobs, catalog: Catalog, submissions: Submissions) -> None:
        self._storage = storage
        self._jobs = jobs
        self._catalog = catalog
        self._submissions = submissions

    def next_jobs(self, limit: int) -> list[int]:
        """The numbers of the queued jobs whose turn is next."""
        return [row["id"] for row in self._storage.rows("next_jobs", limit=limit)]

    def claim(self, job_id: int, owner: str, lease: float) -> Job | None:
        """Make a queued job running for `lease` seconds; None if it is no longer queued.  A waiting one is woken."""
        with self._storage.transaction():
            self._storage.change("wake_job", id=job_id)
            now = time.time()
            if not self._storage.change("claim_job", id=job_id, owner=owner, lease_until=now + lease, now=now):
                return None
            return self._jobs.get(job_id)

    def running(self) -> list[Claim]:
        """All running jobs."""
        rows = self._storage.rows("running_jobs")
        return [Claim(row["id"], row["attempt"], row["owner"], row["lease_until"] or 0.0) for row in rows]

    def extend_lease(self, job_id: int, attempt: int, lease: float) -> bool:
        """The attempt is alive for another `lease` seconds; False if it is no longer the job's."""
        return self._storage.change("extend_lease", id=job_id, attempt=attempt, lease_until=time.time() + lease) > 0

    def report_progress(self, job_id: int, attempt: int, progress: Progress) -> None:
        """Take note of how far an attempt is."""
        self._storage.change("report_progress", id=job_id, attempt=attempt, **asdict(progress))

    def finish(self, result: JobResult, policy: RetryPolicy, jitter: float = 0.5) -> JobState | None:
        """End an attempt with its result; None, and no change, if the job no longer runs in this attempt."""
        with self._storage.transaction():
            if result.published is None and result.verdict is None:
                failure = result.failure or Failure(Reason.TOOL_CRASH, "the worker gave no result")
                return self._fail(result.job_id, result.attempt, failure, policy, jitter)
            if not self._end(result.job_id, result.attempt, JobState.DONE):
                return None
            if result.published is not None:
                self._catalog.record(result.published, Trust.VERIFIED if result.verdict else result.published.trust)
            if result.verdict is not None:
                self._submissions.record_verdict(self._jobs.get(result.job_id), result.verdict)
            return JobState.DONE

    def requeue(self, job_id: int, attempt: int, why: str) -> bool:
        """Queue a running job again that was interrupted through no fault of its own."""
        return self._end(job_id, attempt, JobState.QUEUED, Reason.INTERRUPTED, why)

    def record_crash(self, job_id: int, attempt: int, work: int, policy: RetryPolicy) -> JobState | None:
        """Queue a job again that was running when a daemon crashed, or set it aside if that happens each time.

        `work` says how much of it is finished for good.  None, and no change, if it no longer runs in this attempt.
        """
        with self._storage.transaction():
            row = self._storage.row("crashes", id=job_id, attempt=attempt)
            if row is None:
                return None
            crashes = consecutive_crashes(row["crashes"], row["crashes_work"], work)
            self._storage.change("count_crash", id=job_id, crashes=crashes, work=work)
            if crashes < policy.daemon_crashes:
                self._end(job_id, attempt, JobState.QUEUED, Reason.INTERRUPTED, "the daemon that worked on it crashed")
                return JobState.QUEUED
            why = f"it was running {crashes} times in a row when the daemon crashed, and came no further"
            self._end(job_id, attempt, JobState.FAILED, Reason.SET_ASIDE, why)
            return JobState.FAILED

    def wake(self, max_wait: float = math.inf, limit: int = WAKE_LIMIT) -> int:
        """Queue jobs that have waited long enough, or seem to wait for too long, some at a time; return how many."""
        now = time.time()
        return self._storage.change("wake_jobs", now=now, furthest=now + max_wait, limit=limit)

    def _fail(self, job_id: int, attempt: int, failure: Failure, policy: RetryPolicy, jitter: float) -> JobState | None:
        now = time.time()
        row = self._storage.row("count_failures", id=job_id, reasons=json.dumps(reasons_counted_with(failure.reason)))
        earlier, first_at = (row["n"], row["first_at"] or now) if row else (0, now)
        decision = decide(failure, earlier, policy, jitter, now - first_at)
        if decision.set_aside:
            failure = Failure(Reason.SET_ASIDE, f"it was tried {earlier + 1} times; the last time {failure.detail}")
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
                message=message.encode("utf-8", "backslashreplace").decode(),  # a path may be any bytes
                wait_until=wait_until,
                now=time.time(),
            )
            > 0
        )
