"""Scales, numbers and labels of peaks for drawings of histograms in a terminal, in a file and on a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from wort_cli.reading.facts import SketchFacts
from wort_cli.reading.peaks import Peak

LETTER = 0.022
"""The share of the axis that a digit of a label takes."""


@dataclass(frozen=True)
class Scale:
    """A logarithmic scale: which share of its length a value has."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Return the place of a value, from 0 to 1 for those between `low` and `high`."""
        return log(value / self.low) / log(self.high / self.low)

    def value(self, share: float) -> float:
        """Return the value at a place."""
        return float(self.low * (self.high / self.low) ** share)


def title_of(sketch: SketchFacts) -> str:
    """Return the title of a histogram: k, and the molecule if it is not DNA."""
    molecule = sketch.statistics["molecule"]
    return f"k={sketch.statistics['k']}" if molecule == "DNA" else f"{molecule} k={sketch.statistics['k']}"


def abundance(peak: Peak) -> str:
    """Return the abundance of a peak as text: 4.5, 48, 1980, 25k."""
    if peak.abundance >= 10_000:
        return short(peak.abundance)
    return f"{peak.abundance:.0f}" if peak.abundance >= 10 else f"{peak.abundance:.2g}"


def short(value: float) -> str:
    """Return a number in at most five characters: 950, 1.2k, 34k, 5.6M."""
    for limit, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * limit:
            return f"{value / limit:.3g}{unit}" if value < 999.5 * limit else f"{value / limit:.0f}{unit}"
    return f"{value:.3g}"


def labelled(peaks: Sequence[Peak], length: float, letter: float = LETTER) -> list[Peak]:
    """Return the peaks whose labels do not overlap, the largest first.

    length: the axis' natural logarithm
    letter: the share of the axis that a digit takes
    """
    chosen: list[Peak] = []
    for peak in sorted(peaks, key=lambda peak: -peak.hashes):
        gaps = (
            abs(log(peak.abundance / other.abundance)) / length
            - letter * (1 + len(abundance(peak)) + len(abundance(other)))
            for other in chosen
        )
        if all(gap > 0 for gap in gaps):
            chosen.append(peak)
    return chosen
