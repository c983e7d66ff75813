"""Tests of the rate limit that all processes share."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from wort_cli.system.cancellation import Cancellation
from wort_cli.system.rate_limit import RateLimit, Schedule

REQUESTS = """
import sys, time
from pathlib import Path
from wort_cli.system.rate_limit import RateLimit
rate = RateLimit(Path(sys.argv[1]), "host", 0.05)
print(time.monotonic(), flush=True)
for _ in range(5):
    rate.wait_turn()
    print(time.monotonic(), flush=True)
"""


@pytest.mark.parametrize(
    ("schedule", "now", "turn", "after"),
    [
        (Schedule(), 10.0, 10.0, Schedule(12.0)),
        (Schedule(11.0), 10.0, 11.0, Schedule(13.0)),
        (Schedule(9.0, 50.0), 10.0, 50.0, Schedule(52.0, 50.0)),
    ],
)
def test_request_gets_the_next_free_time(schedule: Schedule, now: float, turn: float, after: Schedule) -> None:
    assert schedule.book(now, 2.0) == (turn, after)


def test_times_too_far_ahead_are_dropped() -> None:
    assert Schedule(1e9, 1e9).bounded(10.0) == Schedule()
    assert Schedule(11.0, 70.0).bounded(10.0) == Schedule(11.0, 70.0)


def test_requests_of_several_processes_keep_the_interval(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", REQUESTS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    times = sorted(float(line) for process in processes for line in process.communicate(timeout=300)[0].split())
    assert [process.returncode for process in processes] == [0] * 3
    assert len(times) == 3 + 15
    # A process may wake up late but not early, so all requests together take at least their time, which begins after
    # the first process has said that it will ask.
    assert times[-1] - times[0] >= 14 * 0.05 - 0.001


def test_pause_applies_to_all_processes(tmp_path: Path) -> None:
    RateLimit(tmp_path, "host", 0.01).pause(60.0)
    other = RateLimit(tmp_path, "host", 0.01)
    assert 55.0 < other.paused_for() <= 60.0
    assert RateLimit(tmp_path, "another", 0.01).paused_for() == 0.0
    started = time.monotonic()
    other.wait_turn(Cancellation(lambda: True))
    assert time.monotonic() - started < 50.0


@pytest.mark.parametrize("text", ["", "garbage", "[]", '{"boot": "another", "free_at": 1e9, "paused_until": 1e9}'])
def test_invalid_file_or_one_of_another_boot_delays_no_request(tmp_path: Path, text: str) -> None:
    (tmp_path / "host.json").write_text(text)
    rate = RateLimit(tmp_path, "host", 0.01)
    assert rate.paused_for() == 0.0
    rate.wait_turn()


def test_directory_that_cannot_be_created_delays_no_request(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rate = RateLimit(tmp_path / "file", "host", 100.0)
    rate.pause(100.0)
    rate.wait_turn()
    assert rate.paused_for() == 0.0
