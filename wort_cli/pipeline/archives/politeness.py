"""Politeness: how many connections and requests one host gets from all processes of a home.

Each connection to a host has a slot (system/slots.py) for as long as its socket may be open, also while no request is
made.  A client keeps its slots between requests, and releases one as soon as another client waits for it.  After a
host has asked for fewer requests (HTTP status 429), nobody asks it until the pause is over.
"""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wort_cli.system.cancellation import Cancellation
from wort_cli.system.rate_limit import RateLimit
from wort_cli.system.slots import CHECK_INTERVAL, Held, Slots

TURN = 1.0
"""Seconds for which a client may use a slot although another one waits: a new connection costs time."""


@dataclass(frozen=True)
class Politeness:
    """The limits of connections and requests to one host, over all processes of this machine."""

    directory: Path
    """Where the processes of this machine coordinate."""
    connections: int = 4
    """The number of concurrent connections."""
    interval: float = 0.0
    """Seconds between two requests."""
    pause: float = 60.0
    """Seconds without requests after a host asked for fewer, unless it says for how long."""

    def slots(self, url: str) -> Slots:
        """Return the connections to the host of a URL."""
        return Slots(self.directory / "connections" / host_key(url), self.connections)

    def rate_limit(self, url: str) -> RateLimit:
        """Return the rate limit of the host of a URL."""
        return RateLimit(self.directory, host_key(url), self.interval)

    def note_refusal(self, url: str, seconds: float) -> None:
        """Pause the host of a URL, which has asked for fewer requests, and perhaps said for how many seconds."""
        limit = self.rate_limit(url)
        if not limit.paused_for():
            limit.pause(seconds or self.pause)


@dataclass
class _Turn:
    """A slot of this client, and when it got it."""

    slot: Held
    since: float


class Connections:
    """The slots that one client has; safe to use from several threads.

    `close_idle` closes all of its sockets over which no request is made.
    """

    def __init__(self, politeness: Politeness, close_idle: Callable[[], None]) -> None:
        self._politeness = politeness
        self._close_idle = close_idle
        self._idle: dict[str, list[_Turn]] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def one(self, url: str, cancellation: Cancellation) -> Iterator[None]:
        """Hold a slot of the host of a URL, waiting until one is free.  Raises Cancelled, OSError."""
        key = host_key(url)
        turn = self._take(key, url, cancellation)
        try:
            yield
        finally:
            self._put_back(key, url, turn)

    def release(self) -> None:
        """Give all slots back that are not in use."""
        with self._lock:
            idle = [turn for turns in self._idle.values() for turn in turns]
            self._idle.clear()
        self._close_idle()
        for turn in idle:
            turn.slot()

    def _take(self, key: str, url: str, cancellation: Cancellation) -> _Turn:
        if (turn := self._idle_one(key)) is not None:
            return turn
        with contextlib.closing(self._politeness.slots(url).queue()) as queued:
            while (slot := queued.try_to_take()) is None:
                cancellation.check()
                time.sleep(CHECK_INTERVAL)
                if (turn := self._idle_one(key)) is not None:  # another thread of this client has finished
                    return turn
            return _Turn(slot, time.monotonic())

    def _idle_one(self, key: str) -> _Turn | None:
        with self._lock:
            turns = self._idle.get(key)
            return turns.pop() if turns else None

    def _put_back(self, key: str, url: str, turn: _Turn) -> None:
        if time.monotonic() - turn.since > TURN and self._politeness.slots(url).is_wanted():
            self._close_idle()  # one of these sockets had the slot
            turn.slot()
            return
        with self._lock:
            self._idle.setdefault(key, []).append(turn)


def host_key(url: str) -> str:
    """Return a file name for the host and port of a URL."""
    parts = urlsplit(url)
    return re.sub(r"[^A-Za-z0-9.-]", "_", f"{parts.hostname}-{parts.port or parts.scheme}")[:100]
