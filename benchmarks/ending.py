"""Ends a benchmark on a signal, with all processes that it has started."""

import signal
import sys


def end_on_sigterm() -> None:
    """Have SIGTERM raise SystemExit, so that `with` and `finally` end the daemons and servers of this process."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
