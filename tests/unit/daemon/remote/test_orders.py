"""Orders: which jobs are sent to workers on other hosts, and what an order says."""

import pytest

from tests.unit.daemon.remote.scene import NAME, OTHER, Host, Scene
from wort_cli.daemon.remote.wire import Order
from wort_cli.model.job import JobState
from wort_cli.model.lease import WORKERS


def test_no_job_starts_without_a_worker(scene: Scene) -> None:
    scene.remote.remove_beat(scene.host.beat.worker)
    (job,) = scene.order(NAME)
    assert scene.job(job).state is JobState.QUEUED
    assert "no worker is connected" in scene.coordinator.blocked_by


def test_board_names_an_attempt_before_its_order_is_sent(scene: Scene, job: int) -> None:
    assert scene.job(job).owner == WORKERS
    assert scene.board.attempts == {job: 1}
    order = Order.unpack(scene.remote.take() or b"")
    assert (order.spec.job_id, order.spec.attempt, order.spec.name) == (job, 1, NAME)


def test_order_names_no_path_of_the_coordinator(scene: Scene, job: int) -> None:
    data = scene.remote.take() or b""
    assert str(scene.settings.data_dir).encode() not in data
    assert b"/" not in data


def test_as_many_orders_are_sent_as_workers_take(scene: Scene) -> None:
    scene.order(*(f"SRR{1000000 + i}" for i in range(9)))
    assert scene.remote.pending() == 2
    Host(scene.remote, "node2", 3).send()
    scene.turn()
    assert scene.remote.pending() == 5
    Host(scene.remote, "node3", 7, version="0.0.1").send()
    Host(scene.remote, "node4", 7, draining=True).send()
    scene.turn()
    assert scene.remote.pending() == 5


def test_orders_of_a_turn_are_bounded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.daemon.remote.site.MOST_ORDERS", 3)
    scene.host.send(room=8)
    scene.enqueue(*(f"SRR{1000000 + i}" for i in range(9)))
    numbers = []
    for _ in range(4):
        scene.turn()
        numbers.append(scene.remote.pending())
    assert numbers == [3, 6, 8, 8]


def test_jobs_of_a_turn_are_claimed_in_one_commit(scene: Scene, statements: list[str]) -> None:
    scene.enqueue(NAME, OTHER)
    statements.clear()
    scene.turn()
    assert scene.remote.pending() == 2
    assert statements.count("COMMIT") == 1


def test_cancelled_job_leaves_the_board(scene: Scene, job: int) -> None:
    scene.host.take()
    scene.turn()
    scene.ledger.jobs.cancel([job])
    scene.turn()
    assert scene.board.attempts == {}
    assert not scene.coordinator.busy
