"""A thread that hangs neither keeps its process from ending, nor the caller from continuing."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from wort_cli.system import stuck_threads as module
from wort_cli.system.cancellation import NEVER, Cancellation, Cancelled
from wort_cli.system.stuck_threads import call_within, stuck_threads

PROGRAM = """
import threading
from concurrent.futures import ThreadPoolExecutor
from wort_cli.system.stuck_threads import stuck_threads

hung = []
ThreadPoolExecutor(1).submit(lambda: (hung.append(threading.current_thread()), threading.Event().wait()))
while not hung:
    pass
stuck_threads.wait_or_leave(hung, 0.0)
print("done")
stuck_threads.end_if_stuck(7)
"""


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Return an event for which a function may wait; it is set at the end."""
    monkeypatch.setattr(module, "TICK", 0.01)
    event = threading.Event()
    yield event
    event.set()
    for thread in stuck_threads._left:
        thread.join()
    assert not stuck_threads.exist()


def test_process_with_a_stuck_thread_ends_with_its_code_and_output() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (7, "done\n")


def test_process_without_one_goes_on() -> None:
    stuck_threads.end_if_stuck(7)


def test_result_or_exception_of_a_call_is_passed_on() -> None:
    assert call_within(lambda: 5, 20.0, NEVER) == 5
    with pytest.raises(ZeroDivisionError):
        call_within(lambda: 1 // 0, 20.0, NEVER)
    assert not stuck_threads.exist()


def test_call_that_hangs_is_left_behind(hung: threading.Event) -> None:
    with pytest.raises(TimeoutError):
        call_within(hung.wait, 0.05, NEVER)
    assert stuck_threads.exist()


def test_call_that_hangs_can_be_cancelled(hung: threading.Event) -> None:
    with pytest.raises(Cancelled):
        call_within(hung.wait, 60.0, Cancellation(lambda: True))


def test_timeout_that_a_call_raises_is_passed_on() -> None:
    def fail() -> None:
        raise TimeoutError("of the network")

    with pytest.raises(TimeoutError, match="of the network"):
        call_within(fail, 20.0, NEVER)
