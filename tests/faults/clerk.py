"""Asks for jobs by the command line while everything goes wrong, as a person would: again, when it did not work."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence

from tests.faults.plan import Order
from tests.support.homes import WORT, Done, Home

TRY_AGAIN = 1.0
"""Seconds."""
AT_ONCE = 25
"""Runs that one command asks for, at the most."""
ACCEPTED = (0, 3)
"""Exit codes; 3 says of a run that was accepted before that it turned out to be unavailable."""
REFUSED = (1, 75)
"""Trouble with the ledger or the disk: nothing was accepted, or we can't know."""


class Clerk:
    """One command after the other, until all that was ordered has been accepted."""

    def __init__(self, home: Home, orders: Sequence[Order]) -> None:
        self._home = home
        self._waiting = list(orders)
        self._asked: list[Order] = []
        self._command: subprocess.Popen[bytes] | None = None
        self._next_try = 0.0
        self.refusals: list[Done] = []

    @property
    def busy(self) -> bool:
        """Whether something has still to be asked for."""
        return bool(self._waiting) or self._command is not None

    def turn(self, now: float) -> None:
        """Ask for what is due `now` (seconds after the beginning), if no command runs."""
        if self._command is not None:
            self._look()
        elif time.monotonic() >= self._next_try:
            due = [order for order in self._waiting if order.at <= now]
            # What belongs together has one priority.
            self._asked = [order for order in due if order.priority == due[0].priority][:AT_ONCE]
            if self._asked:
                self._ask()

    def _ask(self) -> None:
        runs = [order.run for order in self._asked]
        argv = [str(WORT), "compute", *runs, "--priority", str(self._asked[0].priority)]
        with (self._home.root / "clerk.out").open("wb") as out, (self._home.root / "clerk.err").open("wb") as err:
            self._command = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self._home.env, cwd=self._home.cwd
            )

    def _look(self) -> None:
        if self._command is None or self._command.poll() is None:
            return
        out, err = ((self._home.root / name).read_text(errors="replace") for name in ("clerk.out", "clerk.err"))
        done = Done(tuple(map(str, ["wort", "compute"])), self._command.returncode, out, err)
        self._command = None
        assert "Traceback" not in err, str(done)
        assert done.code in ACCEPTED + REFUSED, str(done)
        if done.code in ACCEPTED:
            self._waiting = [order for order in self._waiting if order not in self._asked]
        else:
            assert err.strip(), f"it does not say why: {done}"
            self.refusals.append(done)
            self._next_try = time.monotonic() + TRY_AGAIN
