"""Polling: tests wait for a condition, never for a fixed time."""

import time
from collections.abc import Callable
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
