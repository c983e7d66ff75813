"""Remembers what is the same for all requests of a moment, so that many requests cost as much as one."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """A value that is read again once it is older than `seconds`; one thread reads it, the others wait for it."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._value: tuple[float, T] | None = None

    def get(self, read: Callable[[], T]) -> T:
        """Return the value; `read` is called if there is none, or if it is too old."""
        with self._lock:
            if self._value is None or self._clock() - self._value[0] > self._seconds:
                self._value = (self._clock(), read())
            return self._value[1]

    def forget(self) -> None:
        """Let the next request read the value again."""
        with self._lock:
            self._value = None
