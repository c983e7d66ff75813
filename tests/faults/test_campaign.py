"""A short campaign: few jobs, frequent strikes.  `make faults` runs long ones."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SHORT = ("--jobs", "15", "--seconds", "16", "--every", "1.2", "--without", "LEDGER_LOCKED", "--without", "QUEUE_LOCKED")
"""Without the strikes that last ten seconds, which test_ledger.py covers."""
LONGEST = 600.0
"""Seconds; about 50 are needed on two idle cores.  A campaign that makes no progress ends sooner (ENDED_WITHIN)."""


# This seed has more kinds of strikes than other short plans: a deleted queue, a frozen bucket, a removed lock file,
# a ledger that cannot be locked, expired credentials, a killed daemon.
@pytest.mark.timeout(LONGEST + 60)
@pytest.mark.parametrize("seed", [28])
def test_short_campaign_passes(seed: int) -> None:
    argv = [sys.executable, "-m", "tests.faults.campaign", "--seed", str(seed), *SHORT]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root) as campaign:
        try:
            output, _ = campaign.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            campaign.send_signal(signal.SIGINT)  # it then kills everything that it started
            output, _ = campaign.communicate()
    assert campaign.returncode == os.EX_OK, output
