"""Cancellation tokens: code that works on a job checks its token at least every half second."""

from collections.abc import Callable


class Cancelled(Exception):
    """The job was cancelled, so no result is needed."""


class Cancellation:
    """A token that is passed to all code that works on an attempt.

    `requested` is a function without arguments that returns whether the attempt was cancelled.  It may be called from
    several threads, and often, so it must be cheap.  `confirm` raises Cancelled unless the attempt is still the current
    one; it may take long.
    """

    def __init__(self, requested: Callable[[], bool], confirm: Callable[[], None] = lambda: None) -> None:
        self._requested = requested
        self._confirm = confirm

    def requested(self) -> bool:
        """Return whether the attempt was cancelled."""
        return self._requested()

    def check(self) -> None:
        """Raise Cancelled if the attempt was cancelled."""
        if self._requested():
            raise Cancelled

    def confirm(self) -> None:
        """Raise Cancelled unless the attempt is still the current one.  Called before something is published."""
        self.check()
        self._confirm()


NEVER = Cancellation(lambda: False)
"""The token of work that cannot be cancelled."""
