"""The lengths of runs in bases: a log-normal distribution with a given mean, or a list of known lengths."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sizes:
    """Lengths of runs in bases: `exp(mu + sigma * z)` for a standard normal z, and no more than `largest`."""

    mu: float
    sigma: float
    smallest: float
    largest: float

    @property
    def median(self) -> float:
        """Half of the runs have fewer bases."""
        return math.exp(self.mu)

    def draw(self, rng: np.random.Generator, number: int) -> NDArray[np.float64]:
        """Return the lengths of so many runs."""
        return np.clip(np.exp(self.mu + self.sigma * rng.standard_normal(number)), self.smallest, self.largest)


@dataclass(frozen=True)
class Sample(Sizes):
    """Lengths that are drawn, with replacement, from a list; `mu` and `sigma` are those of the list."""

    lengths: NDArray[np.float64]

    def draw(self, rng: np.random.Generator, number: int) -> NDArray[np.float64]:
        """Return the lengths of so many runs."""
        return rng.choice(self.lengths, number)


def read_lengths(path: Path) -> Sample:
    """Return the lengths in bases that a file has, one on each line.  Raises OSError, or ValueError if one is wrong."""
    lengths = np.loadtxt(path, np.float64, ndmin=1)
    if not lengths.size or not (lengths > 0).all():
        raise ValueError(f"{path} has no lengths, or some that are not above 0")
    logarithms = np.log(lengths)
    return Sample(
        float(np.median(logarithms)), float(logarithms.std()), float(lengths.min()), float(lengths.max()), lengths
    )


def fit(mean: float, sigma: float, smallest: float, largest: float) -> Sizes:
    """Return the sizes that have this mean.  Raises ValueError if none have."""
    if not smallest < mean < largest or sigma <= 0:
        raise ValueError(f"no sizes from {smallest:g} to {largest:g} have the mean {mean:g} and sigma {sigma:g}")
    low, high = math.log(smallest) - 10 * sigma, math.log(largest) + 10 * sigma
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if clipped_mean(middle, sigma, smallest, largest) < mean else (low, middle)
    return Sizes(low, sigma, smallest, largest)


def clipped_mean(mu: float, sigma: float, smallest: float, largest: float) -> float:
    """Return the mean of a log-normal variable that is raised to `smallest` and cut to `largest`."""
    low, high = ((math.log(bound) - mu) / sigma for bound in (smallest, largest))
    inside = math.exp(mu + sigma * sigma / 2) * (normal(high - sigma) - normal(low - sigma))
    return smallest * normal(low) + inside + largest * (1 - normal(high))


def normal(z: float) -> float:
    """Return the share of a standard normal distribution below z."""
    return math.erfc(-z / math.sqrt(2)) / 2
