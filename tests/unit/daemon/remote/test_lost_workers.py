"""Workers on other hosts that are lost, and a queue that loses everything or cannot be reached."""

from dataclasses import replace

import pytest

from tests.unit.daemon.remote.scene import Host, Scene
from wort_cli.daemon.coordinator import WAKE_EVERY
from wort_cli.daemon.remote.board_writer import WRITE_EVERY
from wort_cli.daemon.remote.roster import SILENT_AFTER, TAKEN_WITHIN
from wort_cli.errors import QueueUnavailable
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.lease import SILENCES


def test_silent_worker_loses_its_job_after_the_lease(scene: Scene, job: int) -> None:
    scene.host.take()
    scene.turn()
    scene.turn(scene.settings.worker_lease - 10)
    assert scene.job(job).state is JobState.RUNNING
    scene.turn(20)
    found = scene.job(job)
    assert (found.state, found.reason, found.attempt) == (JobState.QUEUED, Reason.INTERRUPTED, 1)
    assert "the worker on node1 sent no heartbeat" in found.message


def test_job_that_silences_worker_after_worker_fails_in_the_end(scene: Scene, job: int) -> None:
    for times in range(SILENCES + 1):
        Host(scene.remote, f"other{times}").send()
        scene.turn()
        Host(scene.remote, f"node-{times}").take()
        scene.turn()
        scene.turn(scene.settings.worker_lease + 1)
    assert scene.job(job).state is JobState.WAITING


def test_worker_that_starts_again_at_its_place_gives_up_its_jobs_at_once(scene: Scene, job: int) -> None:
    scene.host.take()
    scene.turn()
    Host(scene.remote, "node1", worker="node1-2", room=0).send()
    scene.turn()
    assert scene.job(job).state is JobState.QUEUED


@pytest.mark.parametrize("first", ["node1-1", "node1-2"])
def test_beat_that_a_killed_worker_has_left_shows_nothing(scene: Scene, job: int, first: str) -> None:
    """Whichever of the two beats is read first, the worker that started later is the one that runs."""
    scene.host.take()
    scene.turn()
    old = scene.host.beat
    new = replace(old, worker="node1-2", process=replace(old.process, started=old.process.started + 1), room=0)
    new = replace(new, running={})
    scene.remote.remove_beat(old.worker)
    for beat in (old, new) if first == old.worker else (new, old):
        scene.remote.beat(beat.worker, beat.pack())
    scene.turn()
    assert scene.job(job).state is JobState.QUEUED
    scene.turn(WAKE_EVERY + 0.1)
    assert list(scene.remote.beats()) == ["node1-2"], "the other one is removed"


def test_order_that_the_queue_has_lost_is_queued_again(scene: Scene, job: int) -> None:
    scene.remote.lose_everything()
    for _ in range(int(TAKEN_WITHIN / WRITE_EVERY) + 3):
        scene.host.send()
        scene.turn(WRITE_EVERY)
    assert scene.job(job).attempt == 2
    assert scene.board.attempts == {job: 2}


def test_running_job_survives_a_queue_that_loses_everything(scene: Scene, job: int) -> None:
    scene.host.take()
    scene.turn()
    scene.remote.lose_everything()
    for _ in range(int(2 * SILENT_AFTER / WRITE_EVERY)):
        scene.turn(WRITE_EVERY)
        scene.host.send()
    assert scene.board.attempts == {job: 1}
    assert scene.job(job).attempt == 1


def test_no_worker_is_lost_while_the_coordinator_cannot_reach_the_queue(scene: Scene, job: int) -> None:
    scene.host.take()
    scene.turn()
    scene.remote.broken = True
    for _ in range(10):
        with pytest.raises(QueueUnavailable):
            scene.turn(scene.settings.worker_lease)
        scene.coordinator.excuse_silence()
    scene.remote.broken = False
    scene.turn()
    assert scene.job(job).state is JobState.RUNNING
