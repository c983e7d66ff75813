"""The coordinator: the only one that moves jobs along.  It decides, and has the ledger and the queue carry it out.

A turn: collect results; listen to running attempts, call off those whose job was cancelled, give back those that are
lost; wake jobs that have waited; dispatch queued ones to free workers, by priority.
"""

import logging
import os
import random
import time
from dataclasses import dataclass

from huey.utils import Error

from wort_cli.daemon.hold import Hold
from wort_cli.daemon.queue import SignOfLife, WorkQueue
from wort_cli.daemon.workers import Workers
from wort_cli.failure import Failure, Reason
from wort_cli.lease import DAEMON, Life, is_abandoned, is_lost
from wort_cli.ledger import Ledger
from wort_cli.pipeline.workspace import remove_workspace, tidy
from wort_cli.retry import RetryPolicy
from wort_cli.settings import Settings
from wort_cli.work import JobResult, JobSpec

WAKE_EVERY = 1.0
"""Seconds between looks for jobs that have waited long enough, and for jobs that are nobody's."""

log = logging.getLogger(__name__)


@dataclass
class Attempt:
    """An attempt that a worker has."""

    job_id: int
    number: int
    task_id: str
    life: Life
    leased_at: float
    sign: SignOfLife | None = None
    called_off: bool = False


class Coordinator:
    """Moves jobs along, one `turn` after the other.  Not to be used from several threads."""

    def __init__(self, ledger: Ledger, queue: WorkQueue, workers: Workers, settings: Settings) -> None:
        self._ledger = ledger
        self._queue = queue
        self._workers = workers
        self._settings = settings
        self._policy = RetryPolicy(delay=settings.retry_delay)
        self._attempts: dict[int, Attempt] = {}
        self._woke_at = 0.0
        self._hold = Hold()

    @property
    def held(self) -> str:
        """Why no job begins, if none may."""
        return self._hold.why

    def excuse(self) -> None:
        """A turn failed, on account of a full disk perhaps: no worker is to blame for its silence meanwhile."""
        for attempt in self._attempts.values():
            attempt.life = Life(time.monotonic(), attempt.life.pid)

    @property
    def busy(self) -> bool:
        """Whether any worker has a job."""
        return bool(self._attempts)

    def turn(self) -> None:
        """Do all there is to do now."""
        self._collect()
        self._listen()
        now = time.monotonic()
        if now - self._woke_at > WAKE_EVERY:
            self._woke_at = now
            self._take_back()
            self._ledger.wake()
            self._workers.heal()
        self._dispatch()

    def give_all_back(self) -> None:
        """Once the workers have stopped: keep the results there are, queue the rest again."""
        self._collect()
        for attempt in self._attempts.values():
            self._ledger.give_back(attempt.job_id, attempt.number, "the daemon was stopped")
        self._attempts.clear()

    def _collect(self) -> None:
        for attempt in list(self._attempts.values()):
            result = self._queue.result(attempt.task_id, attempt.job_id, attempt.number)
            if result is None:
                continue
            if isinstance(result, Error):
                failure = Failure(Reason.TOOL_CRASH, f"the worker failed: {result.metadata.get('error')}")
                result = JobResult(attempt.job_id, attempt.number, failure=failure)
            self._end(attempt, result)

    def _end(self, attempt: Attempt, result: JobResult) -> None:
        del self._attempts[attempt.job_id]
        self._queue.forget(attempt.job_id, attempt.number)
        if attempt.called_off:
            remove_workspace(self._settings.workspace(attempt.job_id))
            return
        state = self._ledger.finish(result, self._policy, random.random())  # noqa: S311 (spreads load, no secret)
        if state is not None and not state.is_live:
            tidy(self._settings.workspace(attempt.job_id), result.failure)
        why = f" ({result.failure.reason}: {result.failure.detail})" if result.failure else ""
        log.info("job %d, attempt %d: %s%s", attempt.job_id, attempt.number, state or "too late", why)

    def _listen(self) -> None:
        if not self._attempts:
            return
        running = {claim.job_id: claim.attempt for claim in self._ledger.running()}
        for attempt in list(self._attempts.values()):
            if running.get(attempt.job_id) != attempt.number and not attempt.called_off:
                log.info("job %d was cancelled, calling off attempt %d", attempt.job_id, attempt.number)
                self._queue.call_off(attempt.job_id, attempt.number)
                attempt.called_off = True
            self._hear(attempt)
            lives = attempt.life.pid == 0 or process_lives(attempt.life.pid)
            if is_lost(attempt.life, time.monotonic(), self._settings.lease, worker_lives=lives):
                how = "is silent" if lives else "died"
                self._queue.call_off(attempt.job_id, attempt.number)
                self._end(
                    attempt,
                    JobResult(attempt.job_id, attempt.number, failure=Failure(Reason.INTERRUPTED, f"the worker {how}")),
                )

    def _hear(self, attempt: Attempt) -> None:
        sign = self._queue.life(attempt.job_id, attempt.number)
        if sign is None or sign == attempt.sign:
            return
        now = time.monotonic()
        if attempt.sign is None or sign.progress != attempt.sign.progress:
            self._ledger.report_progress(attempt.job_id, attempt.number, sign.progress)
        attempt.sign, attempt.life = sign, Life(now, sign.pid)
        if now - attempt.leased_at > self._settings.lease / 3:
            attempt.leased_at = now
            self._ledger.extend_lease(attempt.job_id, attempt.number, self._settings.lease)

    def _take_back(self) -> None:
        for claim in self._ledger.running():
            # What a daemon runs and is not among our attempts is of a daemon that ended.
            if claim.job_id not in self._attempts and is_abandoned(
                claim, time.time(), owner_lives=claim.owner != DAEMON
            ):
                log.info("job %d was left running by %s, queueing it again", claim.job_id, claim.owner)
                self._ledger.give_back(claim.job_id, claim.attempt, f"the {claim.owner} that worked on it ended")

    def _dispatch(self) -> None:
        if self._ledger.control("paused", "") == "yes":
            return
        jobs = int(self._ledger.control("jobs", str(self._settings.jobs)))
        self._workers.grow(jobs)
        if self._hold.now(self._settings):
            return
        free = jobs - len(self._attempts)
        if free <= 0:
            return
        # A job that was called off and asked for again waits until its earlier attempt has ended.
        ready = [job_id for job_id in self._ledger.next_jobs(jobs) if job_id not in self._attempts]
        for job_id in ready[:free]:
            job = self._ledger.claim(job_id, DAEMON, self._settings.lease)
            if job is None:
                continue
            task_id = self._workers.enqueue(JobSpec.of(job, self._settings).to_json())
            now = time.monotonic()
            self._attempts[job_id] = Attempt(job_id, job.attempt, task_id, Life(now), now)
            log.info("job %d, attempt %d: %s", job_id, job.attempt, job.source)


def process_lives(pid: int) -> bool:
    """Whether a process of ours still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
