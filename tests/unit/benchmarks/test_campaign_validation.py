"""The comparison of the simulator with a real daemon."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.polling import LONGEST, until
from tests.support.processes import Process, processes_with

ROOT = Path(__file__).parents[3]


def daemons(directory: Path) -> list[Process]:
    """Return the daemons that a comparison has started which keeps its files in a directory."""
    return [process for process in processes_with("TMPDIR", str(directory)) if "daemon" in process.argv]


def test_comparison_that_gets_a_signal_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = [sys.executable, "-m", "benchmarks.campaign.validation", "--runs", "2", "--megabases", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until(lambda: daemons(tmp_path) or process.poll() is not None, "a daemon runs")
        process.terminate()
        assert process.wait(LONGEST) == 128 + signal.SIGTERM
        until(lambda: not processes_with("TMPDIR", str(tmp_path)), "no process is left")
    finally:
        for left in processes_with("TMPDIR", str(tmp_path)):
            left.kill()
        process.wait(LONGEST)
