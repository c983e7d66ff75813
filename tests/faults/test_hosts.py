"""A short campaign on several hosts; `python -m tests.faults.hosts` runs long ones."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.hosts import plan

SHORT = ("--jobs", "15", "--seconds", "20", "--every", "5")
LONGEST = 600.0
"""Seconds; about 50 are needed on two idle cores."""


def test_plan_is_drawn_from_its_seed() -> None:
    assert plan(3, 100, 5) == plan(3, 100, 5)
    assert plan(3, 100, 5) != plan(4, 100, 5)
    assert len({strike.kind for strike in plan(3, 100, 5)[:5]}) == 5


@pytest.mark.timeout(LONGEST + 60)
@pytest.mark.parametrize(("queue", "seed"), [("postgresql", 4), ("redis", 1)])
def test_short_campaign_on_several_hosts_passes(queue: str, seed: int) -> None:
    argv = [sys.executable, "-m", "tests.faults.hosts", "--queue", queue, "--seed", str(seed), *SHORT]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root) as campaign:
        try:
            output, _ = campaign.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            campaign.send_signal(signal.SIGINT)
            output, _ = campaign.communicate()
    assert campaign.returncode == 0, output
