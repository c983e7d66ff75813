"""A short campaign on several hosts; `python -m tests.faults.hosts` runs long ones."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.hosts.plan import KINDS, long_runs, portions, run_names, strikes
from tests.faults.hosts.servers import count_puts

SHORT = ("--jobs", "15", "--seconds", "20", "--every", "5")
LONGEST = 600.0
"""Seconds; about 60 are needed on two idle cores."""


def test_plan_is_drawn_from_its_seed() -> None:
    runs = run_names(20)
    assert strikes(3, 100, 5) == strikes(3, 100, 5)
    assert strikes(3, 100, 5) != strikes(4, 100, 5)
    assert portions(3, runs, 100) == portions(3, runs, 100)
    assert portions(3, runs, 100) != portions(4, runs, 100)


def test_first_strikes_are_of_all_kinds() -> None:
    assert {strike.kind for strike in strikes(3, 100, 5)[:5]} == set(KINDS)


@pytest.mark.parametrize("jobs", [1, 2, 15, 200])
def test_portions_have_each_run_once(jobs: int) -> None:
    runs = run_names(jobs)
    plan = portions(1, runs, 150)
    assert [run for portion in plan for run in portion.runs] == runs
    assert all(portion.runs for portion in plan)
    assert plan[0].at == 0
    assert [portion.at for portion in plan] == sorted(portion.at for portion in plan)


def test_runs_that_last_long_have_the_same_archive() -> None:
    runs = run_names(200)
    assert {runs.index(run) % 3 for run in long_runs(runs)} == {0}


def test_puts_that_succeeded_are_counted() -> None:
    lines = [
        f'1 beast: 0x7f: 10.77.0.11 - wort [27/Nov/2026:23:43:38.335 +0000] "{request} HTTP/1.1" {status} 0 - "Boto3" -'
        for request, status in (
            ("PUT /signatures", 200),
            ("PUT /signatures/sigs/SRR2000001.sig", 200),
            ("PUT /signatures/sigs/SRR2000001.sig", 412),
            ("PUT /signatures/sigs/SRR2000002.sig", 200),
            ("PUT /signatures/sigs/SRR2000002.sig", 200),
            ("PUT /signatures/sigs/SRR2000003.sig", 500),
            ("GET /signatures/sigs/SRR2000003.sig", 200),
            ("PUT /signatures/prov/SRR2000001.json", 200),
        )
    ]
    assert count_puts("\n\n".join(lines)) == {"SRR2000001": 1, "SRR2000002": 2}


@pytest.mark.timeout(LONGEST + 60)
@pytest.mark.parametrize(("queue", "seed"), [("postgresql", 4), ("redis", 1)])
def test_short_campaign_on_several_hosts_passes(queue: str, seed: int) -> None:
    argv = [sys.executable, "-m", "tests.faults.hosts", "--queue", queue, "--seed", str(seed), *SHORT]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=root) as campaign:
        try:
            output, _ = campaign.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            campaign.send_signal(signal.SIGTERM)
            output, _ = campaign.communicate()
    assert campaign.returncode == 0, output
