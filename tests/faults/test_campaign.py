"""The short form of the campaign: few jobs, strikes close together; `make faults` is the long one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SHORT = ("--jobs", "15", "--seconds", "16", "--every", "1.2", "--without", "LEDGER_LOCKED", "--without", "QUEUE_LOCKED")
"""Without what lasts for ten seconds; tests of its own see to that."""
LONGEST = 110.0
"""Seconds; on two quiet cores it takes some 50."""


# Of the short plans this one has the most kinds: the queue deleted, a frozen bucket, a full disk, a killed daemon.
@pytest.mark.parametrize("seed", [10])
def test_a_short_campaign(seed: int) -> None:
    argv = [sys.executable, "-m", "tests.faults.campaign", "--seed", str(seed), *SHORT]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root) as campaign:
        try:
            said, _ = campaign.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            campaign.send_signal(signal.SIGINT)  # by which it ends all that it started
            said, _ = campaign.communicate()
    assert campaign.returncode == os.EX_OK, said
