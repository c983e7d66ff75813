"""Requests jobs with `wort compute` while faults are injected; repeats a command that failed, as a user would."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from tests.faults.plan import Order
from tests.support.homes import WORT, Done, Home

TRY_AGAIN = 1.0
"""Seconds between two tries of a command."""
AT_ONCE = 25
"""Largest number of runs in one command."""
ACCEPTED = (0, 3)
"""Exit codes of accepted requests; 3 means that a run accepted earlier turned out to be unavailable."""
REFUSED = (1, 75)
"""Exit codes of problems with the ledger or the disk: the requests may not have been accepted."""


class Clerk:
    """Runs one command at a time, until all orders have been accepted."""

    def __init__(self, home: Home, orders: Sequence[Order]) -> None:
        self._home = home
        self._waiting = list(orders)
        self._requested: list[Order] = []
        self._command: subprocess.Popen[bytes] | None = None
        self._next_try = 0.0
        self.refusals: list[Done] = []

    @property
    def busy(self) -> bool:
        """Whether orders are left to request."""
        return bool(self._waiting) or self._command is not None

    def turn(self, now: float) -> None:
        """Request the orders that are due at `now` (seconds since the start), unless a command is running."""
        if self._command is not None:
            self._check_command()
        elif time.monotonic() >= self._next_try:
            due = [order for order in self._waiting if order.at <= now]
            # One command has one priority.
            self._requested = [order for order in due if order.priority == due[0].priority][:AT_ONCE]
            if self._requested:
                self._start_command()

    def _start_command(self) -> None:
        runs = [order.run for order in self._requested]
        argv = [str(WORT), "compute", *runs, "--priority", str(self._requested[0].priority)]
        with (self._home.root / "clerk.out").open("wb") as out, (self._home.root / "clerk.err").open("wb") as err:
            self._command = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self._home.env, cwd=self._home.cwd
            )

    def _check_command(self) -> None:
        if self._command is None or self._command.poll() is None:
            return
        out, err = ((self._home.root / name).read_text(errors="replace") for name in ("clerk.out", "clerk.err"))
        done = Done(tuple(map(str, ["wort", "compute"])), self._command.returncode, out, err)
        self._command = None
        assert "Traceback" not in err, str(done)
        assert done.code in ACCEPTED + REFUSED, str(done)
        if done.code in ACCEPTED:
            self._waiting = [order for order in self._waiting if order not in self._requested]
        else:
            assert err.strip(), f"no error message: {done}"
            self.refusals.append(done)
            self._next_try = time.monotonic() + TRY_AGAIN
