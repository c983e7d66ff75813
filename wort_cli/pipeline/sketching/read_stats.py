"""Counts of the spots, reads and bases that were decoded."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ReadStats:
    """Counts for a slice or a run.  Adding two of them returns their total."""

    spots: int = 0
    """Spots with at least one read that passed the filters."""
    reads: int = 0
    bases: int = 0
    """Bases of all reads."""
    longest: int = 0
    """Bases of the longest read."""
    left_out: int = 0
    """Reads that pass the filters, but are not decoded because the spot has too many reads (decoding/layouts.py)."""

    def __add__(self, other: "ReadStats") -> "ReadStats":
        return ReadStats(
            self.spots + other.spots,
            self.reads + other.reads,
            self.bases + other.bases,
            max(self.longest, other.longest),
            self.left_out + other.left_out,
        )

    @classmethod
    def from_record(cls, record: NDArray[Any]) -> "ReadStats":
        """Return the counts in an array of one record, whose dtype has the fields STATS."""
        return cls(*(int(record[name][0]) for name, _ in STATS))


STATS = [(field.name, np.int64) for field in fields(ReadStats)]
"""ReadStats as fields of a numpy dtype, for compiled code."""
