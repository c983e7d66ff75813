"""The daemon has new runs looked for when that is due, in a process of its own, one at a time."""

import sys
import time
from pathlib import Path

import pytest

from tests.support.builders import eventually
from tests.unit.daemon.conftest import Clock
from wort_cli.daemon.follow_runs import CHECK_EVERY, FollowRuns
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.follow import FollowRequest
from wort_cli.settings import Settings


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "mark"


def follow_runs(ledger: Ledger, settings: Settings, clock: Clock, script: str) -> FollowRuns:
    return FollowRuns(ledger, settings, command=(sys.executable, "-c", script), clock=clock)


def test_process_is_started_once_when_something_is_due(ledger: Ledger, settings: Settings, mark: Path) -> None:
    clock = Clock()
    started = f"open({str(mark)!r}, 'a').write('x'); import time; time.sleep(60)"
    made = follow_runs(ledger, settings, clock, started)
    made.step()
    assert made._process is None
    ledger.follows.add(FollowRequest("PRJNA1", "sra-v1"))
    made.step()
    assert made._process is None, "it does not look at each turn"
    clock.advance(CHECK_EVERY)
    made.step()
    process = made._process
    assert process is not None
    assert eventually(lambda: mark.exists() and mark.read_text() == "x")
    clock.advance(CHECK_EVERY)
    made.step()
    assert made._process is process
    made.stop()
    assert process.poll() is not None
    assert mark.read_text() == "x"


def test_nothing_is_started_before_it_is_due(ledger: Ledger, settings: Settings) -> None:
    follow = ledger.follows.add(FollowRequest("PRJNA1", "sra-v1"))
    ledger.follows.start(follow, time.time() + 1000)
    made = follow_runs(ledger, settings, Clock(), "")
    made.step()
    assert made._process is None


def test_process_that_crashes_is_reported(ledger: Ledger, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    ledger.follows.add(FollowRequest("PRJNA1", "sra-v1"))
    made = follow_runs(ledger, settings, Clock(), "raise SystemExit(3)")
    made.step()
    process = made._process
    assert process is not None
    process.wait(60)
    made.step()
    assert "ended with exit code 3" in caplog.text
