"""The queue carries heartbeats, cancellations and results, and detects that its file is lost."""

import os
import pickle
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from huey.utils import Error

from tests.support.builders import job_spec, published
from wort_cli.daemon.queue import JsonSerializer, TaskError, WorkQueue, key
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Progress
from wort_cli.model.job_result import JobResult
from wort_cli.system.process_identity import own_identity


def test_attempt_is_acquired_once(queue: WorkQueue) -> None:
    assert queue.acquire(1, 1)
    assert not queue.acquire(1, 1)
    assert queue.acquire(1, 2)


def test_last_heartbeat_is_returned(queue: WorkQueue, tmp_path: Path) -> None:
    assert queue.heartbeat(1, 1) is None
    for spots in (10, 20):
        progress = Progress("sketching", spots, 100, 5000, 12.5)
        queue.send_heartbeat(job_spec(tmp_path), own_identity(), progress, 0.25)
    heartbeat = queue.heartbeat(1, 1)
    assert heartbeat is not None
    assert heartbeat.process == own_identity()
    assert (heartbeat.progress, heartbeat.idle) == (progress, 0.25)
    assert queue.heartbeat(1, 2) is None


def test_cancellation_reaches_one_attempt_only(queue: WorkQueue) -> None:
    queue.cancel(1, 1)
    assert queue.is_cancelled(1, 1)
    assert not queue.is_cancelled(1, 2)


@pytest.mark.parametrize(
    "result",
    [
        JobResult(1, 2, failure=Failure(Reason.NETWORK, "no route")),
        JobResult(1, 2, published=published()),
        JobResult(1, 2),
    ],
)
def test_result_is_returned_until_it_is_forgotten(queue: WorkQueue, result: JobResult) -> None:
    assert queue.result("task") is None
    queue.huey.put_result("task", result.to_json())
    assert queue.result("task") == result
    assert queue.result("task") == result
    queue.forget("task", 1, 2)
    assert queue.result("task") is None


def test_error_of_a_task_is_returned_as_a_value(queue: WorkQueue) -> None:
    queue.huey.put_result("task", Error({"error": "ValueError('x')", "traceback": "..."}))
    assert queue.result("task") == TaskError("ValueError('x')")


def test_forgetting_an_attempt_deletes_everything_that_is_stored_for_it(queue: WorkQueue, tmp_path: Path) -> None:
    queue.acquire(1, 1)
    queue.cancel(1, 1)
    queue.send_heartbeat(job_spec(tmp_path), own_identity(), Progress("fetching", 0, 0, 0, 0.0), 0.0)
    queue.huey.put_result("task", JobResult(1, 1).to_json())
    queue.acquire(2, 1)
    queue.forget("task", 1, 1)
    assert queue.huey.storage.sql("SELECT key FROM kv", results=True) == [(key("acquired", 2, 1),)]


@pytest.mark.parametrize(
    "garbage", [b"", b"\x80garbage", b"[]", b"{}", b'{"value": 1}', b"[" * 100_000, pickle.dumps(1)]
)
def test_garbage_is_ignored(queue: WorkQueue, garbage: bytes) -> None:
    for name in (key("heartbeat", 1, 1), "task"):
        queue.huey.storage.put_data(name, garbage)
    assert queue.heartbeat(1, 1) is None
    assert queue.result("task") is None
    assert queue.huey.storage.sql("SELECT key FROM kv", results=True) == [(key("heartbeat", 1, 1),)]


def test_messages_are_json_objects_with_one_key() -> None:
    serializer = JsonSerializer()
    assert serializer.serialize({"a": 1}) == b'{"value": {"a": 1}}'
    assert serializer.deserialize(serializer.serialize(Error({"error": "x"}))).metadata == {"error": "x"}


# ---- The file


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    path.with_name("other").write_bytes(path.read_bytes())
    path.with_name("other").replace(path)


def overwrite(path: Path) -> None:
    file = os.open(path, os.O_WRONLY)
    os.pwrite(file, b"no database" * 10, 0)
    os.close(file)


@pytest.mark.parametrize("damage", [delete, replace, overwrite])
def test_lost_file_is_detected_and_recreated(queue: WorkQueue, damage: Callable[[Path], None]) -> None:
    queue.acquire(1, 1)
    assert not queue.is_lost()
    damage(queue.path)
    assert queue.is_lost()
    queue.recreate()
    assert not queue.is_lost()
    assert queue.acquire(1, 1), "the new queue is empty"


def test_dropped_table_is_detected(queue: WorkQueue) -> None:
    queue.huey.storage.sql("DROP TABLE task", commit=True)
    assert queue.is_lost()


def test_lock_of_another_process_is_not_a_loss(queue: WorkQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise OSError("locked")

    monkeypatch.setattr(queue.huey, "pending_count", fail)
    assert not queue.is_lost()


def test_file_is_for_its_owner_only(queue: WorkQueue) -> None:
    assert stat.S_IMODE(queue.path.stat().st_mode) == 0o600


def test_new_queue_has_nothing_of_the_last_one(queue: WorkQueue) -> None:
    queue.acquire(1, 1)
    queue.close()
    assert WorkQueue.create(queue.path).acquire(1, 1)
