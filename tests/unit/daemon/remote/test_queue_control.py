"""One coordinator controls the queue: a new one continues, a second one is refused, workers hear what is not needed."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.daemon.remote.scene import HOME, Scene
from wort_cli.daemon.remote.board_writer import WRITE_EVERY
from wort_cli.daemon.remote.roster import MOST_ENDED, Roster
from wort_cli.daemon.remote.values import MAX_KEPT
from wort_cli.daemon.service import end_jobs
from wort_cli.errors import QueueUnavailable
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState

NO_READS = Failure(Reason.NO_READS, "none")


def test_new_coordinator_goes_on_with_running_jobs(scene: Scene, job: int) -> None:
    order = scene.host.take()
    scene.turn()
    scene.coordinator.requeue_all()
    assert scene.job(job).state is JobState.RUNNING
    scene.host.answer(order, failure=NO_READS)
    site = scene.site_of(HOME)
    site.adopt([scene.job(job)])
    site.claim_queue()
    assert scene.board.attempts == {job: 1}
    scene.coordinator = scene.coordinator_of(site)
    scene.turn()
    assert scene.job(job).state is JobState.UNAVAILABLE


def test_workspaces_that_are_not_needed_are_named_on_the_board(scene: Scene, job: int) -> None:
    scene.host.answer(scene.host.take(), failure=NO_READS)
    scene.turn()
    scene.host.send(running={}, kept=(job,))
    scene.turn()
    scene.turn(WRITE_EVERY)
    assert scene.board.ended == {"node1-1": (job,)}


def test_board_names_only_some_of_many_workspaces_at_a_time(scene: Scene) -> None:
    scene.host.send(kept=tuple(range(1, 1 + MAX_KEPT)))
    roster = Roster(HOME, scene.clock)
    roster.read(scene.remote.beats())
    assert roster.ended_workspaces(lambda jobs: jobs, ()) == {"node1-1": tuple(range(1, 1 + MOST_ENDED))}


def test_second_coordinator_is_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: scene.turn(WRITE_EVERY))
    other = scene.site_of("o" * 16)
    with pytest.raises(QueueUnavailable, match="another coordinator"):
        other.claim_queue()
    monkeypatch.setattr("time.sleep", lambda _: None)
    other.claim_queue()
    with pytest.raises(QueueUnavailable, match="another coordinator"):
        scene.turn(WRITE_EVERY)


def test_daemon_ends_in_order_while_the_queue_cannot_be_reached(
    scene: Scene, job: int, caplog: pytest.LogCaptureFixture
) -> None:
    scene.host.take()
    scene.remote.broken = True
    guard: Any = SimpleNamespace(ledger_is_ours=lambda: True)
    end_jobs(guard, scene.coordinator)
    assert "the queue cannot be reached; the next daemon continues its jobs" in caplog.text
    assert scene.job(job).state is JobState.RUNNING
