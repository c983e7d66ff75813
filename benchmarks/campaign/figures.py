"""Counts of a campaign, in memory that does not grow with it."""

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.campaign.pipes import Pipe

BINS = 2000
"""The largest number of bins of a series."""


class Series:
    """Amounts over time, in steps of a width that doubles whenever there would be more than BINS of them."""

    def __init__(self, width: float = 60.0) -> None:
        self.width = width
        self.amounts = [0.0] * BINS
        self.last = 0.0
        """The time of the latest amount."""

    def add(self, at: float, amount: float) -> None:
        """Add an amount at a time in seconds."""
        self.last = max(self.last, at)
        while at >= self.width * BINS:
            self.amounts = [a + b for a, b in zip(self.amounts[::2], self.amounts[1::2], strict=True)] + [0.0] * (
                BINS // 2
            )
            self.width *= 2
        self.amounts[int(at / self.width)] += amount

    @property
    def total(self) -> float:
        """All amounts together."""
        return sum(self.amounts)

    def time_to(self, share: float) -> float:
        """Return when a share of the total was reached, to a part of a step."""
        if share >= 1:
            return self.last
        wanted, so_far = share * self.total, 0.0
        for n, amount in enumerate(self.amounts):
            if amount and so_far + amount >= wanted:
                return self.width * (n + (wanted - so_far) / amount)
            so_far += amount
        return self.last


@dataclass
class Figures:
    """All counts of a campaign.  Times in seconds."""

    ended: Series = field(default_factory=Series)
    """Runs, by the time at which they ended permanently."""
    bases: Series = field(default_factory=Series)
    """Bases of the runs that got a signature, when they did."""
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Runs by their last state and reason."""
    failures: Counter[str] = field(default_factory=Counter)
    """Attempts that failed, by reason."""
    attempts: int = 0
    lost: int = 0
    """Attempts whose machine was taken away."""
    claims: int = 0
    """Jobs that a coordinator started."""
    tasks: int = 0
    """Lists that `wort plan` made."""
    looked_up: int = 0
    """Runs that a task looked for in the bucket again, after it was started again."""
    cpu: float = 0.0
    """CPU seconds, those of lost attempts included."""
    cpu_lost: float = 0.0
    fetched: float = 0.0
    """Bytes, those included that were fetched again."""
    requests: int = 0
    """GET and HEAD, of the archive and of the bucket."""
    puts: int = 0
    stored: float = 0.0
    """Bytes of signatures."""
    machine_seconds: float = 0.0
    at_90: dict[str, float] = field(default_factory=dict)
    """The utilization of each resource until 90 % of the runs had ended."""
    most_waiting: int = 0
    """Jobs that waited for a retry, at most."""


def use_of(pipes: dict[str, list[Pipe]], now: float) -> dict[str, float]:
    """Return how busy some pipes were until now, on average."""
    return {
        name: sum(min(pipe.busy, now) for pipe in some) / (now * len(some))
        for name, some in pipes.items()
        if now and some
    }
