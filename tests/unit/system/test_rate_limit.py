"""Requests of several processes to one host are spaced, and held back together."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from wort_cli.system.cancellation import Cancellation
from wort_cli.system.rate_limit import RateLimit, Schedule

ASKS = """
import sys, time
from pathlib import Path
from wort_cli.system.rate_limit import RateLimit
rate = RateLimit(Path(sys.argv[1]), "host", 0.05)
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
def test_a_turn_is_the_next_free_time(schedule: Schedule, now: float, turn: float, after: Schedule) -> None:
    assert schedule.book(now, 2.0) == (turn, after)


def test_what_is_too_far_ahead_is_a_mistake() -> None:
    assert Schedule(1e9, 1e9).bounded(10.0) == Schedule()
    assert Schedule(11.0, 70.0).bounded(10.0) == Schedule(11.0, 70.0)


def test_processes_take_turns(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", ASKS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    times = sorted(float(line) for process in processes for line in process.communicate(timeout=60)[0].split())
    assert [process.returncode for process in processes] == [0] * 3
    assert len(times) == 15
    # Who wakes up late is late; nobody is early, so that all together take at least their time.
    assert times[-1] - times[0] >= 14 * 0.05 - 0.05


def test_a_pause_is_everybodys(tmp_path: Path) -> None:
    RateLimit(tmp_path, "host", 0.01).pause(60.0)
    other = RateLimit(tmp_path, "host", 0.01)
    assert 55.0 < other.paused_for() <= 60.0
    assert RateLimit(tmp_path, "another", 0.01).paused_for() == 0.0
    begun = time.monotonic()
    other.wait_turn(Cancellation(lambda: True))
    assert time.monotonic() - begun < 5.0


@pytest.mark.parametrize("text", ["", "garbage", "[]", '{"boot": "another", "free_at": 1e9, "paused_until": 1e9}'])
def test_a_file_of_garbage_or_of_another_boot_holds_nobody_up(tmp_path: Path, text: str) -> None:
    (tmp_path / "host.json").write_text(text)
    rate = RateLimit(tmp_path, "host", 0.01)
    assert rate.paused_for() == 0.0
    rate.wait_turn()


def test_a_directory_that_can_not_be_made_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    rate = RateLimit(tmp_path / "file", "host", 100.0)
    rate.pause(100.0)
    rate.wait_turn()
    assert rate.paused_for() == 0.0
