"""Threads that hang in a library.  Python can neither end them, nor end the process before they have ended.

A process that has left such a thread behind ends with `end_if_stuck`, once its work is done and reported.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from wort_cli.system.cancellation import Cancellation

T = TypeVar("T")
TICK = 0.1
"""Seconds between two looks whether the work was cancelled."""


class StuckThreads:
    """The threads of this process that were left behind."""

    def __init__(self) -> None:
        self._left: list[threading.Thread] = []

    def wait_or_leave(self, threads: Iterable[threading.Thread], seconds: float) -> None:
        """Wait up to `seconds` for threads that were asked to end; those that do not are left behind."""
        alive = [thread for thread in threads if thread.is_alive()]
        self._left += alive  # before the wait, which a signal may interrupt
        deadline = time.monotonic() + seconds
        for thread in alive:
            thread.join(max(0.0, deadline - time.monotonic()))

    def exist(self) -> bool:
        """Return whether a thread that was left behind is still running."""
        self._left = [thread for thread in self._left if thread.is_alive()]
        return bool(self._left)

    def end_if_stuck(self, code: int) -> None:
        """If a thread is stuck, write what is left of the output and end this process at once."""
        if not self.exist():
            return
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):  # nobody reads it
                stream.flush()
        os._exit(code)


stuck_threads = StuckThreads()


def call_within(function: Callable[[], T], seconds: float, cancellation: Cancellation) -> T:
    """Call a function that may hang in a library; return its result, or raise its exception.

    Raises TimeoutError after so many seconds, and Cancelled.  Then the thread that called it is left behind.
    """
    from concurrent.futures import Future, wait  # it takes 5 ms, and every command imports this module

    result: Future[T] = Future()

    def call() -> None:
        try:
            result.set_result(function())
        except BaseException as error:
            result.set_exception(error)

    thread = threading.Thread(target=call, name="call", daemon=True)
    thread.start()
    deadline = time.monotonic() + seconds
    try:
        while not wait([result], TICK).done:
            cancellation.check()
            if time.monotonic() > deadline:
                raise TimeoutError
        return result.result()
    finally:
        stuck_threads.wait_or_leave([thread], 0.0)
