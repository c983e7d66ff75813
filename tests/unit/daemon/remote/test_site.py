"""The coordinator's side of workers on other hosts: a real ledger, a queue in memory, a clock that tests advance."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.builders import request
from tests.support.memory_queue import MemoryQueue
from tests.support.signatures import make_signatures
from tests.unit.daemon.conftest import Clock
from wort_cli.daemon.coordinator import WAKE_EVERY, Coordinator
from wort_cli.daemon.remote.attempt_keys import acquired_key, answer_key
from wort_cli.daemon.remote.board_writer import WRITE_EVERY
from wort_cli.daemon.remote.roster import MOST_ENDED, SILENT_AFTER, TAKEN_WITHIN, Roster
from wort_cli.daemon.remote.site import SWEEP_EVERY, RemoteSite
from wort_cli.daemon.remote.values import MAX_KEPT
from wort_cli.daemon.remote.wire import Answer, Beat, Board, Order
from wort_cli.daemon.service import end_jobs
from wort_cli.errors import QueueUnavailable
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState, Progress
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.lease import SILENCES, WORKERS
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.system.process_identity import own_identity

HOME = "h" * 16
NAME = "SRR1000000"


@pytest.fixture
def remote() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def site(ledger: Ledger, remote: MemoryQueue, settings: Settings, clock: Clock) -> RemoteSite:
    made = RemoteSite(
        remote,
        settings,
        HOME,
        ended=lambda jobs: [job for job in jobs if not ledger.jobs.get(job).state.is_live],
        drained=lambda: ledger.controls.drained,
        clock=clock,
    )
    made.claim_queue()
    return made


@pytest.fixture
def coordinator(ledger: Ledger, site: RemoteSite, settings: Settings, clock: Clock) -> Coordinator:
    return Coordinator(ledger, site, settings, clock=clock, jitter=lambda: 0.5)


class Host:
    """A worker on another host, played by the test."""

    def __init__(self, remote: MemoryQueue, name: str = "node1", room: int = 2, **changes: Any) -> None:
        self.remote = remote
        self.beat = Beat(f"{name}-1", name, name, own_identity(), 0, HOME, room, room)
        self.beat = replace(self.beat, **changes)

    def send(self, **changes: Any) -> None:
        self.beat = replace(self.beat, number=self.beat.number + 1, **changes)
        self.remote.beat(self.beat.worker, self.beat.pack())

    def take(self) -> Order:
        data = self.remote.take()
        assert data is not None, "there is an order"
        order = Order.unpack(data)
        progress = Progress("sketching", 1, 10, 100, 0.0)
        self.send(running={**self.beat.running, order.spec.job_id: (order.spec.attempt, progress)})
        return order

    def answer(self, order: Order, **outcome: Any) -> None:
        returned, content = outcome.pop("returned", ""), outcome.pop("content", "")
        result = JobResult(order.spec.job_id, order.spec.attempt, **outcome)
        answer = Answer(self.beat.host, result, returned, content, "a line of the log\n")
        self.remote.put(answer_key(HOME, order.spec.job_id, order.spec.attempt), answer.pack())


@pytest.fixture
def host(remote: MemoryQueue) -> Host:
    made = Host(remote)
    made.send()
    return made


def turn(coordinator: Coordinator, clock: Clock, seconds: float = 1.1) -> None:
    clock.advance(seconds)
    coordinator.turn()


def enqueue(ledger: Ledger, *names: str) -> list[int]:
    return [answer.job_id or 0 for answer in ledger.jobs.enqueue([request(name) for name in names])]


@pytest.fixture
def job_id(ledger: Ledger, coordinator: Coordinator, clock: Clock, host: Host) -> int:
    """A job that was sent to the workers."""
    (job,) = enqueue(ledger, NAME)
    turn(coordinator, clock)
    return job


def board_of(remote: MemoryQueue) -> Board:
    data = remote.board()
    assert data is not None
    return Board.unpack(data)


@pytest.fixture
def sealed(tmp_path: Path) -> tuple[bytes, Published]:
    """The bytes of a signature, and what a worker says of it."""
    root = tmp_path / "elsewhere"
    make_signatures(root, 1)
    store = LocalStore(root)
    content = store.path(Accession(NAME)).read_bytes()
    made = store.provenance(Accession(NAME))
    return content, Published("", len(content), made, sha256=hashlib.sha256(content).hexdigest())


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


# ---- Orders


def test_orders_of_a_turn_are_bounded(
    coordinator: Coordinator,
    remote: MemoryQueue,
    ledger: Ledger,
    clock: Clock,
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wort_cli.daemon.remote.site.MOST_ORDERS", 3)
    enqueue(ledger, *(f"SRR{1000000 + i}" for i in range(9)))
    host.send(room=8)
    numbers = []
    for _ in range(4):
        turn(coordinator, clock)
        numbers.append(remote.pending())
    assert numbers == [3, 6, 8, 8]


def test_no_job_starts_without_a_worker(coordinator: Coordinator, ledger: Ledger, clock: Clock) -> None:
    (job,) = enqueue(ledger, NAME)
    turn(coordinator, clock)
    assert ledger.jobs.get(job).state is JobState.QUEUED
    assert "no worker is connected" in coordinator.blocked_by


def test_board_names_an_attempt_before_its_order_is_sent(remote: MemoryQueue, ledger: Ledger, job_id: int) -> None:
    assert ledger.jobs.get(job_id).owner == WORKERS
    assert board_of(remote).attempts == {job_id: 1}
    order = Order.unpack(remote.take() or b"")
    assert (order.spec.job_id, order.spec.attempt, order.spec.name) == (job_id, 1, NAME)


def test_order_names_no_path_of_the_coordinator(remote: MemoryQueue, settings: Settings, job_id: int) -> None:
    data = remote.take() or b""
    assert str(settings.data_dir).encode() not in data
    assert b"/" not in data


def test_as_many_orders_are_sent_as_workers_take(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, clock: Clock, host: Host
) -> None:
    enqueue(ledger, *(f"SRR{1000000 + i}" for i in range(9)))
    turn(coordinator, clock)
    assert remote.pending() == 2
    Host(remote, "node2", 3).send()
    turn(coordinator, clock)
    assert remote.pending() == 5
    Host(remote, "node3", 7, version="0.0.1").send()
    Host(remote, "node4", 7, draining=True).send()
    turn(coordinator, clock)
    assert remote.pending() == 5


# ---- Answers


def test_signature_in_an_answer_is_stored_and_recorded(
    coordinator: Coordinator,
    remote: MemoryQueue,
    ledger: Ledger,
    settings: Settings,
    clock: Clock,
    host: Host,
    job_id: int,
    sealed: tuple[bytes, Published],
) -> None:
    content, published = sealed
    host.answer(host.take(), published=published, content=encoded(content))
    turn(coordinator, clock)
    assert ledger.jobs.get(job_id).state is JobState.DONE
    assert LocalStore(settings.store_dir).path(Accession(NAME)).read_bytes() == content
    assert remote.keys == set()
    assert board_of(remote).attempts == {}
    assert "on the host 'node1'" in settings.job_log(job_id).read_text()
    assert not settings.work_dir.exists()


def test_answer_of_a_lost_attempt_changes_nothing(
    coordinator: Coordinator,
    remote: MemoryQueue,
    ledger: Ledger,
    settings: Settings,
    clock: Clock,
    host: Host,
    job_id: int,
    sealed: tuple[bytes, Published],
) -> None:
    content, published = sealed
    order = host.take()
    turn(coordinator, clock)
    ledger.attempts.requeue(job_id, 1, "by the test")
    turn(coordinator, clock)
    turn(coordinator, clock)
    assert board_of(remote).attempts == {job_id: 2}
    host.answer(order, published=published, content=encoded(content))
    turn(coordinator, clock)
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    assert not LocalStore(settings.store_dir).has(Accession(NAME))


def test_failure_in_an_answer_is_recorded(
    coordinator: Coordinator, ledger: Ledger, clock: Clock, host: Host, job_id: int
) -> None:
    host.answer(host.take(), failure=Failure(Reason.NO_READS, "none"))
    turn(coordinator, clock)
    assert ledger.jobs.get(job_id).state is JobState.UNAVAILABLE


def test_job_that_is_returned_is_queued_again(
    coordinator: Coordinator, ledger: Ledger, clock: Clock, host: Host, job_id: int
) -> None:
    host.answer(host.take(), returned="the worker was stopped (node1)")
    host.send(running={}, draining=True)
    turn(coordinator, clock)
    job = ledger.jobs.get(job_id)
    assert (job.state, job.message) == (JobState.QUEUED, "the worker was stopped (node1)")


@pytest.fixture
def statements(ledger: Ledger) -> list[str]:
    """The statements that SQLite executes for the coordinator from now on."""
    found: list[str] = []
    ledger.storage.connection.set_trace_callback(found.append)
    return found


def test_jobs_of_a_turn_are_claimed_in_one_commit(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, clock: Clock, host: Host, statements: list[str]
) -> None:
    enqueue(ledger, NAME, "SRR1000001")
    statements.clear()
    turn(coordinator, clock)
    assert remote.pending() == 2
    assert statements.count("COMMIT") == 1


def test_answers_of_a_turn_are_recorded_in_one_commit_before_they_are_deleted(
    coordinator: Coordinator,
    remote: MemoryQueue,
    ledger: Ledger,
    settings: Settings,
    clock: Clock,
    host: Host,
    statements: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = enqueue(ledger, NAME, "SRR1000001")
    turn(coordinator, clock)
    orders = [host.take() for _ in jobs]
    turn(coordinator, clock)  # which records the progress
    for order in orders:
        host.answer(order, failure=Failure(Reason.NOT_FOUND, "no such run"))
    seen: list[JobState] = []

    def delete(keys: list[str]) -> None:
        other = Ledger(settings.ledger_file)
        seen.extend(other.jobs.get(job).state for job in jobs)
        other.close()

    monkeypatch.setattr(remote, "delete", delete)
    statements.clear()
    turn(coordinator, clock)
    assert statements.count("COMMIT") == 1
    assert seen == [ledger.jobs.get(job).state for job in jobs]
    assert JobState.RUNNING not in seen


def test_answer_that_cannot_be_received_does_not_hold_up_those_before_it(
    coordinator: Coordinator,
    remote: MemoryQueue,
    ledger: Ledger,
    settings: Settings,
    clock: Clock,
    host: Host,
) -> None:
    jobs = enqueue(ledger, NAME, "SRR1000001")
    turn(coordinator, clock)
    settings.job_log(jobs[1]).mkdir(parents=True)  # so that its log cannot be written
    for _ in jobs:
        host.answer(host.take(), failure=Failure(Reason.NOT_FOUND, "no such run"))
    with pytest.raises(IsADirectoryError):
        turn(coordinator, clock)
    assert [ledger.jobs.get(job).state is JobState.RUNNING for job in jobs] == [False, True]
    assert remote.keys == {answer_key(HOME, jobs[1], 1)}


def test_progress_of_all_jobs_is_recorded_in_one_commit(
    coordinator: Coordinator, ledger: Ledger, clock: Clock, host: Host, statements: list[str]
) -> None:
    jobs = enqueue(ledger, NAME, "SRR1000001")
    turn(coordinator, clock)
    for _ in jobs:
        host.take()
    statements.clear()
    turn(coordinator, clock)
    assert [(found := ledger.jobs.get(job).progress) and found.bases for job in jobs] == [100, 100]
    assert statements.count("COMMIT") == 1
    assert not any("UPDATE" in text and "lease_until" in text for text in statements), "the leases are new"


# ---- Lost workers, and a queue that loses everything


def test_silent_worker_loses_its_job_after_the_lease(
    coordinator: Coordinator, ledger: Ledger, settings: Settings, clock: Clock, host: Host, job_id: int
) -> None:
    host.take()
    turn(coordinator, clock)
    turn(coordinator, clock, settings.worker_lease - 10)
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    turn(coordinator, clock, 20)
    job = ledger.jobs.get(job_id)
    assert (job.state, job.reason, job.attempt) == (JobState.QUEUED, Reason.INTERRUPTED, 1)
    assert "the worker on node1 sent no heartbeat" in job.message


def test_job_that_silences_worker_after_worker_fails_in_the_end(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, settings: Settings, clock: Clock, job_id: int
) -> None:
    for times in range(SILENCES + 1):
        Host(remote, f"other{times}").send()
        turn(coordinator, clock)
        worker = Host(remote, f"node-{times}")
        worker.take()
        turn(coordinator, clock)
        turn(coordinator, clock, settings.worker_lease + 1)
    assert ledger.jobs.get(job_id).state is JobState.WAITING


def test_worker_that_starts_again_at_its_place_gives_up_its_jobs_at_once(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, clock: Clock, host: Host, job_id: int
) -> None:
    host.take()
    turn(coordinator, clock)
    Host(remote, "node1", worker="node1-2", room=0).send()
    turn(coordinator, clock)
    assert ledger.jobs.get(job_id).state is JobState.QUEUED


@pytest.mark.parametrize("first", ["node1-1", "node1-2"])
def test_beat_that_a_killed_worker_has_left_shows_nothing(
    coordinator: Coordinator,
    remote: MemoryQueue,
    ledger: Ledger,
    clock: Clock,
    host: Host,
    job_id: int,
    first: str,
) -> None:
    """Whichever of the two beats is read first, the worker that started later is the one that runs."""
    host.take()
    turn(coordinator, clock)
    old = host.beat
    new = replace(old, worker="node1-2", process=replace(old.process, started=old.process.started + 1), room=0)
    new = replace(new, running={})
    remote.remove_beat(old.worker)
    for beat in (old, new) if first == old.worker else (new, old):
        remote.beat(beat.worker, beat.pack())
    turn(coordinator, clock)
    assert ledger.jobs.get(job_id).state is JobState.QUEUED
    turn(coordinator, clock, WAKE_EVERY + 0.1)
    assert list(remote.beats()) == ["node1-2"], "the other one is removed"


def test_order_that_the_queue_has_lost_is_queued_again(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, clock: Clock, host: Host, job_id: int
) -> None:
    remote.lose_everything()
    for _ in range(int(TAKEN_WITHIN / WRITE_EVERY) + 3):
        host.send()
        turn(coordinator, clock, WRITE_EVERY)
    assert ledger.jobs.get(job_id).attempt == 2
    assert board_of(remote).attempts == {job_id: 2}


def test_running_job_survives_a_queue_that_loses_everything(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, clock: Clock, host: Host, job_id: int
) -> None:
    host.take()
    turn(coordinator, clock)
    remote.lose_everything()
    for _ in range(int(2 * SILENT_AFTER / WRITE_EVERY)):
        turn(coordinator, clock, WRITE_EVERY)
        host.send()
    assert board_of(remote).attempts == {job_id: 1}
    assert ledger.jobs.get(job_id).attempt == 1


def test_no_worker_is_lost_while_the_coordinator_cannot_reach_the_queue(
    coordinator: Coordinator,
    remote: MemoryQueue,
    ledger: Ledger,
    settings: Settings,
    clock: Clock,
    host: Host,
    job_id: int,
) -> None:
    host.take()
    turn(coordinator, clock)
    remote.broken = True
    for _ in range(10):
        clock.advance(settings.worker_lease)
        with pytest.raises(QueueUnavailable):
            coordinator.turn()
        coordinator.excuse_silence()
    remote.broken = False
    turn(coordinator, clock)
    assert ledger.jobs.get(job_id).state is JobState.RUNNING


def test_cancelled_job_leaves_the_board(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, clock: Clock, host: Host, job_id: int
) -> None:
    host.take()
    turn(coordinator, clock)
    ledger.jobs.cancel([job_id])
    turn(coordinator, clock)
    assert board_of(remote).attempts == {}
    assert not coordinator.busy


def test_keys_of_an_ended_attempt_are_deleted_when_the_queue_can_be_reached_again(
    coordinator: Coordinator,
    remote: MemoryQueue,
    ledger: Ledger,
    clock: Clock,
    host: Host,
    job_id: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = host.take()
    turn(coordinator, clock)
    host.answer(order, failure=Failure(Reason.NO_READS, "none"))
    with monkeypatch.context() as broken:
        broken.setattr(remote, "delete", lost_connection)
        with pytest.raises(QueueUnavailable):
            turn(coordinator, clock)
    assert ledger.jobs.get(job_id).state is JobState.UNAVAILABLE
    assert remote.keys, "the answer is still there"
    turn(coordinator, clock)
    assert not remote.keys


def test_keys_are_deleted_whose_coordinator_and_worker_died(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, clock: Clock, host: Host, job_id: int
) -> None:
    order = host.take()
    used, other = answer_key(HOME, job_id, 1), answer_key("o" * 16, job_id, 1)
    remote.acquire(acquired_key(HOME, job_id, 1), "node1-1")
    for key in (answer_key(HOME, 99, 1), answer_key(HOME, job_id, 2), other):
        remote.put(key, b"an answer")
    remote.acquire(acquired_key(HOME, 99, 1), "node1-1")
    turn(coordinator, clock, SWEEP_EVERY)
    assert remote.keys == {acquired_key(HOME, job_id, 1), other}
    host.answer(order, failure=Failure(Reason.NO_READS, "none"))
    assert used in remote.keys
    turn(coordinator, clock)
    assert ledger.jobs.get(job_id).state is JobState.UNAVAILABLE


def lost_connection(*_: object) -> None:
    """Fail as a queue does that cannot be reached."""
    raise QueueUnavailable("the queue cannot be reached")


def test_new_coordinator_goes_on_with_running_jobs(
    remote: MemoryQueue,
    ledger: Ledger,
    settings: Settings,
    clock: Clock,
    host: Host,
    coordinator: Coordinator,
    job_id: int,
) -> None:
    order = host.take()
    turn(coordinator, clock)
    coordinator.requeue_all()
    assert ledger.jobs.get(job_id).state is JobState.RUNNING
    host.answer(order, failure=Failure(Reason.NO_READS, "none"))
    site = RemoteSite(remote, settings, HOME, ended=lambda _: [], drained=lambda: (), clock=clock)
    site.adopt([ledger.jobs.get(job_id)])
    site.claim_queue()
    assert board_of(remote).attempts == {job_id: 1}
    turn(Coordinator(ledger, site, settings, clock=clock), clock)
    assert ledger.jobs.get(job_id).state is JobState.UNAVAILABLE


def test_daemon_ends_in_order_while_the_queue_cannot_be_reached(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, host: Host, job_id: int, caplog: Any
) -> None:
    host.take()
    remote.broken = True
    guard: Any = SimpleNamespace(ledger_is_ours=lambda: True)
    end_jobs(guard, coordinator)
    assert "the queue cannot be reached; the next daemon continues its jobs" in caplog.text
    assert ledger.jobs.get(job_id).state is JobState.RUNNING


def test_workspaces_that_are_not_needed_are_named_on_the_board(
    coordinator: Coordinator, remote: MemoryQueue, ledger: Ledger, clock: Clock, host: Host, job_id: int
) -> None:
    host.answer(host.take(), failure=Failure(Reason.NO_READS, "none"))
    turn(coordinator, clock)
    host.send(running={}, kept=(job_id,))
    turn(coordinator, clock)
    turn(coordinator, clock, WRITE_EVERY)
    assert board_of(remote).ended == {"node1-1": (job_id,)}


def test_board_names_only_some_of_many_workspaces_at_a_time(remote: MemoryQueue, clock: Clock) -> None:
    Host(remote, "node1", kept=tuple(range(1, 1 + MAX_KEPT))).send()
    roster = Roster(HOME, clock)
    roster.read(remote.beats())
    assert roster.ended_workspaces(lambda jobs: jobs, ()) == {"node1-1": tuple(range(1, 1 + MOST_ENDED))}


def test_second_coordinator_is_refused(
    coordinator: Coordinator, remote: MemoryQueue, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: turn(coordinator, clock, WRITE_EVERY))
    other = RemoteSite(remote, settings, "o" * 16, ended=lambda _: [], drained=lambda: (), clock=clock)
    with pytest.raises(QueueUnavailable, match="another coordinator"):
        other.claim_queue()
    monkeypatch.setattr("time.sleep", lambda _: None)
    other.claim_queue()
    with pytest.raises(QueueUnavailable, match="another coordinator"):
        turn(coordinator, clock, WRITE_EVERY)


@pytest.fixture(autouse=True)
def no_files_left(settings: Settings) -> Iterator[None]:
    yield
    assert not list(settings.data_dir.rglob("*.partial"))
