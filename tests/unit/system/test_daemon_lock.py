"""Tests of the daemon's lock, which the kernel releases when the process ends."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.support.builders import eventually
from wort_cli.errors import DaemonAlreadyRunning, StorageProblem
from wort_cli.system import daemon_lock
from wort_cli.system.daemon_lock import (
    DaemonInfo,
    DaemonLock,
    acquire_lock,
    daemon_is_running,
    last_daemon,
    running_daemon,
)
from wort_cli.system.process_identity import ProcessIdentity

HOLDER = """
import sys, time
from pathlib import Path
from wort_cli.system.daemon_lock import acquire_lock
lock = acquire_lock(Path(sys.argv[1]))
lock.write_info()
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "daemon.lock"


@pytest.fixture
def lock(lock_file: Path) -> Iterator[DaemonLock]:
    taken = acquire_lock(lock_file)
    yield taken
    taken.close()


def test_no_daemon_runs_without_a_lock_file(lock_file: Path) -> None:
    assert running_daemon(lock_file) is None
    assert not lock_file.exists()


@pytest.mark.usefixtures("lock")
def test_starting_daemon_has_no_process_id_yet(lock_file: Path) -> None:
    daemon = running_daemon(lock_file)
    assert daemon is not None
    assert daemon.pid == 0


def test_lock_file_contains_the_running_daemon(lock_file: Path, lock: DaemonLock) -> None:
    lock.write_info()
    daemon = running_daemon(lock_file)
    assert daemon is not None
    assert (daemon.pid, daemon.host) == (os.getpid(), os.uname().nodename)


def test_unlocked_file_means_that_no_daemon_runs(lock_file: Path) -> None:
    lock = acquire_lock(lock_file)
    lock.write_info()
    lock.close()
    assert lock_file.stat().st_size > 0
    assert running_daemon(lock_file) is None


def test_looking_up_the_daemon_does_not_prevent_a_start(lock_file: Path) -> None:
    acquire_lock(lock_file).close()
    assert running_daemon(lock_file) is None
    acquire_lock(lock_file).close()


def test_second_daemon_is_refused_with_the_process_id_of_the_first(
    lock_file: Path, lock: DaemonLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_lock, "GRACE", 0.05)
    lock.write_info()
    with pytest.raises(DaemonAlreadyRunning) as refusal:
        acquire_lock(lock_file)
    assert refusal.value.pid == os.getpid()


@pytest.mark.usefixtures("lock")
def test_lock_file_is_readable_only_by_its_user(lock_file: Path) -> None:
    assert stat.S_IMODE(lock_file.stat().st_mode) == 0o600


def test_lock_of_a_killed_daemon_is_released_at_once(lock_file: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock_file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        daemon = running_daemon(lock_file)
        assert daemon is not None
        assert daemon.pid == holder.pid
        holder.kill()
        assert eventually(lambda: running_daemon(lock_file) is None)
    acquire_lock(lock_file).close()


def test_longer_content_of_an_earlier_daemon_is_truncated(lock_file: Path) -> None:
    lock_file.write_text("x" * 5000)
    lock = acquire_lock(lock_file)
    lock.write_info()
    assert json.loads(lock_file.read_text())["pid"] == os.getpid()
    lock.close()


def test_lock_file_that_cannot_be_opened_is_a_storage_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for function in (running_daemon, acquire_lock):
        with pytest.raises(StorageProblem):
            function(tmp_path / "file" / "daemon.lock")


@pytest.mark.parametrize("replaced", [False, True])
def test_removed_lock_file_is_created_again(lock_file: Path, lock: DaemonLock, replaced: bool) -> None:
    lock.write_info()
    assert not lock.restore()
    before = running_daemon(lock_file)
    lock_file.unlink()
    if replaced:
        lock_file.write_text("{}")
    assert running_daemon(lock_file) is None
    assert lock.restore()
    assert running_daemon(lock_file) == before


def test_lock_file_that_another_process_has_locked_is_not_taken(lock_file: Path, lock: DaemonLock) -> None:
    lock.write_info()
    lock_file.unlink()
    other = acquire_lock(lock_file)
    with pytest.raises(BlockingIOError):
        lock.restore()
    other.close()
    assert lock.restore()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({}, ""),
        ({"host": "far-away"}, "on the host far-away"),
        ({"boot": "another"}, f"on another machine that is called {os.uname().nodename}"),
        ({"namespace": 7}, f"in another container on {os.uname().nodename}"),
    ],
)
def test_daemon_that_is_out_of_reach_is_known(
    lock_file: Path, lock: DaemonLock, change: dict[str, object], where: str
) -> None:
    lock.write_info()
    document = json.loads(lock_file.read_text())
    document.update({key: value for key, value in change.items() if key in document})
    document["process"].update({key: value for key, value in change.items() if key in document["process"]})
    lock_file.write_text(json.dumps(document))
    daemon = running_daemon(lock_file)
    assert daemon is not None
    assert daemon.where == where


def test_lock_that_is_not_seen_on_another_host_is_respected(tmp_path: Path) -> None:
    """A network file system without locks between hosts: the file says who has it, and the report is written."""
    lock_file, report = tmp_path / "daemon.lock", tmp_path / "health"
    elsewhere = DaemonInfo(7, 1.0, "0", "login2", ProcessIdentity(7, 1, "boot", 7, 1))
    lock_file.write_text(json.dumps(asdict(elsewhere)))
    assert daemon_is_running(lock_file) is None
    ended = threading.Event()

    def write() -> None:
        number = 0
        while not ended.wait(0.2):
            number += 1
            report.write_text(str(number))

    report.write_text("")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(DaemonAlreadyRunning, match="process 7 on the host login2"):
            acquire_lock(lock_file, report)
    finally:
        ended.set()
        writer.join()
    assert last_daemon(lock_file) == elsewhere
    lock = acquire_lock(lock_file, report)  # it has ended
    lock.write_info()
    assert daemon_is_running(lock_file) is True
    lock.close()
    assert daemon_is_running(lock_file) is False
