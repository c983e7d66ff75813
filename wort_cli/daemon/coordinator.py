"""The coordinator: the only one that moves jobs along.  It decides, and has the ledger and the queue carry it out.

A turn: collect results; listen to running attempts, call off those whose job was cancelled, kill and give back those
that are lost; wake jobs that have waited; dispatch queued ones to free workers, by priority.
"""

import logging
import random
import time
from dataclasses import dataclass, replace

from huey.utils import Error

from wort_cli.daemon.abandoned import AbandonedJobs
from wort_cli.daemon.admission_watch import AdmissionWatch
from wort_cli.daemon.queue import Heartbeat, WorkQueue
from wort_cli.daemon.workers import Workers
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import DAEMON, Life, Loss, Patience, loss, short_owner
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.toolkit.processes import kill_attempt
from wort_cli.pipeline.workspace import attempt_directory, remove_workspace, tidy
from wort_cli.settings import Settings
from wort_cli.system.process_identity import kill_process, lives

WAKE_EVERY = 1.0
"""Seconds between looks for jobs that have waited long enough, and for jobs that are nobody's."""
CANCEL_WITHIN = 1.0
"""Seconds that a worker has to end an attempt that was called off; then it is killed."""

log = logging.getLogger(__name__)


@dataclass
class RunningAttempt:
    """An attempt that a worker has."""

    job_id: int
    number: int
    task_id: str
    life: Life
    leased_at: float
    sign: Heartbeat | None = None
    cancelled_at: float | None = None
    ended: bool = False
    """Whether the ledger knows how it ended; what the queue has of it is still to be forgotten."""


class Coordinator:
    """Moves jobs along, one `turn` after the other.  Not to be used from several threads."""

    def __init__(self, ledger: Ledger, queue: WorkQueue, workers: Workers, settings: Settings) -> None:
        self._ledger = ledger
        self._queue = queue
        self._workers = workers
        self._attempts: dict[int, RunningAttempt] = {}
        self._others = AbandonedJobs()
        self._woke_at = 0.0
        self._hold = AdmissionWatch()
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """Go by these settings from now on; attempts that have begun go by what they were given."""
        self._settings = settings
        self._policy = RetryPolicy.of(settings)
        self._patience = Patience(
            silent=settings.lease,
            hanging=settings.hang_timeout,
            standing=settings.stall_timeout + settings.hang_timeout,
        )

    @property
    def held(self) -> str:
        """Why no job begins, if none may."""
        return self._hold.why

    @property
    def damage(self) -> str:
        """Which disk is breaking, if one is."""
        return self._hold.damage

    def excuse(self) -> None:
        """A turn failed, on account of a full disk perhaps: no worker is to blame for its silence meanwhile."""
        for attempt in self._attempts.values():
            now = time.monotonic()
            attempt.life = replace(attempt.life, heard_at=now, asked_at=now, moved_at=now)

    @property
    def busy(self) -> bool:
        """Whether any worker has a job."""
        return bool(self._attempts)

    @property
    def jobs(self) -> frozenset[int]:
        """The jobs that workers have, called off or not."""
        return frozenset(self._attempts)

    def turn(self) -> None:
        """Do all there is to do now."""
        if self._queue.is_lost():
            self._begin_anew()
        self._collect()
        self._listen()
        now = time.monotonic()
        if now - self._woke_at > WAKE_EVERY:
            self._woke_at = now
            self._take_back()
            self._ledger.attempts.wake(self._policy.longest_wait)
            self._workers.heal(self._settings.lease)
        self._dispatch()

    def _begin_anew(self) -> None:
        """Make another queue in place of one that is lost: workers that have the old one hear nothing any more."""
        log.warning("%s was deleted or damaged; making it anew, and starting other workers", self._queue.path)
        self._workers.stop()
        self._give_back_what_runs("the queue's file was lost")
        self._queue.make_anew()
        self._workers.start_again()

    def give_all_back(self) -> None:
        """Once the workers have stopped: keep the results there are, queue the rest again."""
        self._give_back_what_runs("the daemon was stopped")

    def _give_back_what_runs(self, why: str) -> None:
        try:
            self._collect()
        except Exception:  # of a damaged file; what was in it is done again
            log.exception("the results in the queue can't be read")
        for attempt in self._attempts.values():
            self._end_processes(attempt.job_id, attempt.number)
            self._ledger.attempts.requeue(attempt.job_id, attempt.number, why)
        self._attempts.clear()

    def _collect(self) -> None:
        for attempt in list(self._attempts.values()):
            if attempt.ended:  # the queue could not be written then
                self._forget(attempt)
                continue
            result = self._queue.result(attempt.task_id)
            if result is None:
                continue
            if isinstance(result, Error):
                failure = Failure(Reason.TOOL_CRASH, f"the worker failed: {result.metadata.get('error')}")
                result = JobResult(attempt.job_id, attempt.number, failure=failure)
            self._end(attempt, result)

    def _end(self, attempt: RunningAttempt, result: JobResult) -> None:
        if attempt.cancelled_at is not None:
            remove_workspace(self._settings.workspace(attempt.job_id))
        else:
            self._finish(attempt, result)
        attempt.ended = True
        self._forget(attempt)

    def _forget(self, attempt: RunningAttempt) -> None:
        self._queue.forget(attempt.task_id, attempt.job_id, attempt.number)
        del self._attempts[attempt.job_id]

    def _finish(self, attempt: RunningAttempt, result: JobResult) -> None:
        if result.failure and result.failure.reason is Reason.DISK_ERROR:
            self._hold.doubt()
        state = self._ledger.attempts.finish(result, self._policy, random.random())  # noqa: S311 (spreads load, no secret)
        if state is not None and not state.is_live:
            tidy(self._settings.workspace(attempt.job_id), result.failure)
        why = f" ({result.failure.reason}: {result.failure.detail})" if result.failure else ""
        log.info("job %d, attempt %d: %s%s", attempt.job_id, attempt.number, state or "too late", why)

    def _listen(self) -> None:
        if not self._attempts:
            return
        running = {claim.job_id: claim.attempt for claim in self._ledger.attempts.running()}
        for attempt in list(self._attempts.values()):
            self._hear(attempt)
            if attempt.cancelled_at is not None:
                self._insist(attempt)
            elif running.get(attempt.job_id) != attempt.number:
                log.info("job %d was cancelled, calling off attempt %d", attempt.job_id, attempt.number)
                self._queue.cancel(attempt.job_id, attempt.number)
                attempt.cancelled_at = time.monotonic()
            else:
                self._lose_if_lost(attempt)

    def _hear(self, attempt: RunningAttempt) -> None:
        sign = self._queue.life(attempt.job_id, attempt.number)
        if sign is None or sign == attempt.sign:
            return
        now = time.monotonic()
        before, life = attempt.sign, attempt.life
        moved = before is None or place_of(sign) != place_of(before)
        if before is None or sign.progress != before.progress:
            self._ledger.attempts.report_progress(attempt.job_id, attempt.number, sign.progress)
        moved_at = now if moved else life.moved_at
        attempt.sign = sign
        attempt.life = Life(now, now - sign.silent, moved_at, sign.progress.stage, sign.process)
        if now - attempt.leased_at > self._settings.lease / 3:
            attempt.leased_at = now
            self._ledger.attempts.extend_lease(attempt.job_id, attempt.number, self._settings.lease)

    def _lose_if_lost(self, attempt: RunningAttempt) -> None:
        process = attempt.life.process
        how = loss(attempt.life, time.monotonic(), self._patience, worker_lives=process is not None and lives(process))
        if how is None:
            return
        if how is Loss.UNKNOWN and self._queue.has_waiting():
            return  # workers are still starting, or about to be replaced
        if how is Loss.UNKNOWN and self._queue.take(attempt.job_id, attempt.number):  # no worker has it, nor ever will
            del self._attempts[attempt.job_id]
            log.warning("job %d, attempt %d: no worker took it", attempt.job_id, attempt.number)
            self._ledger.attempts.requeue(attempt.job_id, attempt.number, "no worker took it")
            return
        self._kill(attempt)
        failure = Failure(Reason.INTERRUPTED, f"the worker {how}")
        self._end(attempt, JobResult(attempt.job_id, attempt.number, failure=failure))

    def _insist(self, attempt: RunningAttempt) -> None:
        """See that an attempt that was called off ends, whatever its worker is at."""
        if attempt.cancelled_at is None or time.monotonic() - attempt.cancelled_at < CANCEL_WITHIN:
            return
        if attempt.life.process is None and not self._queue.take(attempt.job_id, attempt.number):
            return  # a worker has just begun, and is going to hear of it
        self._kill(attempt)
        self._end(attempt, JobResult(attempt.job_id, attempt.number))

    def _kill(self, attempt: RunningAttempt) -> None:
        """End the worker of an attempt and all its tools, stopped or not."""
        if attempt.life.process is not None and kill_process(attempt.life.process):
            log.warning("killed worker %d of job %d", attempt.life.process.pid, attempt.job_id)
        self._end_processes(attempt.job_id, attempt.number)

    def _end_processes(self, job_id: int, number: int) -> None:
        """End whatever still works on an attempt, by what its directory says."""
        kill_attempt(attempt_directory(self._settings.workspace(job_id), number))

    def _take_back(self) -> None:
        claims = [claim for claim in self._ledger.attempts.running() if claim.job_id not in self._attempts]
        for claim in self._others.abandoned(claims, self._settings.lease):
            log.info("job %d was left running by %s, queueing it again", claim.job_id, claim.owner)
            self._end_processes(claim.job_id, claim.attempt)
            why = f"the {short_owner(claim.owner)} that worked on it ended"
            self._ledger.attempts.requeue(claim.job_id, claim.attempt, why)

    def _dispatch(self) -> None:
        held = self._hold.now(self._settings)
        if self._ledger.controls.value("paused", "") == "yes":
            return
        jobs = int(self._ledger.controls.value("jobs", str(self._settings.jobs)))
        self._workers.grow(jobs)
        if held:
            return
        free = jobs - len(self._attempts)
        if free <= 0:
            return
        # A job that was called off and asked for again waits until its earlier attempt has ended.
        ready = [job_id for job_id in self._ledger.attempts.next_jobs(jobs) if job_id not in self._attempts]
        for job_id in ready[:free]:
            job = self._ledger.attempts.claim(job_id, DAEMON, self._settings.lease)
            if job is None:
                continue
            task_id = self._workers.enqueue(JobSpec.of(job, self._settings, jobs=jobs).to_json())
            now = time.monotonic()
            self._attempts[job_id] = RunningAttempt(job_id, job.attempt, task_id, Life(now, now, now), now)
            log.info("job %d, attempt %d: %s", job_id, job.attempt, job.source)


def place_of(sign: Heartbeat) -> tuple[str, int, int]:
    """How far a job is, whenever that was said."""
    return sign.progress.stage, sign.progress.spots, sign.progress.bases
