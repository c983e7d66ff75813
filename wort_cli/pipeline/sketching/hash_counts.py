"""Adds up how often each hash was seen, in arrays rather than in a dict: 12 bytes a distinct hash and a buffer.

The table holds the distinct hashes, ascending, with their counts.  What is new gathers in a buffer, unsorted, which is
sorted and merged into the table when it is full.  It is as large as a quarter of the table, so that merging stays
linear overall.  The merge is done in place, from the large end down to the small one, so that there are never two
tables.
"""

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.compiled import compiled

Hashes = NDArray[np.uint64]
Counts = NDArray[np.uint32] | NDArray[np.uint64]

LEAST = 1 << 16
"""New hashes that are gathered before they are merged, at the least."""
SHARE = 4
"""They are merged when they are a quarter as many as the distinct ones."""
LARGEST_SMALL_COUNT = 2**32 - 1


class HashCounts:
    """Counts hashes that come in any order; not safe to share between threads."""

    def __init__(self) -> None:
        self._hashes: Hashes = np.empty(0, np.uint64)
        self._counts: Counts = np.empty(0, np.uint32)
        self._lent = False
        """Whether the caller holds the table, so that it may not be changed."""
        self._total = 0
        """The sum of all counts, which none of them exceeds."""
        self._new: Hashes = np.empty(LEAST, np.uint64)
        self._n_new = 0
        self._more: list[tuple[Hashes, Hashes]] = []
        """Of what is new: hashes that were counted more than once, and how many times more."""
        self._n_more = 0

    def add(self, hashes: Hashes, counts: Hashes | None = None) -> None:
        """Count `hashes[i]` another `counts[i]` times, or once if there are no counts; repeats are allowed."""
        if self._n_new + hashes.size > self._new.size or self._n_more > self._new.size:
            self._merge()
            self._new = np.empty(max(LEAST, self._hashes.size // SHARE, hashes.size), np.uint64)
        self._new[self._n_new : self._n_new + hashes.size] = hashes
        self._n_new += hashes.size
        self._total += hashes.size
        if counts is not None:
            several = np.flatnonzero(counts > 1)
            times_more = counts[several] - np.uint64(1)
            self._more.append((hashes[several], times_more))
            self._n_more += several.size
            self._total += int(times_more.sum())

    def sorted(self) -> tuple[Hashes, Hashes]:
        """The distinct hashes, ascending, and their counts.  They are not copies: do not change them."""
        self._merge()
        self._new = np.empty(LEAST, np.uint64)  # the buffer's memory is the caller's now
        counts = self._counts.astype(np.uint64, copy=False)
        self._counts, self._lent = counts, True
        return self._hashes, counts

    def _merge(self) -> None:
        """Empty the buffer into the table."""
        if not self._n_new:
            return
        if self._lent:
            self._hashes, self._counts, self._lent = self._hashes.copy(), self._counts.copy(), False
        if self._total > LARGEST_SMALL_COUNT:
            self._counts = self._counts.astype(np.uint64, copy=False)
        new = self._new[: self._n_new]
        new.sort()
        before = self._hashes.size
        size = before + number_absent(self._hashes, new)
        # Without a copy wherever the system can extend memory in place; nobody else refers to these arrays.
        self._hashes.resize(size, refcheck=False)
        self._counts.resize(size, refcheck=False)
        merge_counts(self._hashes, self._counts, before, new)
        for hashes, times_more in self._more:
            places = np.searchsorted(self._hashes, hashes)
            np.add.at(self._counts, places, times_more.astype(self._counts.dtype))
        self._n_new, self._more, self._n_more = 0, [], 0


@compiled
def number_absent(hashes: Hashes, new: Hashes) -> int:
    """How many distinct ones of `new` are not in `hashes`; both ascend, `new` with repeats."""
    absent = i = 0
    for j in range(new.size):
        if j > 0 and new[j] == new[j - 1]:
            continue
        while i < hashes.size and hashes[i] < new[j]:
            i += 1
        if i == hashes.size or hashes[i] != new[j]:
            absent += 1
    return absent


@compiled
def merge_counts(hashes: Hashes, counts: Counts, n: int, new: Hashes) -> None:
    """Merge `new` into the table of hashes[:n] and counts[:n], which becomes exactly as long as the arrays are.

    From the largest hash down, so that what is moved is moved to a place that is free.
    """
    i, j, to = n - 1, new.size - 1, hashes.size - 1
    while j >= 0:
        hash_ = new[j]
        while i >= 0 and hashes[i] > hash_:
            hashes[to], counts[to] = hashes[i], counts[i]
            i -= 1
            to -= 1
        times = np.uint64(0)  # numba makes a float of an int and a uint64
        while j >= 0 and new[j] == hash_:
            times += np.uint64(1)
            j -= 1
        if i >= 0 and hashes[i] == hash_:
            times += np.uint64(counts[i])
            i -= 1
        hashes[to], counts[to] = hash_, times
        to -= 1
