"""The agenda of a simulation: what happens when, in the order of the times."""

import heapq
from collections.abc import Callable
from typing import Any

Handler = Callable[[Any, int, float], None]
"""Is called with the subject of an event, the epoch that was given, and the time."""


class Agenda:
    """Events that are to happen.  Those of the same time happen in the order in which they were added."""

    def __init__(self) -> None:
        self._events: list[tuple[float, int, Handler, Any, int]] = []
        self._number = 0

    def add(self, at: float, handler: Handler, subject: object, epoch: int = 0) -> None:
        """Have a handler called at a time, in seconds from the start of the campaign."""
        self._number += 1
        heapq.heappush(self._events, (at, self._number, handler, subject, epoch))

    def run(self, go_on: Callable[[], bool]) -> None:
        """Let the events happen one by one, as long as `go_on` says so."""
        events, pop = self._events, heapq.heappop
        while go_on():
            now, _, handler, subject, epoch = pop(events)
            handler(subject, epoch, now)
