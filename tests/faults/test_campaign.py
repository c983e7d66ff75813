"""A short campaign with few jobs and frequent strikes; `make faults` runs long ones."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SHORT = ("--jobs", "15", "--seconds", "16", "--every", "1.2", "--without", "LEDGER_LOCKED", "--without", "QUEUE_LOCKED")
"""Without the locks, which last for ten seconds; they have tests of their own."""
LONGEST = 110.0
"""Seconds; on two idle cores it takes about 50."""


# The short plan with the most kinds of faults: the queue deleted, a frozen bucket, a full disk, a killed daemon.
@pytest.mark.parametrize("seed", [10])
def test_short_campaign_passes(seed: int) -> None:
    argv = [sys.executable, "-m", "tests.faults.campaign", "--seed", str(seed), *SHORT]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root) as campaign:
        try:
            output, _ = campaign.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            campaign.send_signal(signal.SIGINT)  # so that it stops all processes that it started
            output, _ = campaign.communicate()
    assert campaign.returncode == os.EX_OK, output
