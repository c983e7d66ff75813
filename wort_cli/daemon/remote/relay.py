"""A worker's side: takes orders from the queue, has this machine's processes run them, and sends answers.

A turn, in order: have the supervisor collect results and check attempts; exchange signs with the coordinator, if that
is due: send a beat, read the board, cancel what the board does not name; answer attempts that ask whether they may
publish; take an order, if there is room.

An answer is kept, and sent again if the queue has lost it, until the board no longer names its attempt.
"""

import base64
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.remote.attempt_keys import acquired_key, answer_key, keys_of
from wort_cli.daemon.remote.remote_queue import RemoteQueue
from wort_cli.daemon.remote.values import MAX_DETAIL, MAX_KEPT
from wort_cli.daemon.remote.wire import MAX_LOG, Answer, Beat, Board, Order
from wort_cli.daemon.supervisor import Supervisor
from wort_cli.errors import QueueUnavailable
from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.pipeline.check import failure_from_exception
from wort_cli.pipeline.job_log import tail_of
from wort_cli.pipeline.portable_spec import STORE, read_small, spec_on
from wort_cli.pipeline.workspace import count_finished_parts
from wort_cli.settings import Settings

BEAT_BUSY, BEAT_IDLE = 2.0, 5.0
"""Seconds between beats while there are jobs, and while there are none."""
TAKE_EVERY = 0.25
"""Seconds between looks for an order while some jobs run, and there is room for more."""
AHEAD_EVERY = 1.0
"""Seconds between looks for an order that is only fetched meanwhile, so that an idle worker gets it first."""
PAUSE = 5.0
"""Seconds after which a queue that cannot be reached is tried again."""
SEND_AGAIN_AFTER = 10.0
"""Seconds after which an answer is sent again that the coordinator has not recorded: the queue may have lost it."""

log = logging.getLogger(__name__)


@dataclass
class Unconfirmed:
    """An answer of which the coordinator has not shown that it has it."""

    attempt: int
    answer: bytes
    keep: bool
    """Whether a later attempt may use the workspace."""
    times: int = 0
    """The number of times that it was sent."""
    sent_at: float = 0.0


class Relay:
    """The jobs of this worker.  It receives the outcomes of the supervisor.  Not thread-safe."""

    def __init__(
        self,
        queue: RemoteQueue,
        local: WorkQueue,
        supervisor: Supervisor,
        settings: Settings,
        me: Beat,
        board: Board,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._local = local
        self._supervisor = supervisor
        self._settings = settings
        self._me = me
        self._clock = clock
        self.board: Board | None = board
        """The board as it was last read; None while the queue has none."""
        self.draining = False
        self._numbers: dict[int, int] = {}
        """The attempts that the supervisor has."""
        self._progress: dict[int, Progress] = {}
        self._answers: dict[int, Unconfirmed] = {}
        self._questions: set[tuple[int, int]] = set()
        """Attempts that wait for a confirmation before they publish."""
        self._stale: list[str] = []
        """Keys that are to be deleted from the queue."""
        self.has_waited = False
        """Whether the last turn has waited for an order."""
        self._waiting: list[Order] = []
        """Orders of jobs whose earlier attempt has not ended here."""
        self._beat_at = self._took_at = self._failed_at = float("-inf")

    @property
    def is_empty(self) -> bool:
        """Whether the worker has no job, and no answer that may be lost."""
        return not (self._supervisor.jobs or self._answers or self._waiting)

    def turn(self) -> None:
        """Do everything that is due now."""
        self.has_waited = False
        self._supervisor.turn(self)
        if self._clock() - self._failed_at < PAUSE:
            return
        try:
            self._exchange()
        except QueueUnavailable as problem:
            log.warning("%s", problem.sentence)
            self._failed_at = self._clock()
            return
        if self._failed_at > float("-inf"):
            log.info("the queue can be used again")
            self._failed_at = float("-inf")

    def _exchange(self) -> None:
        now = self._clock()
        busy = not self.is_empty
        self._questions.update(attempt for attempt in self._numbers.items() if self._local.take_question(*attempt))
        unsent = any(not each.times for each in self._answers.values())
        if self._questions or unsent or self._stale or now - self._beat_at >= (BEAT_BUSY if busy else BEAT_IDLE):
            self._send_answers()
            self.beat()
            self._read_board()
            if self.board is not None:  # else nothing is known: look again
                for job_id, attempt in self._questions:
                    if self._is_current(job_id, attempt):
                        self._local.confirm(job_id, attempt)
                self._questions.clear()
        self._take()

    def beat(self) -> None:
        """Send a heartbeat."""
        running: dict[int, tuple[int, Progress | None]] = {
            job: (attempt, self._progress.get(job)) for job, attempt in self._numbers.items()
        }
        running.update({order.spec.job_id: (order.spec.attempt, None) for order in self._waiting})
        running.update({job: (answer.attempt, None) for job, answer in self._answers.items()})
        self._me = replace(
            self._me,
            number=self._me.number + 1,
            draining=self.draining,
            running=running,
            kept=tuple(self._kept(running)),
        )
        self._queue.beat(self._me.worker, self._me.pack())
        self._beat_at = self._clock()

    def leave(self, seconds: float) -> None:
        """Send the last answers, and remove the beat; give up after some seconds."""
        until = time.monotonic() + seconds
        while True:
            try:
                self._send_answers()
                self._queue.remove_beat(self._me.worker)
                return
            except QueueUnavailable as problem:
                if time.monotonic() > until:
                    log.warning("%s; the coordinator will notice that this worker is silent", problem.sentence)
                    return
                time.sleep(1.0)

    # ---- The board

    def _read_board(self) -> None:
        found = self._queue.board()
        try:
            self.board = Board.unpack(found) if found is not None else None
        except ValueError as error:
            log.warning("the board of the coordinator cannot be read: %s", error)
            self.board = None
        if self.board is None or self.board.home != self._me.home:
            return
        if self._me.worker in self.board.draining and not self.draining:
            log.info("the coordinator lets this worker take no more jobs")
            self.draining = True
        for job_id, answer in list(self._answers.items()):
            if self.board.attempts.get(job_id) != answer.attempt:
                del self._answers[job_id]
                self._drop_keys(job_id, answer.attempt)  # the coordinator may have given it up before it was sent
                if not answer.keep:
                    self._remove_workspace(job_id)
        for job_id in self.board.ended.get(self._me.worker, ()):
            if job_id not in self._supervisor.jobs and job_id not in self._answers:
                self._remove_workspace(job_id)

    def _is_current(self, job_id: int, attempt: int) -> bool:
        board = self.board
        return board is not None and board.home == self._me.home and board.attempts.get(job_id) == attempt

    # ---- Orders

    def _take(self) -> None:
        """Take an order if there is room; wait for one only while this worker has nothing to do."""
        self._start_waiting()
        here = len(self._supervisor.jobs) + len(self._waiting)
        if self.draining or self.board is None or here >= self._me.room:
            return
        now, seconds = self._clock(), 0.0
        if self.is_empty:
            seconds = max(0.0, self._beat_at + BEAT_IDLE - now)
        elif now - self._took_at < (TAKE_EVERY if here < self._me.jobs else AHEAD_EVERY):
            return
        self.has_waited = seconds > 0
        found = self._queue.take(seconds)
        if found is None:
            self._took_at = self._clock()
            return
        try:
            order = Order.unpack(found)
        except ValueError as error:
            log.error("ignored an order that cannot be read: %s", error)
            return
        self._read_board()  # it names the attempt since before the order was sent
        if order.home != self._me.home or not self._is_current(order.spec.job_id, order.spec.attempt):
            log.info("ignored an order for job %d, attempt %d: too late", order.spec.job_id, order.spec.attempt)
            return
        key = acquired_key(order.home, order.spec.job_id, order.spec.attempt)
        if self._queue.acquire(key, self._me.worker):
            self._waiting.append(order)
            self._beat_at = min(self._beat_at, self._clock() - BEAT_BUSY / 2)
            self._start_waiting()

    def _start_waiting(self) -> None:
        for order in list(self._waiting):
            job_id = order.spec.job_id
            if not self._is_current(job_id, order.spec.attempt):
                if self.board is not None:
                    self._waiting.remove(order)
                    self._drop_keys(job_id, order.spec.attempt)
            elif job_id not in self._supervisor.jobs and job_id not in self._answers:
                self._waiting.remove(order)
                self._start(order)

    def _start(self, order: Order) -> None:
        job_id, attempt = order.spec.job_id, order.spec.attempt
        try:
            spec = spec_on(order.spec, self._settings, self._me.jobs)
        except (OSError, ValueError, JobFailed) as error:
            self.finish(JobResult(job_id, attempt, failure=failure_from_exception(error)))
            return
        self._numbers[job_id] = attempt
        self._supervisor.start_spec(spec)

    # ---- Answers

    def _send_answers(self) -> None:
        """Send the answers that the queue may not have: each once, and again while the board names the attempt."""
        now = self._clock()
        for job_id, each in self._answers.items():
            if each.times == 0 or now - each.sent_at > SEND_AGAIN_AFTER:
                self._queue.put(answer_key(self._me.home, job_id, each.attempt), each.answer)
                each.sent_at, each.times = self._clock(), each.times + 1
        if self._stale:
            self._queue.delete(self._stale)
            self._stale.clear()

    def _drop_keys(self, job_id: int, attempt: int) -> None:
        """Delete what this worker may have put into the queue after the coordinator gave the attempt up."""
        self._stale += keys_of(self._me.home, job_id, attempt)

    def _answer(self, result: JobResult, returned: str = "") -> None:
        """Keep an answer until the coordinator has it."""
        job_id = result.job_id
        self._numbers.pop(job_id, None)
        self._progress.pop(job_id, None)
        content, log_text = "", tail_of(self._settings.job_log(job_id), MAX_LOG)
        if result.published is not None and not result.published.remote:
            path = self._settings.workspace(job_id) / STORE / result.published.path
            try:
                content = base64.b64encode(read_small(path)).decode()
            except (JobFailed, OSError) as error:
                result = JobResult(job_id, result.attempt, failure=failure_from_exception(error))
        if result.published is not None:
            result = replace(result, published=replace(result.published, path=""))
        if result.failure is not None:
            result = replace(result, failure=replace(result.failure, detail=result.failure.detail[:MAX_DETAIL]))
        keep = result.published is None and result.verdict is None
        keep = keep and count_finished_parts(self._settings.workspace(job_id)) > 0
        answer = Answer(self._me.host, result, returned, content, log_text)
        self._answers[job_id] = Unconfirmed(result.attempt, answer.pack(), keep)

    # ---- Outcomes of the supervisor

    def together(self) -> AbstractContextManager[None]:
        """See Outcomes.  Each answer is a value of its own."""
        return nullcontext()

    def expected(self) -> Mapping[int, int]:
        """See Outcomes.  While nothing is known of the coordinator, its jobs continue."""
        if self.board is None or self.board.home != self._me.home:
            return dict(self._numbers)
        return {job: attempt for job, attempt in self._numbers.items() if self._is_current(job, attempt)}

    def report_progress(self, job_id: int, attempt: int, progress: Progress) -> None:
        """See Outcomes."""
        self._progress[job_id] = progress

    def extend_lease(self, job_id: int, attempt: int) -> None:
        """See Outcomes.  The next beat does so."""

    def finish(self, result: JobResult) -> None:
        """See Outcomes."""
        why = f"{result.failure.reason}: {result.failure.detail}" if result.failure else "done"
        log.info("job %d, attempt %d: %s", result.job_id, result.attempt, why)
        if result.published is None and result.verdict is None and result.failure is None:
            result = replace(result, failure=Failure(Reason.TOOL_CRASH, "the worker returned no result"))
        self._answer(result)

    def requeue(self, job_id: int, attempt: int, why: str) -> None:
        """See Outcomes."""
        self._answer(JobResult(job_id, attempt), f"{why} ({self._me.host})"[:500])

    def requeue_if_advanced(self, job_id: int, attempt: int, work: int, why: str) -> bool:
        """See Outcomes.  The coordinator decides that."""
        return False

    def discard(self, job_id: int) -> None:
        """See Outcomes."""
        attempt = self._numbers.pop(job_id, None)
        if attempt is not None:
            self._drop_keys(job_id, attempt)
        self._progress.pop(job_id, None)
        self._remove_workspace(job_id)

    # ---- Workspaces

    def _remove_workspace(self, job_id: int) -> None:
        shutil.rmtree(self._settings.workspace(job_id), ignore_errors=True)
        self._settings.job_log(job_id).unlink(missing_ok=True)

    def _kept(self, running: Mapping[int, object]) -> list[int]:
        """Return the jobs of which there are workspaces that no attempt uses."""
        try:
            names = [path.name for path in Path(self._settings.work_dir).iterdir()]
        except OSError:
            return []
        return sorted(int(name) for name in names if name.isdecimal() and int(name) not in running)[:MAX_KEPT]
