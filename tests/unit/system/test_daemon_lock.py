"""There is one daemon for a home, told by a lock that the kernel drops with its process."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import eventually
from wort_cli.errors import DaemonAlreadyRunning, StorageProblem
from wort_cli.system import daemon_lock as instance
from wort_cli.system.daemon_lock import running_daemon, sign, take_lock

HOLDER = """
import sys, time
from pathlib import Path
from wort_cli.system.daemon_lock import sign, take_lock
sign(take_lock(Path(sys.argv[1])))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "daemon.lock"


@pytest.fixture
def lock(lock_file: Path) -> Iterator[int]:
    taken = take_lock(lock_file)
    yield taken
    os.close(taken)


def test_no_daemon_runs_where_there_is_no_lock_file(lock_file: Path) -> None:
    assert running_daemon(lock_file) is None
    assert not lock_file.exists()


@pytest.mark.usefixtures("lock")
def test_a_daemon_that_is_just_starting_has_no_number_yet(lock_file: Path) -> None:
    daemon = running_daemon(lock_file)
    assert daemon is not None
    assert daemon.pid == 0


def test_a_signed_lock_says_who_runs(lock_file: Path, lock: int) -> None:
    sign(lock)
    daemon = running_daemon(lock_file)
    assert daemon is not None
    assert (daemon.pid, daemon.host) == (os.getpid(), os.uname().nodename)


def test_a_file_without_its_lock_never_lies(lock_file: Path) -> None:
    lock = take_lock(lock_file)
    sign(lock)
    os.close(lock)
    assert lock_file.stat().st_size > 0
    assert running_daemon(lock_file) is None


def test_asking_who_runs_does_not_keep_a_daemon_from_starting(lock_file: Path) -> None:
    os.close(take_lock(lock_file))
    assert running_daemon(lock_file) is None
    os.close(take_lock(lock_file))


def test_a_second_daemon_is_told_of_the_first(lock_file: Path, lock: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "GRACE", 0.05)
    sign(lock)
    with pytest.raises(DaemonAlreadyRunning) as refusal:
        take_lock(lock_file)
    assert refusal.value.pid == os.getpid()


def test_only_this_user_may_read_the_lock_file(lock_file: Path, lock: int) -> None:
    assert lock > 2
    assert stat.S_IMODE(lock_file.stat().st_mode) == 0o600


def test_the_lock_of_a_killed_daemon_is_free_at_once(lock_file: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock_file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        daemon = running_daemon(lock_file)
        assert daemon is not None
        assert daemon.pid == holder.pid
        holder.kill()
        assert eventually(lambda: running_daemon(lock_file) is None)
    os.close(take_lock(lock_file))


def test_a_longer_signature_of_an_earlier_daemon_is_gone(lock_file: Path) -> None:
    lock_file.write_text("x" * 5000)
    lock = take_lock(lock_file)
    sign(lock)
    assert json.loads(lock_file.read_text())["pid"] == os.getpid()
    os.close(lock)


def test_a_lock_that_cannot_be_opened_is_a_storage_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for ask in (running_daemon, take_lock):
        with pytest.raises(StorageProblem):
            ask(tmp_path / "file" / "daemon.lock")
