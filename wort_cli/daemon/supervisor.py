"""Supervises the attempts that this machine's worker processes run: starts them, collects results, ends lost ones.

A turn, in order: recreate the queue if it was lost; collect results; check running attempts, which cancels, kills or
gives them up.  The result of an attempt is reported to `Outcomes`: the ledger, or the coordinator on another host.
model/lease.py decides when a worker counts as lost.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from wort_cli.daemon.queue import Heartbeat, TaskError, WorkQueue
from wort_cli.daemon.worker import STARTING
from wort_cli.daemon.workers import Workers
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Job, Progress
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import DAEMON, Liveness, LivenessLimits, Loss, detect_loss
from wort_cli.pipeline.download import may_need_download
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.toolkit.processes import kill_attempt
from wort_cli.pipeline.workspace import attempt_directory, count_finished_parts, record_hang
from wort_cli.settings import Settings
from wort_cli.system.process_identity import is_running, kill_process
from wort_cli.system.seals import load_key
from wort_cli.system.slots import Slots

CANCEL_WITHIN = 1.0
"""Seconds that a worker has to end a cancelled attempt before it is killed."""

log = logging.getLogger(__name__)


class Outcomes(Protocol):
    """Receives the results of attempts."""

    def together(self) -> AbstractContextManager[None]:
        """Record what is reported inside of it in one commit."""

    def expected(self) -> Mapping[int, int]:
        """Return the jobs that should be running, each with the number of its attempt."""

    def report_progress(self, job_id: int, attempt: int, progress: Progress) -> None:
        """Record the progress of an attempt."""

    def extend_lease(self, job_id: int, attempt: int) -> None:
        """Record that an attempt is running."""

    def finish(self, result: JobResult) -> None:
        """Record the result of an attempt."""

    def requeue(self, job_id: int, attempt: int, why: str) -> None:
        """Queue a job again; its attempt does not count as a failure."""

    def requeue_if_advanced(self, job_id: int, attempt: int, work: int, why: str) -> bool:
        """Do so if the next attempt can use more finished work than the last one could; else return False."""

    def discard(self, job_id: int) -> None:
        """Remove what a cancelled attempt has left."""


@dataclass
class RunningAttempt:
    """An attempt that was dispatched to a worker.  Times are of the supervisor's clock."""

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
    """Whether its outcome is recorded.  The attempt is kept until the queue has forgotten it, too."""


class Supervisor:
    """The attempts that run on this machine.  Not thread-safe.  `clock` is a monotonic clock in seconds."""

    owner = DAEMON
    blocked_by = ""

    def __init__(
        self, queue: WorkQueue, workers: Workers, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._queue = queue
        self._workers = workers
        self._clock = clock
        self._attempts: dict[int, RunningAttempt] = {}
        self._slots = 0
        """The number of jobs that may use the processor, as the workers read it."""
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """Apply settings to decisions and new attempts; running attempts keep the settings they started with."""
        self._settings = settings
        self._limits = LivenessLimits(
            heartbeat=settings.lease,
            check=settings.hang_timeout,
            progress=settings.stall_timeout + settings.hang_timeout,
        )

    @property
    def jobs(self) -> frozenset[int]:
        """The numbers of the jobs that workers have, cancelled ones included."""
        return frozenset(self._attempts)

    def turn(self, outcomes: Outcomes) -> None:
        """Collect results and check running attempts."""
        if self._queue.is_lost():
            self._recreate_queue(outcomes)
        self.collect_results(outcomes)
        self.check_attempts(outcomes)

    def repair(self) -> None:
        """Replace dead workers."""
        self._workers.repair(self._settings.lease)

    def excuse_silence(self) -> None:
        """Restart all timeouts of workers.  Called after a failed turn: workers may have had the same trouble."""
        now = self._clock()
        for attempt in self._attempts.values():
            attempt.liveness = replace(attempt.liveness, heartbeat_at=now, checked_at=now, progress_at=now)

    def requeue_all(self, outcomes: Outcomes, why: str) -> None:
        """Record the results that are there and requeue all other attempts.  The workers must have stopped."""
        try:
            self.collect_results(outcomes)
        except Exception:  # the file is damaged; those attempts are repeated
            log.exception("the results in the queue cannot be read")
        for attempt in self._attempts.values():
            self.kill_processes(attempt.job_id, attempt.number)
            outcomes.requeue(attempt.job_id, attempt.number, why)
        self._attempts.clear()

    # ---- Starting attempts

    def limit(self, wanted: int | None) -> int:
        """Return how many jobs may run at a time, where the user has set `wanted`, or None."""
        return self._settings.jobs if wanted is None else wanted

    def most(self, limit: int) -> int:
        """Return how many jobs may be started when `limit` may run, which includes those that only fetch."""
        return limit + self._settings.fetch_ahead

    def set_limit(self, limit: int) -> None:
        """Let `limit` jobs use the processor; jobs that wait for a slot see a new limit too."""
        if self._slots != limit:
            with contextlib.suppress(OSError):  # the disk is full; try again in the next turn
                Slots(self._settings.slots_dir, limit).set_number(limit)
                self._slots = limit

    def grow(self, limit: int) -> None:
        """Start workers until there are `limit`."""
        self._workers.grow(limit)

    def may_start_ahead(self, job: Job) -> bool:
        """Return whether a job has something to fetch, so that it is worth starting while others use the processor."""
        return may_need_download(job, self._settings)

    def start(self, job: Job, limit: int) -> None:
        """Start the attempt of a job that was claimed."""
        self.start_spec(JobSpec.of(job, self._settings, jobs=limit))

    def flush(self) -> None:
        """Do nothing: each attempt is in the queue already."""

    def start_spec(self, spec: JobSpec) -> None:
        """Put an attempt into the queue of the workers."""
        self._workers.grow(len(self._attempts) + 1)
        task_id = self._workers.enqueue(spec.to_json())
        now = self._clock()
        place = spec.slot.place if spec.slot else ""
        self._attempts[spec.job_id] = RunningAttempt(
            spec.job_id, spec.attempt, task_id, Liveness(now, now, now), now, place
        )
        log.info("job %d, attempt %d: %s", spec.job_id, spec.attempt, spec.source)

    # ---- The queue was lost

    def _recreate_queue(self, outcomes: Outcomes) -> None:
        """Create the queue again and start new workers, because the old ones have the old file open."""
        log.warning("%s was deleted or damaged; creating it again and starting new workers", self._queue.path)
        self._workers.stop()
        self.requeue_all(outcomes, "the queue's file was lost")
        self._queue.recreate()
        self._workers.start_again()

    # ---- Results

    def collect_results(self, outcomes: Outcomes) -> None:
        """Record the results that have arrived."""
        for attempt in list(self._attempts.values()):
            if attempt.recorded:  # the queue could not be written when the result was recorded
                self._forget(attempt)
                continue
            result = self._queue.result(attempt.task_id)
            if isinstance(result, TaskError):
                failure = Failure(Reason.TOOL_CRASH, f"the worker failed: {result.message}")
                result = JobResult(attempt.job_id, attempt.number, failure=failure)
            if result is not None:
                self._end(outcomes, attempt, result)

    def _end(self, outcomes: Outcomes, attempt: RunningAttempt, result: JobResult) -> None:
        if attempt.cancelled_at is not None:
            outcomes.discard(attempt.job_id)
        else:
            outcomes.finish(result)
        attempt.recorded = True
        self._forget(attempt)

    def _forget(self, attempt: RunningAttempt) -> None:
        self._queue.forget(attempt.task_id, attempt.job_id, attempt.number)
        del self._attempts[attempt.job_id]

    # ---- Running attempts

    def check_attempts(self, outcomes: Outcomes) -> None:
        """Cancel the attempts that should not be running, and end those that are lost."""
        if not self._attempts:
            return
        expected = outcomes.expected()
        for attempt in list(self._attempts.values()):
            self._read_heartbeat(outcomes, attempt)
            if attempt.cancelled_at is not None:
                self._kill_if_not_cancelled_in_time(outcomes, attempt, attempt.cancelled_at)
            elif expected.get(attempt.job_id) != attempt.number:
                log.info("job %d was cancelled, cancelling attempt %d", attempt.job_id, attempt.number)
                self._queue.cancel(attempt.job_id, attempt.number)
                attempt.cancelled_at = self._clock()
            else:
                self._end_if_lost(outcomes, attempt)

    def _read_heartbeat(self, outcomes: Outcomes, attempt: RunningAttempt) -> None:
        heartbeat = self._queue.heartbeat(attempt.job_id, attempt.number)
        if heartbeat is None or heartbeat == attempt.heartbeat:
            return
        now, last = self._clock(), attempt.heartbeat
        changed = last is None or heartbeat.progress != last.progress
        if changed and heartbeat.progress.stage != STARTING:  # each write to the ledger is synced
            outcomes.report_progress(attempt.job_id, attempt.number, heartbeat.progress)
        advanced = last is None or position(heartbeat) != position(last)
        progress_at = now if advanced else attempt.liveness.progress_at
        attempt.heartbeat = heartbeat
        attempt.liveness = Liveness(now, now - heartbeat.idle, progress_at, heartbeat.progress.stage, heartbeat.process)
        if now - attempt.leased_at > self._settings.lease / 3:
            attempt.leased_at = now
            outcomes.extend_lease(attempt.job_id, attempt.number)

    def _end_if_lost(self, outcomes: Outcomes, attempt: RunningAttempt) -> None:
        process_runs = (process := attempt.liveness.process) is not None and is_running(process)
        how = detect_loss(attempt.liveness, self._clock(), self._limits, process_runs=process_runs)
        if how is None or (how is Loss.DIED and self._queue.result(attempt.task_id) is not None):
            return  # in the second case, it ended after it had reported
        if how is Loss.NOT_STARTED and self._queue.has_pending_tasks():
            return  # workers are starting, or about to be replaced
        if how is Loss.NOT_STARTED and self._queue.acquire(attempt.job_id, attempt.number):
            self._requeue_unstarted(outcomes, attempt)  # now that no worker can acquire it
            return
        self._kill(attempt)
        if how in (Loss.HUNG, Loss.STALLED):
            record_hang(self._settings.workspace(attempt.job_id))
        why = f"the worker {how}"
        work = count_finished_parts(self._settings.workspace(attempt.job_id))
        if outcomes.requeue_if_advanced(attempt.job_id, attempt.number, work, why):
            log.warning("job %d, attempt %d: %s; the next attempt continues", attempt.job_id, attempt.number, why)
            attempt.recorded = True
            self._forget(attempt)
            return
        failure = Failure(Reason.INTERRUPTED, why)
        self._end(outcomes, attempt, JobResult(attempt.job_id, attempt.number, failure=failure, work=work))

    def _requeue_unstarted(self, outcomes: Outcomes, attempt: RunningAttempt) -> None:
        del self._attempts[attempt.job_id]
        log.warning("job %d, attempt %d: no worker started it", attempt.job_id, attempt.number)
        outcomes.requeue(attempt.job_id, attempt.number, "no worker started it")

    def _kill_if_not_cancelled_in_time(self, outcomes: Outcomes, attempt: RunningAttempt, cancelled_at: float) -> None:
        if self._clock() - cancelled_at < CANCEL_WITHIN:
            return
        if attempt.liveness.process is None and not self._queue.acquire(attempt.job_id, attempt.number):
            return  # a worker has just started it, and will find that it is cancelled
        self._kill(attempt)
        self._end(outcomes, attempt, JobResult(attempt.job_id, attempt.number))

    def _kill(self, attempt: RunningAttempt) -> None:
        """Kill the worker of an attempt and all its tools, stopped or not."""
        worker = attempt.liveness.process
        if worker is not None and kill_process(worker):
            log.warning("killed worker %d of job %d", worker.pid, attempt.job_id)
            self._workers.note_kill(worker.pid)
            Slots(self._settings.slots_dir, 1).release(attempt.place)  # it may wait for a disk, and not end
        self.kill_processes(attempt.job_id, attempt.number)

    def kill_processes(self, job_id: int, number: int) -> None:
        """Kill the processes that are recorded in the directory of an attempt."""
        kill_attempt(attempt_directory(self._settings.workspace(job_id), number), load_key(self._settings.key_file))


def position(heartbeat: Heartbeat) -> tuple[str, int, int]:
    """Return how far a job is: its stage, spots and bases."""
    return heartbeat.progress.stage, heartbeat.progress.spots, heartbeat.progress.bases
