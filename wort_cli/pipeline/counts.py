"""Adds up how often each hash was seen, in arrays rather than in a dict: 16 bytes a hash."""

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
LEAST = 1 << 16
"""New hashes that are gathered before they are merged, at the least."""
SHARE = 4
"""They are merged when they are a quarter as many as the distinct ones, so that merging stays linear overall."""


class HashCounts:
    """A sorted table of distinct hashes with their counts, and a heap of what is new since the last merge."""

    def __init__(self) -> None:
        self._hashes: Hashes = np.empty(0, np.uint64)
        self._counts: Hashes = np.empty(0, np.uint64)
        self._new: list[tuple[Hashes, Hashes]] = []
        self._size_of_new = 0

    def add(self, hashes: Hashes, counts: Hashes) -> None:
        """Count `hashes[i]` another `counts[i]` times; repeats are allowed."""
        self._new.append((hashes, counts))
        self._size_of_new += len(hashes)
        if self._size_of_new > max(LEAST, len(self._hashes) // SHARE):
            self._merge()

    def sorted(self) -> tuple[Hashes, Hashes]:
        """The distinct hashes, ascending, and their counts."""
        self._merge()
        return self._hashes, self._counts

    def _merge(self) -> None:
        if not self._size_of_new:
            return
        hashes = np.concatenate([self._hashes, *(new for new, _ in self._new)])
        counts = np.concatenate([self._counts, *(count for _, count in self._new)])
        order = np.argsort(hashes, kind="stable")  # which is quick where runs are sorted already
        hashes = hashes[order]
        first = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
        self._hashes, self._counts = hashes[first], np.add.reduceat(counts[order], first)
        self._new, self._size_of_new = [], 0
