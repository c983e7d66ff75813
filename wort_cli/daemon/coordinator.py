"""The coordinator: changes the state of jobs while the daemon runs.

A turn, in order: have the site collect results and check running attempts, which cancels, kills or requeues them;
requeue abandoned jobs; wake waiting jobs; have dead workers replaced; dispatch queued jobs to free workers.
ledger/retry.py decides when a job is retried.  The site is where attempts run: this machine (supervisor.py), or other
hosts (remote/site.py).
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from wort_cli.daemon.abandoned import AbandonedJobs
from wort_cli.daemon.admission_watch import AdmissionWatch
from wort_cli.daemon.ledger_outcomes import LedgerOutcomes
from wort_cli.daemon.supervisor import Outcomes
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.suspects import choose
from wort_cli.model.job import Job
from wort_cli.model.lease import short_owner
from wort_cli.settings import Settings

WAKE_EVERY = 1.0
"""Seconds between searches for abandoned jobs, for waiting jobs that are due, and for dead workers."""

log = logging.getLogger(__name__)


class Site(Protocol):
    """Where the attempts of jobs run."""

    @property
    def owner(self) -> str:
        """The owner of its jobs, as the ledger stores it."""

    @property
    def jobs(self) -> frozenset[int]:
        """The numbers of the jobs that workers have, cancelled ones included."""

    @property
    def blocked_by(self) -> str:
        """Why no job can start here; empty if jobs can."""

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings to decisions and new attempts."""

    def turn(self, outcomes: Outcomes) -> None:
        """Collect results and check running attempts."""

    def repair(self) -> None:
        """Replace dead workers."""

    def excuse_silence(self) -> None:
        """Restart all timeouts of workers."""

    def requeue_all(self, outcomes: Outcomes, why: str) -> None:
        """Record the results that are there and requeue all other attempts."""

    def kill_processes(self, job_id: int, number: int) -> None:
        """Kill the processes that an attempt has left on this machine."""

    def limit(self, wanted: int | None) -> int:
        """Return how many jobs may run at a time, where the user has set `wanted`, or None."""

    def most(self, limit: int) -> int:
        """Return how many jobs may be started when `limit` may run, which includes those that only fetch."""

    def set_limit(self, limit: int) -> None:
        """Let `limit` jobs use the processor."""

    def grow(self, limit: int) -> None:
        """Start workers until there are `limit`."""

    def may_start_ahead(self, job: Job) -> bool:
        """Return whether a job is worth starting while others use the processor."""

    def start(self, job: Job, limit: int) -> None:
        """Start the attempt of a job that was claimed."""

    def flush(self) -> None:
        """Send what was started in this turn; called at its end."""


class Coordinator:
    """Runs the jobs of a ledger, one `turn` after the other.  Not thread-safe.

    `clock` is a monotonic clock in seconds; `jitter` returns random numbers in [0, 1) that spread retries.
    """

    def __init__(
        self,
        ledger: Ledger,
        site: Site,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._site = site
        self._clock = clock
        self._abandoned_jobs = AbandonedJobs(clock)
        self._admission = AdmissionWatch(clock)
        self._outcomes = LedgerOutcomes(ledger, self._admission, settings, jitter)
        self._settings = settings
        self._woke_at = float("-inf")
        self._not_ahead: set[int] = set()
        """Jobs that were found not to need a download; emptied every WAKE_EVERY seconds."""

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings to decisions and new attempts; running attempts keep the settings they started with."""
        self._settings = settings
        self._outcomes.reconfigure(settings)
        self._site.reconfigure(settings)

    @property
    def blocked_by(self) -> str:
        """Why no job may start; empty if jobs may start."""
        return self._admission.blocked_by or self._site.blocked_by

    @property
    def disk_damage(self) -> str:
        """A sentence about the disk that cannot be written; empty if all can."""
        return self._admission.disk_damage

    @property
    def busy(self) -> bool:
        """Whether any worker has a job."""
        return bool(self._site.jobs)

    @property
    def jobs(self) -> frozenset[int]:
        """The numbers of the jobs that workers have, cancelled ones included."""
        return self._site.jobs

    def turn(self) -> None:
        """Do everything that is due now."""
        self._site.turn(self._outcomes)
        now = self._clock()
        if now - self._woke_at > WAKE_EVERY:
            self._woke_at = now
            self._requeue_abandoned_jobs()
            self._ledger.attempts.wake(self._outcomes.policy)
            self._site.repair()
            self._not_ahead.clear()
        try:
            self._dispatch()
        finally:
            self._site.flush()

    def excuse_silence(self) -> None:
        """Restart all timeouts of workers.  Called after a failed turn: workers may have had the same trouble."""
        self._site.excuse_silence()

    def requeue_all(self) -> None:
        """Record the results that are there and requeue all other attempts.  The workers must have stopped."""
        self._site.requeue_all(self._outcomes, "the daemon was stopped")

    def _requeue_abandoned_jobs(self) -> None:
        claims = [claim for claim in self._ledger.attempts.running() if claim.job_id not in self._site.jobs]
        for claim in self._abandoned_jobs.abandoned(claims, self._settings.lease):
            log.info("job %d was abandoned by %s, requeueing it", claim.job_id, claim.owner)
            self._site.kill_processes(claim.job_id, claim.attempt)
            why = f"the {short_owner(claim.owner)} that ran it ended"
            self._ledger.attempts.requeue(claim.job_id, claim.attempt, why)

    def _dispatch(self) -> None:
        blocked_by = self._admission.check(self._settings)
        limit = self._site.limit(self._ledger.controls.job_limit(0) or None)
        self._site.set_limit(limit)
        if self._ledger.controls.paused:
            return
        self._site.grow(limit)
        most = self._site.most(limit)
        if blocked_by or len(self._site.jobs) >= most:
            return
        chosen: list[int] = []
        for job_id in self._ready_jobs(most)[: most - len(self._site.jobs)]:
            if len(self._site.jobs) + len(chosen) >= limit and not self._may_start_ahead(job_id):
                break  # no later job overtakes it
            chosen.append(job_id)
        self._start(chosen, limit)

    def _ready_jobs(self, most: int) -> Sequence[int]:
        """Return the jobs that may start now, in order."""
        suspects, running = self._ledger.suspects.all(), self._site.jobs
        # A job that was cancelled and queued again waits until its earlier attempt has ended.
        ready = [id_ for id_ in self._ledger.jobs.next_jobs(most + len(suspects)) if id_ not in running]
        if not suspects:
            return ready
        crashes = self._outcomes.policy.daemon_crashes
        return choose(ready, running, suspects, self._ledger.suspects.queued(), crashes)

    def _may_start_ahead(self, job_id: int) -> bool:
        """Return whether a job is worth starting while others use the processor."""
        if job_id in self._not_ahead:
            return False
        if self._site.may_start_ahead(self._ledger.jobs.get(job_id)):
            return True
        self._not_ahead.add(job_id)
        return False

    def _start(self, job_ids: Sequence[int], limit: int) -> None:
        """Claim jobs in one commit, then start them; one that is claimed and not started counts as abandoned."""
        if not job_ids:
            return
        with self._ledger.storage.transaction():
            jobs = [self._ledger.attempts.claim(id_, self._site.owner, self._settings.lease) for id_ in job_ids]
        for job in jobs:
            if job is not None:  # else it is no longer queued
                self._site.start(job, limit)
