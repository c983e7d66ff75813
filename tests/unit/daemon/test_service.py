"""The daemon's loop: signals, reloading, and turns that fail."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.daemon.conftest import Clock, WorkersWithoutProcesses
from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.health_writer import HealthWriter
from wort_cli.daemon.home_guard import HomeGuard
from wort_cli.daemon.housekeeping import Housekeeper
from wort_cli.daemon.service import TROUBLE_PAUSE, reload_settings, run_loop
from wort_cli.daemon.signals import Signals
from wort_cli.errors import StorageProblem
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.open_file import OpenLedgerFile
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import acquire_lock


class Loop:
    """The parts of a daemon in whose turns a test can raise errors; it stops after the given turns."""

    def __init__(
        self, guard: HomeGuard, coordinator: Coordinator, housekeeper: Housekeeper, writer: HealthWriter
    ) -> None:
        self.coordinator, self.housekeeper, self.writer = coordinator, housekeeper, writer
        self.guard = guard
        self.troubles: list[str] = []
        self.pauses: list[float] = []

    def run(
        self, signals: Signals, monkeypatch: pytest.MonkeyPatch, *errors: Exception | None, busy_pause: float = 0.05
    ) -> None:
        """Run one turn for each element of `errors`, which raises it unless it is None."""
        left = list(errors)

        def turn() -> None:
            error = left.pop(0)
            if not left:
                signals.stop = "SIGTERM"
            if error is not None:
                raise error

        monkeypatch.setattr(self.coordinator, "turn", turn)
        monkeypatch.setattr(self.writer, "record_turn", lambda started, trouble: self.troubles.append(trouble))
        monkeypatch.setattr(signals, "wait", lambda pause, woken: self.pauses.append(pause))
        run_loop(signals, self.guard, self.coordinator, (self.housekeeper,), self.writer, busy_pause=busy_pause)


@pytest.fixture
def signals() -> Iterator[Signals]:
    """Handlers of signals, which are those of before after the test."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield Signals()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def loop(
    ledger: Ledger, settings: Settings, workers: WorkersWithoutProcesses, coordinator: Coordinator, clock: Clock
) -> Iterator[Loop]:
    writer = HealthWriter(settings, ledger, workers.count_alive, coordinator, clock=clock)
    lock = acquire_lock(settings.lock_file)
    file = OpenLedgerFile(ledger.storage)
    guard = HomeGuard(lock, file, settings, clock)
    yield Loop(guard, coordinator, Housekeeper(ledger, settings, tuple, ledger.close, clock=clock), writer)
    writer.close()
    lock.close()
    ledger.close()
    file.close_in_child()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_the_daemon(signals: Signals, number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    assert (signals.stop, signals.reload) == (number.name, False)


def test_hangup_reloads_the_settings(signals: Signals) -> None:
    os.kill(os.getpid(), signal.SIGHUP)
    assert (signals.stop, signals.reload) == ("", True)


def test_waiting_ends_when_a_signal_arrives(signals: Signals) -> None:
    started = time.monotonic()
    signals.wait(0.1)
    assert time.monotonic() - started >= 0.1
    os.kill(os.getpid(), signal.SIGTERM)
    signals.wait(100)
    assert time.monotonic() - started < 50


def test_waiting_ends_when_a_result_arrives(signals: Signals) -> None:
    started = time.monotonic()
    signals.wait(100, lambda seconds: True)
    assert time.monotonic() - started < 50


def test_loop_runs_turns_until_it_is_stopped(loop: Loop, signals: Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    loop.run(signals, monkeypatch, None, None, None)
    assert loop.troubles == ["", "", ""]


def test_loop_pauses_as_long_as_the_crew_says_while_workers_have_jobs(
    loop: Loop, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Coordinator, "busy", True)
    loop.run(signals, monkeypatch, None, busy_pause=0.125)
    assert loop.pauses == [0.125]


def test_failed_turns_are_reported_and_repeated_after_a_pause(
    loop: Loop, signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    excused = []
    monkeypatch.setattr(loop.coordinator, "excuse_silence", lambda: excused.append(1))
    loop.run(signals, monkeypatch, StorageProblem("the disk is full", "free some space"), ValueError("x"), None)
    assert loop.troubles == ["the disk is full", "a turn failed: ValueError('x')", ""]
    assert loop.pauses[:2] == [TROUBLE_PAUSE, TROUBLE_PAUSE]
    assert loop.pauses[2] < 1
    assert len(excused) == 2


def test_no_turn_runs_with_a_replaced_ledger(
    loop: Loop, signals: Signals, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    before = settings.ledger_file.rename(settings.ledger_file.with_name("before.db"))
    monkeypatch.setattr(loop.writer, "record_turn", lambda *_: setattr(signals, "stop", "SIGTERM"))
    monkeypatch.setattr(loop.coordinator, "turn", lambda: pytest.fail("the coordinator changed jobs"))
    monkeypatch.setattr(signals, "wait", lambda pause, woken: loop.pauses.append(pause))
    run_loop(signals, loop.guard, loop.coordinator, (loop.housekeeper,), loop.writer)
    assert loop.pauses == [TROUBLE_PAUSE]
    assert not loop.guard.ledger_is_ours()
    before.rename(settings.ledger_file)
    assert loop.guard.ledger_is_ours()


def test_reloaded_settings_are_applied(
    loop: Loop, signals: Signals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    applied: list[int] = []
    for part in (loop.coordinator, loop.housekeeper, loop.writer):
        monkeypatch.setattr(part, "reconfigure", lambda settings: applied.append(settings.jobs))
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    monkeypatch.setenv("WORT_JOBS", "7")
    signals.reload = True
    loop.run(signals, monkeypatch, None, None)
    assert applied == [7, 7, 7]
    assert not signals.reload


def test_invalid_settings_are_not_applied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    monkeypatch.setenv("WORT_JOBS", "many")
    assert reload_settings() is None
    assert "were not changed" in caplog.text
