"""Links and servers that serve one after the other: their capacity is never exceeded, nor idle while it is needed.

Who shares a link fairly is served at the same mean rate as who takes turns, if the turns are short.  So long transfers
are cut into pieces (PIECE), and what one transfer takes longer than a fair share, another gains.
"""

from dataclasses import dataclass

PIECE = 4e9
"""Bytes that are transferred in one turn."""


@dataclass(slots=True)
class Pipe:
    """A link, or a server that answers one request at a time; `rate`: bytes or requests per second, or infinite."""

    rate: float
    free_at: float = 0.0
    """When all that was requested so far is served, in seconds."""
    busy: float = 0.0
    """Seconds for which it has worked."""

    def serve(self, at: float, amount: float = 1.0) -> float:
        """Return when an amount is served that is requested at a time; requests come in the order of their times."""
        took = amount / self.rate
        self.busy += took
        self.free_at = served = (at if at > self.free_at else self.free_at) + took
        return served
