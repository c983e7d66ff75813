"""Finds the peaks of a histogram of abundances: genomes that were sequenced to the same depth.

Heights are hashes per abundance, averaged over neighbouring bins.  The counts of hashes are Poisson numbers, whose
square roots have a standard deviation of 1/2 each.  A peak counts if it rises above the higher of the two
valleys beside it by MIN_SIGMAS standard deviations.  Abundance 1, where most sequencing errors are, is a valley and
never a peak.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from wort_cli.reading.abundance import Bin, whole_histogram

MIN_SIGMAS = 5.0
MIN_RATIO = 1.15
"""A peak is at least this much higher than its valley."""
REACH = 1.16
"""The ratio of abundances, on both sides of a bin, over which its height is averaged."""


@dataclass(frozen=True)
class Peak:
    """A peak of a histogram."""

    abundance: float
    """Where it is: the mean abundance of the hashes near its top."""
    hashes: int
    """Hashes from one valley to the other."""


@dataclass(frozen=True)
class Window:
    """A bin and its neighbours."""

    bins: Sequence[Bin]

    @property
    def hashes(self) -> int:
        """The hashes in it."""
        return sum(part.hashes for part in self.bins)

    @property
    def width(self) -> int:
        """The number of abundances in it."""
        return self.bins[-1].high - self.bins[0].low + 1

    @property
    def height(self) -> float:
        """Hashes per abundance."""
        return self.hashes / self.width

    @property
    def mean(self) -> float:
        """The mean abundance of its hashes."""
        return sum(part.hashes * (part.low + part.high) / 2 for part in self.bins) / self.hashes

    def rises(self, base: float) -> bool:
        """Return whether it is higher than a valley by more than chance explains."""
        valley = base * self.width
        return self.hashes >= MIN_RATIO * valley and 2 * (sqrt(self.hashes) - sqrt(valley)) >= MIN_SIGMAS


def find_peaks(histogram: Sequence[Bin]) -> tuple[Peak, ...]:
    """Return the peaks of a histogram, from the smallest abundance to the largest."""
    bins = whole_histogram(histogram)
    if len(bins) < 2:
        return ()
    windows = [window(bins, place) for place in range(len(bins))]
    heights = [*(part.height for part in windows), 0.0]  # nothing beyond the largest abundance
    tops = [place for place in range(1, len(bins)) if is_top(heights, place)]
    kept = [place for place in tops if windows[place].rises(valley(heights, place))]
    borders = [lowest(heights, *pair) for pair in pairwise([0, *kept])] + [len(bins)]
    return tuple(
        Peak(windows[place].mean, sum(part.hashes for part in bins[start:end]))
        for place, (start, end) in zip(kept, pairwise(borders), strict=True)
    )


def window(bins: Sequence[Bin], place: int) -> Window:
    """Return a bin with its neighbours within REACH; abundance 1 is alone."""
    low = high = place
    while place and low > 1 and bins[low - 1].low * REACH >= bins[place].low:
        low -= 1
    while place and high + 1 < len(bins) and bins[high + 1].high <= bins[place].high * REACH:
        high += 1
    return Window(bins[low : high + 1])


def is_top(heights: Sequence[float], place: int) -> bool:
    """Return whether the heights rise to a place, and fall behind it; of a plateau, only the first place is a top."""
    if heights[place - 1] >= heights[place]:
        return False
    following = next((height for height in heights[place:] if height != heights[place]), 0.0)
    return following < heights[place]


def valley(heights: Sequence[float], place: int) -> float:
    """Return the higher one of the lowest heights on both sides of a top, each looked for up to a higher top."""
    start = next((left for left in range(place - 1, -1, -1) if heights[left] >= heights[place]), 0)
    end = next((right for right in range(place + 1, len(heights)) if heights[right] > heights[place]), len(heights))
    return max(min(heights[start:place]), min(heights[place + 1 : end]))


def lowest(heights: Sequence[float], start: int, end: int) -> int:
    """Return the place of the smallest height from `start` to `end`."""
    return min(range(start, end + 1), key=lambda place: heights[place])
