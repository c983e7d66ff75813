"""Leftover processes of an attempt are found by its record and killed; a running process with --now is not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import eventually
from wort_cli.pipeline.toolkit.processes import FILE, Processes, kill_attempt, kill_leftovers, read_processes
from wort_cli.system.process_identity import ProcessIdentity, identity_of, is_running

NOW = "process 1 on here"


@pytest.fixture
def sleepers() -> Iterator[list[ProcessIdentity]]:
    """Two sleeping processes, each in its own process group."""
    started = [
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0) for _ in range(2)
    ]
    for process in started:
        os.kill(process.pid, signal.SIGSTOP)
    found = [identity_of(process.pid) for process in started]
    yield [identity for identity in found if identity is not None]
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def attempt(tmp_path: Path) -> Path:
    made = tmp_path / "7" / "attempt-2"
    made.mkdir(parents=True)
    return made


def test_written_record_reads_back(attempt: Path, sleepers: list[ProcessIdentity]) -> None:
    worker, guard = sleepers
    first = Processes("daemon", worker)
    first.write(attempt)
    assert read_processes(attempt) == first
    first.with_guard(guard).write(attempt)
    assert read_processes(attempt) == Processes("daemon", worker, guard)
    assert [path.name for path in attempt.iterdir()] == [FILE]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"owner": "daemon", "worker": {"pid": 0}, "guard": null}'])
def test_damaged_record_is_ignored(attempt: Path, text: str) -> None:
    (attempt / FILE).write_text(text)
    assert read_processes(attempt) is None
    assert not kill_attempt(attempt)


@pytest.mark.parametrize(("owner", "worker_is_killed"), [("daemon", True), (NOW, False)])
def test_tools_and_worker_of_the_daemon_are_killed(
    attempt: Path, sleepers: list[ProcessIdentity], owner: str, worker_is_killed: bool
) -> None:
    worker, guard = sleepers
    Processes(owner, worker, guard).write(attempt)
    assert kill_attempt(attempt)
    assert eventually(lambda: not is_running(guard))
    assert eventually(lambda: is_running(worker) is not worker_is_killed)


def test_starting_daemon_kills_leftovers_of_an_earlier_one(attempt: Path, sleepers: list[ProcessIdentity]) -> None:
    worker, guard = sleepers
    (attempt.parent / "slices").mkdir()
    Processes("daemon", worker, guard).write(attempt)
    assert list(kill_leftovers(attempt.parent.parent)) == [(attempt, True)]
    assert eventually(lambda: not is_running(guard) and not is_running(worker))
    assert [path.name for path in attempt.parent.iterdir()] == ["slices"]
    assert list(kill_leftovers(attempt.parent.parent)) == []


def test_process_with_now_is_not_killed(attempt: Path, sleepers: list[ProcessIdentity]) -> None:
    worker, guard = sleepers
    Processes(NOW, worker, guard).write(attempt)
    assert list(kill_leftovers(attempt.parent.parent)) == []
    assert is_running(worker)
    assert is_running(guard)
    assert attempt.exists()
