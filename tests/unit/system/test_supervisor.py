"""A command runs in a child process where network file systems are mounted; a silent one does not hang the user."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import eventually, is_process_running
from tests.support.polling import LONGEST

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from wort_cli.errors import NoAnswer
from wort_cli.system import network_disks, supervisor
network_disks.MOUNTS = Path({table!r})
network_disks._limit[:] = []
if {hangs}:
    network_disks.TOUCH_IN_DEPTH = "import os, time\\nos.closerange(3, 1024)\\ntime.sleep(600)"
supervisor.TICK, supervisor.LOOK_EVERY = 0.05, 0.1
try:
    supervisor.run_in_child()
except NoAnswer as error:
    print(error.sentence)
    for left in network_disks._left_behind:
        os.kill(left, 9)
    sys.exit(75)
network_disks.wait_for_answers(0.4)
file = open({file!r})
print(os.getpid(), flush=True)
{body}
"""


def start(tmp_path: Path, body: str, *, hangs: bool = False) -> "subprocess.Popen[str]":
    """Start a process whose child has a file open on what is a network file system, as far as the table says."""
    point, table = tmp_path / "mount", tmp_path / "mountinfo"
    point.mkdir()
    (point / "file").write_text("x" * 100)
    table.write_text(f"40 22 0:44 / {point} rw - nfs4 host:/ rw\n")
    program = PROGRAM.format(table=str(table), hangs=hangs, file=str(point / "file"), body=body)
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    ],
    ids=["success", "error", "SIGTERM", "SIGKILL"],
)
def test_process_ends_as_its_child_does(tmp_path: Path, body: str, code: int) -> None:
    with start(tmp_path, body) as process:
        assert process.wait(LONGEST) == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_is_passed_on(tmp_path: Path, number: int) -> None:
    body = f"""
def ends(number, _):
    os._exit(number)
signal.signal({number:d}, ends)
print("ready", flush=True)
time.sleep(600)"""
    with start(tmp_path, body) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(LONGEST) == number


def test_child_is_killed_with_its_parent(tmp_path: Path) -> None:
    with start(tmp_path, "time.sleep(600)") as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert child != process.pid
        process.kill()
        assert eventually(lambda: not is_process_running(child))


def test_child_that_waits_while_its_disk_is_silent_is_killed_and_reported(tmp_path: Path) -> None:
    with start(tmp_path, "time.sleep(600)", hangs=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert process.wait(LONGEST) == os.EX_TEMPFAIL
        sentence = process.stdout.read()
    assert f"{tmp_path}/mount/file" in sentence
    assert "does not answer within 0.4 s" in sentence
    assert not is_process_running(child)


def test_child_that_works_while_its_disk_is_silent_is_left_alone(tmp_path: Path) -> None:
    body = """
end = time.process_time() + 1.5
while time.process_time() < end:
    pass
sys.exit(4)"""
    with start(tmp_path, body, hangs=True) as process:
        assert process.wait(LONGEST) == 4


def test_child_that_waits_for_something_else_is_left_alone(tmp_path: Path) -> None:
    with start(tmp_path, "time.sleep(1.5); sys.exit(4)") as process:
        assert process.wait(LONGEST) == 4
