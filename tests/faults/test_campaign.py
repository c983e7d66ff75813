"""The short form of the campaign: few jobs, strikes close together; `make faults` is the long one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SHORT = ("--jobs", "16", "--seconds", "24", "--every", "1.6")
LONGEST = 110.0
"""Seconds; on two quiet cores it takes some 50."""


@pytest.mark.parametrize("seed", [3])
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
