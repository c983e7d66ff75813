"""No process of a campaign outlives it, however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.polling import until
from tests.support.processes import processes_with

PROGRAM = """
import subprocess, sys, tempfile, time
from pathlib import Path

subprocess.Popen(["sleep", "600"], start_new_session=True)
Path(tempfile.gettempdir(), "started").touch()
time.sleep(float(sys.argv[1]))
sys.exit(7)
"""
WAITING = """
import sys
from pathlib import Path
from tests.support.contained import run_contained

sys.exit(run_contained("leaves_a_process", [sys.argv[2]], Path(sys.argv[1])))
"""


def start(directory: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Start a process that waits for a contained program, which starts another one, and ends after some seconds."""
    (directory / "leaves_a_process.py").write_text(PROGRAM)
    scratch = directory / "scratch"
    scratch.mkdir()
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": f"{directory}:{root}"}
    return subprocess.Popen([sys.executable, "-c", WAITING, scratch, str(seconds)], env=env, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_all_processes_end_with_the_one_that_waits(tmp_path: Path, number: signal.Signals) -> None:
    scratch = tmp_path / "scratch"
    with start(tmp_path, 600) as waiting:
        until((scratch / "started").exists, "the program runs")
        assert len(processes_with("TMPDIR", str(scratch))) >= 3
        waiting.send_signal(number)
        assert waiting.wait(60) != 0
    if number is signal.SIGKILL:  # else they have ended before
        until(lambda: not processes_with("TMPDIR", str(scratch)), "no process is left")
    assert not processes_with("TMPDIR", str(scratch))


def test_all_processes_end_with_the_program(tmp_path: Path) -> None:
    with start(tmp_path, 0) as waiting:
        assert waiting.wait(60) == 7
    assert not processes_with("TMPDIR", str(tmp_path / "scratch"))
