"""Cancellation tokens: code that works on a job checks its token at least every half second."""

from collections.abc import Callable


class Cancelled(Exception):
    """The job was cancelled, so no result is needed."""


class Cancellation:
    """A token that is passed to all code that works on an attempt.

    `requested` is a function without arguments that returns whether the attempt was cancelled.  It may be called from
    several threads, and often, so it must be cheap.
    """

    def __init__(self, requested: Callable[[], bool]) -> None:
        self._requested = requested

    def requested(self) -> bool:
        """Return whether the attempt was cancelled."""
        return self._requested()

    def check(self) -> None:
        """Raise Cancelled if the attempt was cancelled."""
        if self._requested():
            raise Cancelled


NEVER = Cancellation(lambda: False)
"""The token of work that cannot be cancelled."""
