"""Signals that ask this process to end, soon but in order: a batch system sends them before it kills a task.

Slurm sends SIGTERM when it preempts or cancels a task, and what `--signal` names before the time limit; Grid Engine
sends SIGUSR1 and SIGUSR2 (`-notify`) and SIGXCPU; a terminal that is closed sends SIGHUP.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from wort_cli.errors import Terminated

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


@contextmanager
def terminated_by_signals() -> Iterator[None]:
    """Raise Terminated on the first of these signals, so that `finally` and `except` clauses run; ignore later ones.

    In another thread than the main one, the signals do what they did before: Python handles them in the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, _: FrameType | None) -> None:
        for other in SIGNALS:  # a second signal must not interrupt the clean-up
            signal.signal(other, pass_over)
        raise Terminated(signal.Signals(number).name)

    before = {number: signal.signal(number, terminate) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is terminate:  # else the clean-up of an outer block follows
                signal.signal(number, handler)


def pass_over(_: int, __: FrameType | None) -> None:
    """Do nothing.  With SIG_IGN, Python would complain of a signal that has arrived already."""
