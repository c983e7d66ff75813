"""Polling: tests wait for a condition, never for a fixed time."""

import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
LONGEST = 180.0
"""Seconds until a test gives up: long enough for a busy machine, and less than the timeout of a test."""


def until(condition: Callable[[], T], what: str = "", seconds: float = LONGEST, pause: float = 0.02) -> T:
    """Return the first true value of `condition`; raise AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} seconds: {what or condition}"
        time.sleep(pause)
    return value


PRESSURE = Path("/proc/pressure/cpu")
STALLED = re.compile(r"^some .*\btotal=(\d+)$", re.MULTILINE)


class Stopwatch:
    """Measures time, without the time in which a process of this machine waited for a processor.

    What must happen within some seconds takes longer on a busy machine.
    """

    def __init__(self) -> None:
        self._began, self._stalled = time.monotonic(), stalled()

    @property
    def seconds(self) -> float:
        """The seconds since the start."""
        return time.monotonic() - self._began - (stalled() - self._stalled)


def stalled() -> float:
    """Return the seconds since the boot in which a process waited for a processor; 0 if the kernel does not say.

    Source: Linux, Documentation/accounting/psi.rst.
    """
    with contextlib.suppress(OSError):
        if found := STALLED.search(PRESSURE.read_text()):
            return int(found[1]) / 1e6
    return 0.0


def until_soon(condition: Callable[[], T], what: str, seconds: float) -> T:
    """Return the first true value of `condition`; raise AssertionError after `seconds` of a stopwatch."""
    watch, deadline = Stopwatch(), time.monotonic() + LONGEST
    while not (value := condition()):
        is_late = watch.seconds > seconds or time.monotonic() > deadline
        assert not is_late, f"not within {seconds:g} seconds: {what}"
        time.sleep(0.02)
    return value
