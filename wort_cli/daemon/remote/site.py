"""The coordinator's side of workers on other hosts: sends jobs, collects answers, notices that a worker is lost.

A turn, in order: read the beats of the workers; collect the answers; give up attempts that are not expected any more,
or whose worker is silent or has dropped them.  At its end, `flush` writes the board, and sends the orders that are not
sent yet.

Silence is measured on this process's monotonic clock, from when a beat last changed, and only while the queue itself
can be read.  The board is written before an order is sent, because a worker takes no order that it does not name.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from wort_cli.daemon.remote.attempt_keys import answer_key, keys_of, left_behind
from wort_cli.daemon.remote.board_writer import BoardWriter
from wort_cli.daemon.remote.receive import Received, receive
from wort_cli.daemon.remote.remote_queue import RemoteQueue
from wort_cli.daemon.remote.roster import Roster
from wort_cli.daemon.remote.wire import Order
from wort_cli.daemon.supervisor import Outcomes
from wort_cli.daemon.worker import STARTING
from wort_cli.errors import printable, shown
from wort_cli.health.workers_file import write_workers
from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.model.job import Job, Progress
from wort_cli.model.job_result import JobResult
from wort_cli.model.lease import WORKERS, Silence, decide_silence
from wort_cli.pipeline.check import failure_from_exception
from wort_cli.pipeline.portable_spec import PortableSpec
from wort_cli.settings import Settings

LOOK_EVERY = 0.2
"""Seconds between looks for answers."""
READ_BEATS_EVERY = 1.0
MOST_ORDERS = 200
RECEIVE_WITHIN = 1.0
"""Seconds in a turn after which no further answer is received."""
SWEEP_EVERY = 3600.0
"""Seconds between searches for keys of attempts that have ended; the first is made at the start."""

log = logging.getLogger(__name__)


@dataclass
class RemoteAttempt:
    """An attempt that was sent to workers.  Times are of the coordinator's clock."""

    job: Job
    number: int
    seen_at: float
    """When its worker last gave a sign; before it has one, when the order was sent."""
    order: bytes | None = None
    """The order, until it is sent."""
    worker: str = ""
    progress: Progress | None = None
    leased_at: float = float("-inf")


class RemoteSite:
    """See Site.  `ended` returns those of some jobs that have ended, `drained` the workers that are to take no more.

    Not thread-safe.
    """

    owner = WORKERS

    def __init__(
        self,
        queue: RemoteQueue,
        settings: Settings,
        home: str,
        *,
        ended: Callable[[Collection[int]], Collection[int]],
        drained: Callable[[], Collection[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._home = home
        self._ended = ended
        self._drained = drained
        self._clock = clock
        self._attempts: dict[int, RemoteAttempt] = {}
        self._refused: list[JobResult] = []
        """Results of jobs that cannot be sent to workers."""
        self._ended_workspaces: dict[str, tuple[int, ...]] = {}
        self._silences: dict[int, int] = {}
        self._stale: list[str] = []
        """Keys of attempts that have ended."""
        self._roster = Roster(home, clock)
        self._board = BoardWriter(queue, home, clock)
        self._looked_at = self._swept_at = float("-inf")
        self.reconfigure(settings)

    def reconfigure(self, settings: Settings) -> None:
        """See Site."""
        self._settings = replace(settings, threads=1)  # no job runs here, so that nothing depends on this host's cores

    @property
    def jobs(self) -> frozenset[int]:
        """See Site."""
        return frozenset(self._attempts)

    def adopt(self, jobs: Sequence[Job]) -> None:
        """Take over the attempts that an earlier coordinator has sent: workers may have them."""
        for job in jobs:
            self._attempts[job.id] = RemoteAttempt(job, job.attempt, self._clock())
            log.info("job %d, attempt %d: waiting for the worker that may have it", job.id, job.attempt)

    def claim_queue(self) -> None:
        """Write the first board.  Raises QueueUnavailable if another coordinator uses the queue."""
        self._board.claim()
        self._write_board()

    # ---- A turn

    def turn(self, outcomes: Outcomes) -> None:
        """See Site."""
        for result in self._refused:
            outcomes.finish(result)
        self._refused.clear()
        now = self._clock()
        if now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        if self._roster.read_at + READ_BEATS_EVERY <= now:
            self._roster.read(self._queue.beats())
            self._note_beats(outcomes)
        self._collect_answers(outcomes)
        self._give_up_unexpected(outcomes)
        self._end_lost(outcomes)

    def repair(self) -> None:
        """Tell commands which workers there are, and forget those that are gone."""
        for worker in self._roster.gone(self._settings.worker_lease):
            self._queue.remove_beat(worker)
        self._ended_workspaces = self._roster.ended_workspaces(self._ended, self._attempts)
        self._sweep()
        try:
            write_workers(self._settings.workers_file, self._roster.seen(self._drained()))
        except OSError as error:
            log.error("%s cannot be written: %s", self._settings.workers_file, error)

    def excuse_silence(self) -> None:
        """See Site."""
        now = self._clock()
        self._roster.excuse_silence()
        for attempt in self._attempts.values():
            attempt.seen_at = now

    def requeue_all(self, outcomes: Outcomes, why: str) -> None:
        """Record the answers that are there.  Workers continue other jobs, and a later coordinator takes them over."""
        self._collect_answers(outcomes)
        if self._attempts:
            log.info("%d jobs stay with workers on other hosts", len(self._attempts))

    def kill_processes(self, job_id: int, number: int) -> None:
        """Do nothing: the worker ends an attempt that the board does not name."""

    # ---- Starting attempts

    @property
    def blocked_by(self) -> str:
        """See Site."""
        if self._roster.room(self._drained()):
            return ""
        return "no job starts: no worker is connected to the queue (`wort worker` on each host)"

    def count_alive(self) -> tuple[int, int]:
        """Return how many workers give signs, twice: nobody knows how many there should be."""
        alive = self._roster.count_alive()
        return alive, alive

    def limit(self, wanted: int | None) -> int:
        """Return how many jobs all workers take, and at most `wanted`."""
        room = self._roster.room(self._drained())
        return room if wanted is None else min(room, wanted)

    def most(self, limit: int) -> int:
        """See Site.  An order may have a large signature, and all of a turn are in memory."""
        return min(limit, len(self._attempts) + MOST_ORDERS)

    def set_limit(self, limit: int) -> None:
        """Do nothing: each worker has its own limit."""

    def grow(self, limit: int) -> None:
        """Do nothing: workers are started by people."""

    def may_start_ahead(self, job: Job) -> bool:
        """See Site."""
        return False

    def start(self, job: Job, limit: int) -> None:
        """See Site."""
        try:
            spec = PortableSpec.of(job, self._settings)
        except (JobFailed, OSError) as error:
            self._refused.append(JobResult(job.id, job.attempt, failure=failure_from_exception(error)))
            return
        now = self._clock()
        self._attempts[job.id] = RemoteAttempt(job, job.attempt, now, Order(self._home, spec).pack(), leased_at=now)
        log.info("job %d, attempt %d: %s", job.id, job.attempt, job.source)

    def flush(self) -> None:
        """Write the board, then send the orders that are not sent yet.  One that is sent twice is run once."""
        self._write_board()
        self._delete_stale()
        for attempt in self._attempts.values():
            if attempt.order is not None:
                self._queue.send(attempt.order, attempt.job.priority)
                attempt.order, attempt.seen_at = None, self._clock()

    # ---- Beats

    def _note_beats(self, outcomes: Outcomes) -> None:
        """Note which worker has which attempt, and how far it is; record that in one commit."""
        changed: list[RemoteAttempt] = []
        late: list[RemoteAttempt] = []
        for job_id, attempt in self._attempts.items():
            found = self._roster.find(job_id, attempt.number)
            if found is None:
                continue
            worker, seen_at, progress = found
            attempt.worker, attempt.seen_at = worker, max(attempt.seen_at, seen_at)
            if progress is not None and progress != attempt.progress and progress.stage != STARTING:
                attempt.progress = progress
                changed.append(attempt)
            if attempt.seen_at - attempt.leased_at > self._settings.lease / 3:
                attempt.leased_at = attempt.seen_at
                late.append(attempt)
        if not changed and not late:
            return
        with outcomes.together():
            for attempt in changed:
                if attempt.progress is not None:
                    outcomes.report_progress(attempt.job.id, attempt.number, attempt.progress)
            for attempt in late:
                outcomes.extend_lease(attempt.job.id, attempt.number)

    # ---- Answers

    def _collect_answers(self, outcomes: Outcomes) -> None:
        """Check the answers that have arrived, record them in one commit, then delete them from the queue."""
        if not self._attempts:
            return
        started, expected = time.monotonic(), outcomes.expected()
        keys = {answer_key(self._home, job_id, each.number): each for job_id, each in self._attempts.items()}
        received: list[tuple[RemoteAttempt, Received | None]] = []
        try:
            for key, data in self._queue.get(list(keys)).items():
                job = keys[key].job
                is_current = expected.get(job.id) == keys[key].number
                received.append((keys[key], receive(data, job, self._settings) if is_current else None))
                if time.monotonic() - started > RECEIVE_WITHIN:
                    self._looked_at = float("-inf")
                    break
        finally:  # also if one cannot be received, because the disk is full
            if received:
                with outcomes.together():
                    for attempt, each in received:
                        self._record(outcomes, attempt.job, each)
                self._forget([attempt for attempt, _ in received])

    def _record(self, outcomes: Outcomes, job: Job, received: Received | None) -> None:
        if received is None:  # the attempt is not the current one
            return
        result = received.result
        if received.returned:
            log.info("job %d, attempt %d: %s", job.id, job.attempt, shown(received.returned, 300))
            outcomes.requeue(job.id, job.attempt, printable(received.returned))
            return
        failure = result.failure
        if failure is not None and failure.reason is Reason.INTERRUPTED:
            why = failure.detail
            if outcomes.requeue_if_advanced(result.job_id, result.attempt, result.work, why):
                return
        outcomes.finish(result)

    def _forget(self, attempts: Sequence[RemoteAttempt]) -> None:
        for attempt in attempts:
            del self._attempts[attempt.job.id]
            self._silences.pop(attempt.job.id, None)
            self._stale += keys_of(self._home, attempt.job.id, attempt.number)
        self._delete_stale()

    def _delete_stale(self) -> None:
        """Delete what the queue has of attempts that have ended; `flush` does it if the queue cannot be reached now."""
        if self._stale:
            self._queue.delete(self._stale)
            self._stale.clear()

    def _sweep(self) -> None:
        """Find the keys of ended attempts whose coordinator and worker died before they deleted them."""
        now = self._clock()
        if now - self._swept_at >= SWEEP_EVERY:
            self._stale += left_behind(self._queue.all_keys(), self._home, self._numbers())
            self._swept_at = now

    # ---- Lost attempts

    def _give_up_unexpected(self, outcomes: Outcomes) -> None:
        """Give up attempts of jobs that were cancelled, or that another process runs now."""
        expected = outcomes.expected() if self._attempts else {}
        for job_id, attempt in list(self._attempts.items()):
            if expected.get(job_id) != attempt.number:
                log.info("job %d was cancelled, giving up attempt %d", job_id, attempt.number)
                outcomes.discard(job_id)
                self._forget([attempt])

    def _end_lost(self, outcomes: Outcomes) -> None:
        now, lease = self._clock(), self._settings.worker_lease
        pending: int | None = None
        for job_id, attempt in list(self._attempts.items()):
            if attempt.order is not None:
                continue
            silence = decide_silence(now - attempt.seen_at, lease, self._silences.get(job_id, 0))
            lost = silence is not Silence.WAIT
            if attempt.worker and self._roster.has_dropped(attempt.worker, job_id, attempt.number):
                self._requeue(outcomes, attempt, "the worker that had it ended")
            elif attempt.worker and lost:
                self._end_silent(outcomes, attempt, silence)
            elif not attempt.worker and (lost or self._roster.took_too_long(attempt.seen_at)):
                pending = self._queue.pending() if pending is None else pending
                if not pending:
                    self._requeue(outcomes, attempt, "the queue has lost it, or its worker ended at once")

    def _end_silent(self, outcomes: Outcomes, attempt: RemoteAttempt, silence: Silence) -> None:
        job_id = attempt.job.id
        why = f"the worker on {self._roster.host_of(attempt.worker)} sent no heartbeat"
        if silence is Silence.FAIL:
            outcomes.finish(JobResult(job_id, attempt.number, failure=Failure(Reason.INTERRUPTED, why)))
            self._forget([attempt])
            return
        times = self._silences.get(job_id, 0) + 1
        self._requeue(outcomes, attempt, why)
        self._silences[job_id] = times

    def _requeue(self, outcomes: Outcomes, attempt: RemoteAttempt, why: str) -> None:
        log.warning("job %d, attempt %d: %s", attempt.job.id, attempt.number, why)
        outcomes.requeue(attempt.job.id, attempt.number, why)
        self._forget([attempt])

    def _write_board(self) -> None:
        if self._board.write(self._numbers(), sorted(self._drained()), self._ended_workspaces):
            self._roster.queue_was_lost()

    def _numbers(self) -> dict[int, int]:
        """Return the attempts of the jobs."""
        return {job_id: attempt.number for job_id, attempt in self._attempts.items()}
