"""Statistics of one sketch: estimated k-mer counts and the histogram of abundances."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.signature_file import Sketch

MOST = 2**64 - 1


@dataclass(frozen=True)
class Bin:
    """A bin of a histogram that is not empty."""

    low: int
    high: int
    """The smallest and the largest abundance in it."""
    hashes: int

    @property
    def width(self) -> int:
        """The number of abundances in it."""
        return self.high - self.low + 1

    @property
    def density(self) -> float:
        """Hashes of each abundance in it, on average: the k-mer spectrum; counts depend on the widths of bins."""
        return self.hashes / self.width

    @property
    def borders(self) -> tuple[float, float]:
        """Its place on an axis of abundances: an abundance `a` takes the place from a - 1/2 to a + 1/2."""
        return self.low - 0.5, self.high + 0.5


def sketch_statistics(sketch: Sketch) -> dict[str, Any]:
    """Return estimates for the whole run: each hash stands for `scaled` k-mers (Irber et al. 2022, FracMinHash).

    A MinHash sketch (`num`) allows no such estimates; its `scaled` is 0.
    """
    abundances = sketch.abundances
    has_abundances = abundances is not None and len(abundances) > 0
    return {
        "k": sketch.k,
        "molecule": sketch.moltype,
        "scaled": sketch.scaled,
        "num": sketch.num,
        "hashes": len(sketch.hashes),
        "distinct_kmers": len(sketch.hashes) * sketch.scaled if sketch.scaled else None,
        "kmers": int(abundances.sum()) * sketch.scaled
        if abundances is not None and has_abundances and sketch.scaled
        else None,
        "singletons": int((abundances == 1).sum()) if abundances is not None and has_abundances else None,
        "median_abundance": float(np.median(abundances)) if abundances is not None and has_abundances else None,
        "md5": sketch.md5,
    }


@cache
def lower_limits() -> NDArray[np.uint64]:
    """Return the smallest abundance of every bin: 1, 2, 3 and so on to 20, then in steps of at most 10 %."""
    limits = []
    limit = 1
    while limit <= MOST:
        limits.append(limit)
        limit = max(limit + 1, limit * 11 // 10)
    return np.array(limits, np.uint64)


@cache
def upper_limits() -> NDArray[np.uint64]:
    """Return the largest abundance of every bin of `lower_limits`."""
    return np.append(lower_limits()[1:] - np.uint64(1), np.uint64(MOST))


def abundance_histogram(sketch: Sketch) -> tuple[Bin, ...]:
    """Count the hashes of each bin of `lower_limits`; empty bins are left out."""
    if sketch.abundances is None or not len(sketch.abundances):
        return ()
    limits = lower_limits()
    places = np.searchsorted(limits, sketch.abundances, side="right") - 1
    counts = np.bincount(places[places >= 0], minlength=len(limits))
    filled = np.flatnonzero(counts)
    lows, highs = limits[filled].tolist(), upper_limits()[filled].tolist()
    return tuple(map(Bin, lows, highs, counts[filled].tolist()))


def whole_histogram(bins: Sequence[Bin]) -> tuple[Bin, ...]:
    """Return the bins of a histogram from abundance 1 to the largest, with the empty ones."""
    if not bins:
        return ()
    counts = {shown.low: shown.hashes for shown in bins}
    limits = lower_limits().tolist()
    return tuple(
        Bin(low, high - 1, counts.get(low, 0))
        for low, high in zip(limits, [*limits[1:], MOST + 1], strict=True)
        if low <= bins[-1].low
    )
