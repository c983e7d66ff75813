"""The signals that stop and reload the daemon and workers, and how their loops wait."""

import signal
import time
from collections.abc import Callable
from types import FrameType

BUSY_PAUSE, IDLE_PAUSE = 0.05, 0.2
"""Seconds between turns while workers have jobs, and while none has."""


def slept(seconds: float) -> bool:
    """Sleep; nothing but a signal wakes the daemon."""
    time.sleep(seconds)
    return False


class Signals:
    """The signals that this process has received: SIGTERM and SIGINT to stop, SIGHUP to read the settings again.

    A handler only sets a flag, because it may run at any point of the program, whatever lock is held there.
    """

    def __init__(self) -> None:
        self.stop = ""
        """The name of the signal that asked the daemon to stop; empty if there was none."""
        self.reload = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.reload = True
        else:
            self.stop = signal.Signals(number).name

    def wait(self, seconds: float, woken: Callable[[float], bool] = slept) -> None:
        """Sleep, but return early if a signal arrives, or if `woken`, which waits so many seconds, returns True."""
        deadline = time.monotonic() + seconds
        while not (self.stop or self.reload) and (left := deadline - time.monotonic()) > 0:
            if woken(min(left, BUSY_PAUSE)):
                return
