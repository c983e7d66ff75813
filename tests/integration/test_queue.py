"""The queue's file and messages: whatever they contain, no job is lost and no code from them is run."""

import json
import os
import pickle
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

from tests.support.homes import Home
from tests.support.polling import until
from tests.support.shelf import Shelf


class Payload:
    """A value that writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def tables(queue: Path) -> dict[str, list[str]]:
    """Return the tables of Huey's database with their columns."""
    with closing(sqlite3.connect(queue, timeout=30)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for name in names
            if not name.startswith("sqlite_")
        }


def put_task(queue: Path, data: bytes) -> None:
    """Insert a task into Huey's database, as any process could that may write the file."""
    with closing(sqlite3.connect(queue, timeout=30, isolation_level=None)) as connection:
        connection.execute("INSERT INTO task (queue, data, priority) VALUES ('wort', ?, 1000)", (data,))


def tasks(queue: Path) -> int:
    with closing(sqlite3.connect(queue, timeout=30)) as connection:
        return int(connection.execute("SELECT count(*) FROM task").fetchone()[0])


GARBAGE = (os.urandom(1000), b"", b'{"value": 1}', b"[]", b'{"message": {"nonsense": 1}}', b"[" * 100_000)


def test_pickles_are_never_unpickled(home: Home, shelf: Shelf) -> None:
    """They are in the tasks, in the values and in the schedule; the workers survive."""
    home.keep("SRR000001", shelf.archive())
    home("daemon", "start").expect(0)
    queue, marker = home.path / "queue.db", home.root / "marker"
    workers = {process.pid for process in home.processes()}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        put_task(queue, pickle.dumps(Payload(marker), protocol))
    until(lambda: tasks(queue) == 0, "the tasks are received")
    with closing(sqlite3.connect(queue, timeout=30, isolation_level=None)) as connection:
        columns = tables(queue)
        assert set(columns) >= {"kv", "schedule", "task"}, columns
        data = pickle.dumps(Payload(marker))
        for job in (1, 2):
            for key in (f"heartbeat:{job}:1", f"cancelled:{job}:1"):
                connection.execute("INSERT INTO kv (queue, key, value) VALUES ('wort', ?, ?)", (key, data))
        connection.execute("INSERT INTO schedule (queue, data, timestamp) VALUES ('wort', ?, ?)", (data, time.time()))
    home("compute", "SRR000001", "--wait").expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")
    assert not marker.exists()
    until(lambda: {process.pid for process in home.processes()} == workers, "the workers are the same")


def test_jobs_are_done_despite_garbage_in_the_queue(home: Home, shelf: Shelf) -> None:
    home.keep("SRR000001", shelf.archive("one_read"))
    home("daemon", "start").expect(0)
    for data in GARBAGE * 3:
        put_task(home.path / "queue.db", data)
    home("compute", "SRR000001", "--wait").expect(0)
    assert tasks(home.path / "queue.db") == 0
    assert [job.name for job in home.jobs()] == ["SRR000001"]


def on_every_task(queue: Path, action: str) -> None:
    """Create a trigger that runs `action` whenever the daemon enqueues a task, NEW."""
    with closing(sqlite3.connect(queue, timeout=30, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS seen (data BLOB)")
        connection.execute(f"CREATE TRIGGER enqueued AFTER INSERT ON task BEGIN {action}; END")


def seen(queue: Path) -> list[bytes]:
    """Return the tasks that the trigger recorded."""
    with closing(sqlite3.connect(queue, timeout=30)) as connection:
        return [bytes(data) for (data,) in connection.execute("SELECT data FROM seen")]


def test_task_that_arrives_twice_is_done_once(home: Home, shelf: Shelf) -> None:
    """Two workers receive the same attempt; one result counts, and it is correct."""
    home.keep("SRR000001", shelf.archive())
    home("daemon", "start").expect(0)
    on_every_task(
        home.path / "queue.db", "INSERT INTO task (queue, data, priority) VALUES (NEW.queue, NEW.data, NEW.priority)"
    )
    home("compute", "SRR000001", "--wait").expect(0)
    until(lambda: tasks(home.path / "queue.db") == 0, "both are received")
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")
    assert home.select("SELECT state FROM jobs") == [("done",)]


def test_lost_task_is_enqueued_again_after_its_lease(home: Home, shelf: Shelf) -> None:
    home.keep("SRR000001", shelf.archive())
    home("daemon", "start", env={"WORT_LEASE": "4"}).expect(0)
    queue = home.path / "queue.db"
    on_every_task(
        queue,
        "DELETE FROM task WHERE id = NEW.id AND (SELECT count(*) FROM seen) = 0; INSERT INTO seen VALUES (NEW.data)",
    )
    home("compute", "SRR000001", "--wait").expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")
    assert len(seen(queue)) == home.job("SRR000001").attempt > 1


def test_forged_messages_have_no_effect(home: Home, shelf: Shelf) -> None:
    """A late copy of a task changes no job; a message that names another file or function does nothing."""
    home.keep("SRR000001", shelf.archive("one_read"))
    home("daemon", "start").expect(0)
    queue = home.path / "queue.db"
    on_every_task(queue, "INSERT INTO seen VALUES (NEW.data)")
    home("compute", "SRR000001", "--wait").expect(0)
    (data,) = seen(queue)
    events = home.events("SRR000001")
    with closing(sqlite3.connect(queue, timeout=30, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER enqueued")

    def put(change: dict[str, object], task: str | None = None) -> None:
        document = json.loads(data)
        (spec,) = document["message"]["args"]
        spec.update(change)
        document["message"]["name"] = task or document["message"]["name"]
        put_task(queue, json.dumps(document).encode())

    put({})
    put({"job_id": 77})
    put({"source": {"name": "../../x", "archive": ""}})
    put({"source": {"name": "SRR000001", "archive": None}, "profile": "no such"})
    put({"engine": "os.system"})
    put({"unknown": 1})
    put({}, task="os.system")
    until(lambda: tasks(queue) == 0, "all are received")
    home.keep("SRR000002", shelf.archive("one_read"))
    home("compute", "SRR000002", "--wait").expect(0)
    assert home.events("SRR000001") == events
    assert len(home.jobs()) == 2
    assert {path.name for path in home.signature_files() if path.suffix == ".sig"} == {"SRR000001.sig", "SRR000002.sig"}
    assert home.signature("SRR000001") == shelf.reference(shelf.archive("one_read"), "SRR000001")


def test_queue_and_lock_are_private_to_the_user(home: Home) -> None:
    home("daemon", "start").expect(0)
    home("status").expect(0)
    for name in ("queue.db", "ledger.db", "daemon.lock"):
        assert stat.S_IMODE((home.path / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
