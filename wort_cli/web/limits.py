"""Limits how often an address or a token may do something: a bucket of tries that fills again with time."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from wort_cli.web.errors import Problem

MAX_KEYS = 50_000
"""Addresses and tokens that are remembered; of more, the one that was seen least lately is forgotten."""


BURST_SECONDS = 10
"""Seconds whose requests an address may send at once."""


@dataclass(frozen=True)
class Rate:
    """`per_second` on average, and `burst` at once."""

    per_second: float
    burst: float


CHANGES = Rate(100.0, 1000.0)
"""Requests of one token that change something."""
READS = Rate(500.0, 5000.0)
"""Requests of one token that read, if reading is closed."""
FAILURES = Rate(0.2, 20.0)
"""Wrong passwords of one address."""


class Limiter:
    """Counts what keys do; all threads may use it."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str, cost: float = 1.0, now: float | None = None) -> float:
        """Count what a key does; return 0, or the seconds after which it may do so, which is then not counted."""
        now = time.monotonic() if now is None else now
        with self._lock:
            left, at = self._left.pop(key, (self.rate.burst, now))
            left = min(self.rate.burst, left + (now - at) * self.rate.per_second)
            is_allowed = left >= cost
            self._left[key] = left - cost if is_allowed else left, now
            while len(self._left) > MAX_KEYS:
                self._left.popitem(last=False)
        return 0.0 if is_allowed else (cost - left) / self.rate.per_second

    def check(self, key: str, what: str, cost: float = 1.0) -> None:
        """Count what a key does.  Raises Problem 429 if it does so too often."""
        seconds = self.wait(key, cost)
        if seconds:
            raise too_often(what, seconds)


def too_often(what: str, seconds: float) -> Problem:
    """Return the refusal of what is done too often."""
    after = str(max(1, round(seconds + 0.5)))
    return Problem(
        429, what, reason="too-many-requests", hint=f"try again in {after} seconds", headers={"Retry-After": after}
    )


class Limits:
    """The limits of one server; `rate` is the number of requests a second of one address, 0 for any."""

    def __init__(self, rate: int) -> None:
        self.requests = Limiter(Rate(rate, rate * BURST_SECONDS)) if rate else None
        self.changes, self.reads = Limiter(CHANGES), Limiter(READS)
        self.failures = Limiter(FAILURES)


class RateLimited:
    """Refuses requests of an address that sends too many."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self._requests = limits.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        client = scope.get("client")
        seconds = self._requests.wait(client[0] if client else "") if self._requests is not None else 0.0
        if seconds:
            await too_often("too many requests of this address", seconds).response(scope, receive, send)
        else:
            await self.app(scope, receive, send)
