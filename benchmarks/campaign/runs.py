"""The runs of a campaign, drawn from a seed in blocks, so that only those are in memory that were started or wait."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.campaign.scenario import Scenario
from wort_cli.model.failure import Reason

if TYPE_CHECKING:
    from benchmarks.campaign.machines import Worker

BLOCK = 100_000
"""Runs that are drawn at a time."""


class Run:
    """A run, and the results of its attempts so far."""

    __slots__ = (
        "bases",
        "epoch",
        "failures",
        "fate",
        "fetched",
        "id",
        "ready",
        "reason",
        "sealed",
        "silences",
        "silent_since",
        "slot_at",
        "to_fetch",
        "worker",
    )

    def __init__(self, number: int, bases: float, reason: Reason | None) -> None:
        self.id = number
        self.bases = bases
        self.reason = reason
        """Why it can never have a signature."""
        self.failures: dict[Reason, tuple[int, float]] | None = None
        """The number of failures for each reason, and the time of the first."""
        self.fetched = 0.0
        """The share of its archive that has arrived."""
        self.silences = 0
        """The number of times that its worker fell silent."""
        self.silent_since = 0.0
        self.sealed = False
        """Whether its signature was computed, but not published."""
        self.worker: Worker | None = None
        """The worker that has the present attempt, or had the last one."""
        self.epoch = 0
        """Changes whenever an attempt starts or ends: an event that was planned in another epoch is void."""
        self.fate: Reason | None = None
        """Why the present attempt is going to fail."""
        self.ready = False
        """Whether all has arrived that the present attempt needs."""
        self.slot_at = -1.0
        """When the present attempt began to compute; -1 if it has not."""
        self.to_fetch = 0.0
        """Bytes that the present attempt has yet to request."""


class PassingFailures:
    """Draws, for each attempt, why it fails although its run is sound."""

    def __init__(self, shares: Mapping[Reason, float], rng: np.random.Generator) -> None:
        self._reasons = list(shares)
        self._borders = np.cumsum(list(shares.values()))
        self._rng = rng
        self._drawn: Iterator[int] = iter(())

    def draw(self) -> Reason | None:
        """Return why the next attempt fails; None if it does not."""
        number = next(self._drawn, -1)
        if number < 0:
            found = np.searchsorted(self._borders, self._rng.random(BLOCK), side="right")
            self._drawn = iter(found.tolist())
            number = next(self._drawn)
        return self._reasons[number] if number < len(self._reasons) else None


def draw_runs(scenario: Scenario, number: int, first: int, rng: np.random.Generator) -> Iterator[Run]:
    """Yield so many runs, in the order of their ids."""
    reasons = list(scenario.lasting)
    borders = np.cumsum(list(scenario.lasting.values()))
    for start in range(0, number, BLOCK):
        some = min(BLOCK, number - start)
        bases = scenario.sizes.draw(rng, some).tolist()
        fates = np.searchsorted(borders, rng.random(some), side="right").tolist()
        for n in range(some):
            fate = fates[n]
            yield Run(first + start + n, bases[n], reasons[fate] if fate < len(reasons) else None)
