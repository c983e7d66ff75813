"""The daemon starts the HTTP server, starts it again with growing pauses, and stops it without waiting in its loop."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.support.builders import eventually
from tests.unit.daemon.conftest import Clock
from wort_cli.daemon.server_process import (
    CHECK_EVERY,
    LONGEST_PAUSE,
    PROVED_GOOD,
    STOP_WITHIN,
    ServerProcess,
    ServerState,
)
from wort_cli.settings import Settings
from wort_cli.system.process_identity import identity_of

SERVES = """
import signal, sys, time
print('{\\n "url": "http://127.0.0.1:1/", "sign_in": null\\n}', flush=True)
signal.pause()
"""
ENDS = "import sys; print('wort: cannot listen at 127.0.0.1:1: it is taken', file=sys.stderr); sys.exit(1)"
STAYS = (
    'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(\'{"url": "x", "sign_in": "y"}\', flush=True);'
    + ("\nwhile True: signal.pause()")
)


class Case:
    """A handle whose server is a script, and its clock."""

    def __init__(self, settings: Settings, script: str) -> None:
        self.clock = Clock()
        self.settings = settings
        settings.log_dir.mkdir(parents=True, exist_ok=True)
        command = (sys.executable, "-c", script)
        self.handle = ServerProcess(settings, wanted=True, command=command, clock=self.clock)

    def step(self, seconds: float = CHECK_EVERY) -> None:
        """Advance the clock, and let the handle look."""
        self.clock.advance(seconds)
        self.handle.step()

    def until(self, condition: Callable[[ServerState], object]) -> None:
        """Let the handle look until it reports a state; the clock stands still."""

        def reached() -> bool:
            self.handle._checked_at = float("-inf")
            self.handle.step()
            return bool(condition(self.handle.state))

        assert eventually(reached)


@pytest.fixture
def cases() -> Iterator[list[Case]]:
    made: list[Case] = []
    yield made
    for case in made:
        if case.handle._process is not None:
            case.handle._process.kill()
        case.handle.stop()


def case_of(cases: list[Case], settings: Settings, script: str) -> Case:
    cases.append(Case(settings, script))
    return cases[-1]


def test_no_server_is_started_unless_it_is_wanted(settings: Settings) -> None:
    handle = ServerProcess(settings)
    handle.step()
    assert handle.state.pid == 0
    handle.stop()


def test_url_is_reported_when_the_server_has_announced_it(cases: list[Case], settings: Settings) -> None:
    case = case_of(cases, settings, SERVES)
    case.step()
    assert case.handle.state.pid
    case.until(lambda state: state.url)
    assert case.handle.state.url == "http://127.0.0.1:1/"
    pid = case.handle.state.pid
    case.handle.stop()
    assert identity_of(pid) is None
    assert case.handle.state == ServerState()


def test_server_that_ends_is_started_again_after_growing_pauses(cases: list[Case], settings: Settings) -> None:
    case = case_of(cases, settings, ENDS)
    pauses = []
    for number in range(1, 9):
        case.step()
        assert case.handle.state.pid, "it was started"
        case.until(lambda state: not state.pid)
        assert case.handle.state.ended == number
        assert case.handle.state.error == "cannot listen at 127.0.0.1:1: it is taken"
        pauses.append(case.handle._next_at - case.clock.now)
        case.step(pauses[-1] / 2)
        assert not case.handle.state.pid, "it is not started before the pause has passed"
        case.clock.advance(pauses[-1])
    assert pauses == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE, LONGEST_PAUSE]


def test_error_is_forgotten_when_a_later_server_can_be_reached(cases: list[Case], settings: Settings) -> None:
    case = case_of(cases, settings, SERVES)
    case.step()
    case.until(lambda state: state.url)
    os.kill(case.handle.state.pid, signal.SIGKILL)
    case.until(lambda state: not state.pid)
    assert case.handle.state.error == "it ended with exit code -9"
    case.step(1.0)
    case.until(lambda state: state.url)
    assert (case.handle.state.error, case.handle.state.ended) == ("", 1)


def test_server_that_ran_long_is_started_again_after_the_first_pause(cases: list[Case], settings: Settings) -> None:
    case = case_of(cases, settings, SERVES)
    case.handle._pause = LONGEST_PAUSE
    case.step()
    case.until(lambda state: state.url)
    case.clock.advance(PROVED_GOOD)
    os.kill(case.handle.state.pid, signal.SIGKILL)
    case.until(lambda state: not state.pid)
    assert case.handle._next_at - case.clock.now == 1.0


def test_server_that_cannot_be_started_does_not_raise(cases: list[Case], settings: Settings) -> None:
    case = case_of(cases, settings, "")
    case.handle._command = ("/nonexistent",)
    case.step()
    assert case.handle.state.error == "it cannot be started: No such file or directory"


def test_other_settings_start_another_server_without_waiting(cases: list[Case], settings: Settings) -> None:
    case = case_of(cases, settings, SERVES)
    case.step()
    case.until(lambda state: state.url)
    first = case.handle.state.pid
    case.handle.reconfigure(replace(settings, serve_port=8083))
    case.until(lambda state: state.pid not in (0, first))
    assert (case.handle.state.ended, case.handle.state.error) == (0, "")


def test_same_settings_let_the_server_open_its_log_again(cases: list[Case], settings: Settings) -> None:
    script = "import signal, sys; signal.signal(signal.SIGHUP, lambda *_: sys.exit(7))"
    case = case_of(cases, settings, script + SERVES)
    case.step()
    case.until(lambda state: state.url)
    case.handle.reconfigure(settings)
    case.until(lambda state: not state.pid)
    assert case.handle.state.error == "it ended with exit code 7"


def test_server_that_does_not_stop_is_killed(cases: list[Case], settings: Settings) -> None:
    case = case_of(cases, settings, STAYS)
    case.step()
    case.until(lambda state: state.url)
    process = case.handle._process
    assert process is not None
    case.handle.ask_to_stop()
    case.step(STOP_WITHIN / 2)
    assert process.poll() is None
    case.step(STOP_WITHIN)
    assert eventually(lambda: process.poll() == -signal.SIGKILL)
