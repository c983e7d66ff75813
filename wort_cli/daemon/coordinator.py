"""The coordinator: changes the state of jobs while the daemon runs.

A turn, in order: recreate the queue if it was lost; collect results; check running attempts, which cancels, kills or
requeues them; requeue abandoned jobs; wake waiting jobs; replace dead workers; dispatch queued jobs to free workers.
ledger/retry.py decides when a job is retried, and model/lease.py when a worker counts as lost.
"""

import contextlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wort_cli.daemon.abandoned import AbandonedJobs
from wort_cli.daemon.admission_watch import AdmissionWatch
from wort_cli.daemon.queue import Heartbeat, TaskError, WorkQueue
from wort_cli.daemon.worker import STARTING
from wort_cli.daemon.workers import Workers
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.ledger.suspects import choose
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import DAEMON, Liveness, LivenessLimits, Loss, detect_loss, short_owner
from wort_cli.pipeline.download import may_need_download
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.toolkit.processes import kill_attempt
from wort_cli.pipeline.workspace import attempt_directory, count_finished_parts, record_hang
from wort_cli.settings import Settings
from wort_cli.system.process_identity import is_running, kill_process
from wort_cli.system.seals import load_key
from wort_cli.system.slots import Slots
from wort_cli.upkeep.ended_workspace import remove_ended_workspace

WAKE_EVERY = 1.0
"""Seconds between searches for abandoned jobs, for waiting jobs that are due, and for dead workers."""
CANCEL_WITHIN = 1.0
"""Seconds that a worker has to end a cancelled attempt before it is killed."""

log = logging.getLogger(__name__)


@dataclass
class RunningAttempt:
    """An attempt that was dispatched to a worker.  Times are of the coordinator's clock."""

    job_id: int
    number: int
    task_id: str
    liveness: Liveness
    leased_at: float
    place: str = ""
    """Its place among those that wait for a slot."""
    heartbeat: Heartbeat | None = None
    cancelled_at: float | None = None
    recorded: bool = False
    """Whether the ledger has the result.  The attempt is kept until the queue has forgotten it, too."""


class Coordinator:
    """Runs the jobs of a ledger, one `turn` after the other.  Not thread-safe.

    `clock` is a monotonic clock in seconds; `jitter` returns random numbers in [0, 1) that spread retries.
    """

    def __init__(
        self,
        ledger: Ledger,
        queue: WorkQueue,
        workers: Workers,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._workers = workers
        self._clock = clock
        self._jitter = jitter
        self._attempts: dict[int, RunningAttempt] = {}
        self._abandoned_jobs = AbandonedJobs(clock)
        self._admission = AdmissionWatch(clock)
        self._woke_at = float("-inf")
        self._slots = 0
        """How many jobs may use the processor, as workers see it."""
        self._not_ahead: set[int] = set()
        """Jobs that were found not to need a download; emptied every WAKE_EVERY seconds."""
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings to decisions and new attempts; running attempts keep the settings they started with."""
        self._settings = settings
        self._policy = RetryPolicy.of(settings)
        self._limits = LivenessLimits(
            heartbeat=settings.lease,
            check=settings.hang_timeout,
            progress=settings.stall_timeout + settings.hang_timeout,
        )

    @property
    def blocked_by(self) -> str:
        """Why no job may start; empty if jobs may start."""
        return self._admission.blocked_by

    @property
    def disk_damage(self) -> str:
        """Which disk cannot be written; empty if all can."""
        return self._admission.disk_damage

    @property
    def busy(self) -> bool:
        """Whether any worker has a job."""
        return bool(self._attempts)

    @property
    def jobs(self) -> frozenset[int]:
        """The numbers of the jobs that workers have, cancelled ones included."""
        return frozenset(self._attempts)

    def turn(self) -> None:
        """Do everything that is due now."""
        if self._queue.is_lost():
            self._recreate_queue()
        self._collect_results()
        self._check_attempts()
        now = self._clock()
        if now - self._woke_at > WAKE_EVERY:
            self._woke_at = now
            self._requeue_abandoned_jobs()
            self._ledger.attempts.wake(self._policy)
            self._workers.repair(self._settings.lease)
            self._not_ahead.clear()
        self._dispatch()

    def excuse_silence(self) -> None:
        """Restart all timeouts of workers.  Called after a failed turn: workers may have had the same trouble."""
        now = self._clock()
        for attempt in self._attempts.values():
            attempt.liveness = replace(attempt.liveness, heartbeat_at=now, checked_at=now, progress_at=now)

    def requeue_all(self) -> None:
        """Record the results that are there and requeue all other attempts.  The workers must have stopped."""
        self._requeue_attempts("the daemon was stopped")

    # ---- The queue was lost

    def _recreate_queue(self) -> None:
        """Create the queue again and start new workers, because the old ones have the old file open."""
        log.warning("%s was deleted or damaged; creating it again and starting new workers", self._queue.path)
        self._workers.stop()
        self._requeue_attempts("the queue's file was lost")
        self._queue.recreate()
        self._workers.start_again()

    def _requeue_attempts(self, why: str) -> None:
        try:
            self._collect_results()
        except Exception:  # the file is damaged; those attempts are repeated
            log.exception("the results in the queue cannot be read")
        for attempt in self._attempts.values():
            self._kill_processes(attempt.job_id, attempt.number)
            self._ledger.attempts.requeue(attempt.job_id, attempt.number, why)
        self._attempts.clear()

    # ---- Results

    def _collect_results(self) -> None:
        for attempt in list(self._attempts.values()):
            if attempt.recorded:  # the queue could not be written when the result was recorded
                self._forget(attempt)
                continue
            result = self._queue.result(attempt.task_id)
            if isinstance(result, TaskError):
                failure = Failure(Reason.TOOL_CRASH, f"the worker failed: {result.message}")
                result = JobResult(attempt.job_id, attempt.number, failure=failure)
            if result is not None:
                self._end(attempt, result)

    def _end(self, attempt: RunningAttempt, result: JobResult) -> None:
        if attempt.cancelled_at is not None:
            remove_ended_workspace(attempt.job_id, self._ledger, self._settings)
        else:
            self._record(attempt, result)
        attempt.recorded = True
        self._forget(attempt)

    def _record(self, attempt: RunningAttempt, result: JobResult) -> None:
        if result.failure and result.failure.reason is Reason.DISK_ERROR:
            self._admission.check_disks_now()
        state = self._ledger.attempts.finish(result, self._policy, self._jitter())
        if state is not None and not state.is_live:
            remove_ended_workspace(attempt.job_id, self._ledger, self._settings, result.failure)
        why = f" ({result.failure.reason}: {result.failure.detail})" if result.failure else ""
        log.info("job %d, attempt %d: %s%s", attempt.job_id, attempt.number, state or "result ignored, too late", why)

    def _forget(self, attempt: RunningAttempt) -> None:
        self._queue.forget(attempt.task_id, attempt.job_id, attempt.number)
        del self._attempts[attempt.job_id]

    # ---- Running attempts

    def _check_attempts(self) -> None:
        if not self._attempts:
            return
        running = {claim.job_id: claim.attempt for claim in self._ledger.attempts.running()}
        for attempt in list(self._attempts.values()):
            self._read_heartbeat(attempt)
            if attempt.cancelled_at is not None:
                self._kill_if_not_cancelled_in_time(attempt, attempt.cancelled_at)
            elif running.get(attempt.job_id) != attempt.number:
                log.info("job %d was cancelled, cancelling attempt %d", attempt.job_id, attempt.number)
                self._queue.cancel(attempt.job_id, attempt.number)
                attempt.cancelled_at = self._clock()
            else:
                self._end_if_lost(attempt)

    def _read_heartbeat(self, attempt: RunningAttempt) -> None:
        heartbeat = self._queue.heartbeat(attempt.job_id, attempt.number)
        if heartbeat is None or heartbeat == attempt.heartbeat:
            return
        now, last = self._clock(), attempt.heartbeat
        changed = last is None or heartbeat.progress != last.progress
        if changed and heartbeat.progress.stage != STARTING:  # each write to the ledger is synced
            self._ledger.attempts.report_progress(attempt.job_id, attempt.number, heartbeat.progress)
        advanced = last is None or position(heartbeat) != position(last)
        progress_at = now if advanced else attempt.liveness.progress_at
        attempt.heartbeat = heartbeat
        attempt.liveness = Liveness(now, now - heartbeat.idle, progress_at, heartbeat.progress.stage, heartbeat.process)
        if now - attempt.leased_at > self._settings.lease / 3:
            attempt.leased_at = now
            self._ledger.attempts.extend_lease(attempt.job_id, attempt.number, self._settings.lease)

    def _end_if_lost(self, attempt: RunningAttempt) -> None:
        process_runs = (process := attempt.liveness.process) is not None and is_running(process)
        how = detect_loss(attempt.liveness, self._clock(), self._limits, process_runs=process_runs)
        if how is None or (how is Loss.DIED and self._queue.result(attempt.task_id) is not None):
            return  # in the second case, it ended after it had reported
        if how is Loss.NOT_STARTED and self._queue.has_pending_tasks():
            return  # workers are starting, or about to be replaced
        if how is Loss.NOT_STARTED and self._queue.acquire(attempt.job_id, attempt.number):
            self._requeue_unstarted(attempt)  # now that no worker can acquire it
            return
        self._kill(attempt)
        if how in (Loss.HUNG, Loss.STALLED):
            record_hang(self._settings.workspace(attempt.job_id))
        why = f"the worker {how}"
        work = count_finished_parts(self._settings.workspace(attempt.job_id))
        if self._ledger.attempts.requeue_if_advanced(attempt.job_id, attempt.number, work, why):
            log.warning("job %d, attempt %d: %s; the next attempt goes on", attempt.job_id, attempt.number, why)
            attempt.recorded = True
            self._forget(attempt)
            return
        failure = Failure(Reason.INTERRUPTED, why)
        self._end(attempt, JobResult(attempt.job_id, attempt.number, failure=failure))

    def _requeue_unstarted(self, attempt: RunningAttempt) -> None:
        del self._attempts[attempt.job_id]
        log.warning("job %d, attempt %d: no worker started it", attempt.job_id, attempt.number)
        self._ledger.attempts.requeue(attempt.job_id, attempt.number, "no worker started it")

    def _kill_if_not_cancelled_in_time(self, attempt: RunningAttempt, cancelled_at: float) -> None:
        if self._clock() - cancelled_at < CANCEL_WITHIN:
            return
        if attempt.liveness.process is None and not self._queue.acquire(attempt.job_id, attempt.number):
            return  # a worker has just started it, and will find that it is cancelled
        self._kill(attempt)
        self._end(attempt, JobResult(attempt.job_id, attempt.number))

    def _kill(self, attempt: RunningAttempt) -> None:
        """Kill the worker of an attempt and all its tools, stopped or not."""
        worker = attempt.liveness.process
        if worker is not None and kill_process(worker):
            log.warning("killed worker %d of job %d", worker.pid, attempt.job_id)
            self._workers.note_kill(worker.pid)
            Slots(self._settings.slots_dir, 1).release(attempt.place)  # it may wait for a disk, and not end
        self._kill_processes(attempt.job_id, attempt.number)

    def _kill_processes(self, job_id: int, number: int) -> None:
        """Kill the processes that are recorded in the directory of an attempt."""
        kill_attempt(attempt_directory(self._settings.workspace(job_id), number), load_key(self._settings.key_file))

    # ---- Jobs without an attempt

    def _requeue_abandoned_jobs(self) -> None:
        claims = [claim for claim in self._ledger.attempts.running() if claim.job_id not in self._attempts]
        for claim in self._abandoned_jobs.abandoned(claims, self._settings.lease):
            log.info("job %d was abandoned by %s, requeueing it", claim.job_id, claim.owner)
            self._kill_processes(claim.job_id, claim.attempt)
            why = f"the {short_owner(claim.owner)} that ran it ended"
            self._ledger.attempts.requeue(claim.job_id, claim.attempt, why)

    def _dispatch(self) -> None:
        blocked_by = self._admission.check(self._settings)
        limit = self._ledger.controls.job_limit(self._settings.jobs)
        self._set_slots(limit)
        if self._ledger.controls.paused:
            return
        self._workers.grow(limit)
        most = limit + self._settings.fetch_ahead
        if blocked_by or len(self._attempts) >= most:
            return
        for job_id in self._ready_jobs(most)[: most - len(self._attempts)]:
            if len(self._attempts) >= limit and not self._may_be_fetched_ahead(job_id):
                return  # no later job overtakes it
            self._start(job_id, limit)

    def _ready_jobs(self, most: int) -> Sequence[int]:
        """Return the jobs that may start now, in order."""
        suspects = self._ledger.suspects.all()
        # A job that was cancelled and queued again waits until its earlier attempt has ended.
        ready = [id_ for id_ in self._ledger.jobs.next_jobs(most + len(suspects)) if id_ not in self._attempts]
        if not suspects:
            return ready
        return choose(ready, self._attempts, suspects, self._ledger.suspects.queued(), self._policy.daemon_crashes)

    def _set_slots(self, limit: int) -> None:
        """Let `limit` jobs use the processor; jobs that wait for a slot see a new limit too."""
        if self._slots != limit:
            with contextlib.suppress(OSError):  # the disk is full; try again in the next turn
                Slots(self._settings.slots_dir, limit).set_number(limit)
                self._slots = limit

    def _may_be_fetched_ahead(self, job_id: int) -> bool:
        """Return whether a job has something to fetch, so that it is worth starting while others use the processor."""
        if job_id in self._not_ahead:
            return False
        if may_need_download(self._ledger.jobs.get(job_id), self._settings):
            return True
        self._not_ahead.add(job_id)
        return False

    def _start(self, job_id: int, limit: int) -> None:
        job = self._ledger.attempts.claim(job_id, DAEMON, self._settings.lease)
        if job is None:  # it is no longer queued
            return
        self._workers.grow(len(self._attempts) + 1)
        spec = JobSpec.of(job, self._settings, jobs=limit)
        task_id = self._workers.enqueue(spec.to_json())
        now = self._clock()
        self._attempts[job_id] = RunningAttempt(
            job_id, job.attempt, task_id, Liveness(now, now, now), now, spec.slot.place if spec.slot else ""
        )
        log.info("job %d, attempt %d: %s", job_id, job.attempt, job.source)


def position(heartbeat: Heartbeat) -> tuple[str, int, int]:
    """Return how far a job is: its stage, spots and bases."""
    return heartbeat.progress.stage, heartbeat.progress.spots, heartbeat.progress.bases
