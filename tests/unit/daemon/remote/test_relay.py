"""A worker's side: a queue in memory, a local queue without processes, and a coordinator that the test plays."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.memory_queue import MemoryQueue
from tests.unit.daemon.conftest import Clock, Worker, WorkersWithoutProcesses
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.remote.attempt_keys import acquired_key, answer_key
from wort_cli.daemon.remote.relay import BEAT_BUSY, PAUSE, SEND_AGAIN_AFTER, Relay
from wort_cli.daemon.remote.wire import Answer, Beat, Board, Order
from wort_cli.daemon.supervisor import Supervisor
from wort_cli.model.failure import Failure, Reason
from wort_cli.pipeline.portable_spec import PortableSpec
from wort_cli.settings import Settings
from wort_cli.system.process_identity import own_identity

HOME = "h" * 16
NAME = "SRR1000000"


class Host:
    """A worker's relay, and the board that a coordinator would write."""

    def __init__(self, remote: MemoryQueue, queue: WorkQueue, supervisor: Supervisor, settings: Settings, clock: Clock):
        self.remote, self.queue, self.clock = remote, queue, clock
        me = Beat("node1-1", "node1", "node1", own_identity(), 0, HOME, 2, 2)
        self.board = Board(HOME, 1)
        self.put()
        self.relay = Relay(remote, queue, supervisor, settings, me, self.board, clock)
        self.supervisor = supervisor

    def put(self, **attempts: int) -> None:
        """Write a board that names attempts, such as `j1=2`."""
        named = {int(job[1:]): attempt for job, attempt in attempts.items()}
        self.board = replace(self.board, turn=self.board.turn + 1, attempts=named)
        self.remote.put_board(self.board.pack())

    def order(self, job_id: int, attempt: int, home: str = HOME, **changes: Any) -> None:
        spec = PortableSpec(job_id, attempt, NAME, "sra-v1", "", 0, "normalized", "columns", False, True, False, False)
        self.remote.send(Order(home, replace(spec, **changes)).pack())

    def turn(self, seconds: float = BEAT_BUSY) -> None:
        self.clock.advance(seconds)
        self.relay.turn()

    def started(self) -> Worker:
        """Play the process that has the job."""
        worker = Worker(self.queue).start()
        worker.send_heartbeat()
        return worker

    def answer(self, job_id: int, attempt: int) -> Answer | None:
        found = self.remote.get([answer_key(HOME, job_id, attempt)])
        return Answer.unpack(found.popitem()[1]) if found else None


@pytest.fixture
def remote() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def host(
    remote: MemoryQueue,
    queue: WorkQueue,
    supervisor: Supervisor,
    settings: Settings,
    clock: Clock,
    workers: WorkersWithoutProcesses,
) -> Iterator[Host]:
    yield Host(remote, queue, supervisor, settings, clock)


@pytest.fixture
def worker(host: Host) -> Worker:
    """The process that has job 1."""
    host.put(j1=1)
    host.order(1, 1)
    host.turn()
    return host.started()


def test_order_that_the_board_names_is_started(host: Host, worker: Worker) -> None:
    assert worker.spec.job_id == 1 and worker.spec.confirm
    assert host.remote.get([acquired_key(HOME, 1, 1)]) == {acquired_key(HOME, 1, 1): b"node1-1"}
    host.turn()
    beat = Beat.unpack(host.remote.beats()["node1-1"])
    assert beat.running[1][0] == 1


@pytest.mark.parametrize("home", [HOME, "another home"])
def test_order_that_the_board_does_not_name_is_dropped(host: Host, home: str) -> None:
    host.put(j1=2) if home == HOME else host.put(j1=1)
    host.order(1, 1, home)
    host.turn()
    assert not host.supervisor.jobs
    assert host.relay.is_empty


def test_attempt_that_another_worker_has_is_not_started(host: Host) -> None:
    host.put(j1=1)
    host.remote.acquire(acquired_key(HOME, 1, 1), "node2-1")
    host.order(1, 1)
    host.turn()
    assert not host.supervisor.jobs


def test_attempt_that_leaves_the_board_is_cancelled(host: Host, worker: Worker) -> None:
    host.put(j1=2)
    host.turn()
    host.turn()
    assert worker.is_cancelled()


def test_jobs_go_on_while_there_is_no_board(host: Host, worker: Worker) -> None:
    host.remote.lose_everything()
    host.turn()
    host.turn()
    assert not worker.is_cancelled()
    assert host.relay.board is None


def test_attempt_is_confirmed_only_if_the_newest_board_names_it(host: Host, worker: Worker) -> None:
    host.queue.ask(1, 1)
    host.turn(0.1)
    assert host.queue.take_confirmation(1, 1)
    host.put()
    host.queue.ask(1, 1)
    host.turn(0.1)
    assert not host.queue.take_confirmation(1, 1)


def test_end_of_an_outage_is_logged_once(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    host.turn()
    host.remote.broken = True
    host.turn()
    host.turn(PAUSE)
    assert "can be used again" not in caplog.text
    host.remote.broken = False
    host.turn(PAUSE)
    host.turn()
    assert caplog.text.count("the queue can be used again") == 1


def test_question_survives_a_queue_that_cannot_be_reached(host: Host, worker: Worker) -> None:
    host.remote.broken = True
    host.queue.ask(1, 1)
    host.turn(0.1)
    host.remote.broken = False
    host.remote.lose_everything()
    host.turn(PAUSE)
    assert not host.queue.take_confirmation(1, 1)
    host.put(j1=1)
    host.turn()
    assert host.queue.take_confirmation(1, 1)


def test_answer_is_sent_until_the_board_does_not_name_its_attempt(host: Host, worker: Worker) -> None:
    worker.finish(failure=Failure(Reason.NO_READS, "none"))
    host.turn(0.1)
    assert host.answer(1, 1) is not None
    host.remote.lose_everything()
    host.put(j1=1)
    host.turn(SEND_AGAIN_AFTER + 1)
    found = host.answer(1, 1)
    assert found is not None and found.result.failure == Failure(Reason.NO_READS, "none")
    host.put()
    host.turn()
    host.turn()
    assert host.relay.is_empty
    assert host.remote.keys == set()


def test_stopped_worker_returns_its_jobs(host: Host, worker: Worker) -> None:
    host.supervisor.requeue_all(host.relay, "the worker was stopped")
    host.relay.leave(1.0)
    found = host.answer(1, 1)
    assert found is not None and found.returned == "the worker was stopped (node1)"
    assert host.remote.beats() == {}


def test_draining_worker_takes_no_order(host: Host) -> None:
    host.board = replace(host.board, draining=("node1-1",))
    host.put(j1=1)
    host.order(1, 1)
    host.turn(10)
    host.turn(10)
    assert host.relay.draining and host.remote.pending() == 1 and host.relay.is_empty


def test_job_whose_earlier_attempt_ends_here_waits_for_that(host: Host, worker: Worker) -> None:
    host.put(j1=2)
    host.order(1, 2)
    host.turn()
    host.turn()
    assert worker.is_cancelled()
    worker.finish()
    host.turn()
    host.turn()
    assert host.started().spec.attempt == 2
