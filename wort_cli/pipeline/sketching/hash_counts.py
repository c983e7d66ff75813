"""Counts how often each hash was seen, in sorted arrays: 12 bytes per distinct hash, and a buffer.

The table holds the distinct hashes, ascending, with their counts.  New hashes are collected in an unsorted buffer,
which is sorted and merged into the table when it is full.  The buffer grows to a quarter of the table, so that all
merges together take time linear in the number of hashes.  A merge is done in place, from the largest hash down to the
smallest, so that there are never two tables in memory.
"""

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit
from wort_cli.pipeline.sketching.known_answer import KnownAnswer, known_numbers
from wort_cli.pipeline.sketching.slices import Hashes

Counts = NDArray[np.uint32] | NDArray[np.uint64]

MIN_BUFFER = 1 << 16
"""Hashes that the buffer holds, at least."""
TABLE_TO_BUFFER = 4
"""The table may be this many times larger than the buffer."""
MAX_UINT32 = 2**32 - 1


class HashCounts:
    """Counts hashes that arrive in any order.  Not thread-safe."""

    def __init__(self) -> None:
        COUNTING.check()
        self._hashes: Hashes = np.empty(0, np.uint64)
        self._counts: Counts = np.empty(0, np.uint32)
        self._shared = False
        """Whether a caller has references to the table, so that it must not be changed."""
        self._total = 0
        """The sum of all counts, and so an upper bound of each."""
        self._buffer: Hashes = np.empty(MIN_BUFFER, np.uint64)
        self._n_buffered = 0
        self._extra: list[tuple[Hashes, Hashes]] = []
        """Hashes in the buffer with a count above 1, and these counts less 1."""
        self._n_extra = 0

    def add(self, hashes: Hashes, counts: Hashes | None = None) -> None:
        """Add `counts[i]` (1 if there are no counts) to the count of `hashes[i]`, for each i.  Hashes may repeat."""
        if self._n_buffered + hashes.size > self._buffer.size or self._n_extra > self._buffer.size:
            self._merge()
            self._buffer = np.empty(max(MIN_BUFFER, self._hashes.size // TABLE_TO_BUFFER, hashes.size), np.uint64)
        self._buffer[self._n_buffered : self._n_buffered + hashes.size] = hashes
        self._n_buffered += hashes.size
        self._total += hashes.size
        if counts is not None:
            several = np.flatnonzero(counts > 1)
            extra = counts[several] - np.uint64(1)
            self._extra.append((hashes[several], extra))
            self._n_extra += several.size
            self._total += int(extra.sum())

    def table(self) -> tuple[Hashes, Hashes]:
        """Return the distinct hashes, ascending, and their counts.  The arrays are not copies: do not change them."""
        self._merge()
        self._buffer = np.empty(MIN_BUFFER, np.uint64)  # frees the memory of a larger one
        counts = self._counts.astype(np.uint64, copy=False)
        self._counts, self._shared = counts, True
        return self._hashes, counts

    def _merge(self) -> None:
        """Merge the buffer into the table, and empty it."""
        if not self._n_buffered:
            return
        if self._shared:
            self._hashes, self._counts, self._shared = self._hashes.copy(), self._counts.copy(), False
        if self._total > MAX_UINT32:
            self._counts = self._counts.astype(np.uint64, copy=False)
        new = self._buffer[: self._n_buffered]
        new.sort()
        before = self._hashes.size
        size = before + count_absent(self._hashes, new)
        # This avoids a copy where the system can extend memory in place.  No other reference to these arrays exists.
        self._hashes.resize(size, refcheck=False)
        self._counts.resize(size, refcheck=False)
        merge_counts(self._hashes, self._counts, before, new)
        for hashes, extra in self._extra:
            places = np.searchsorted(self._hashes, hashes)
            np.add.at(self._counts, places, extra.astype(self._counts.dtype))
        self._n_buffered, self._extra, self._n_extra = 0, [], 0


@jit
def count_absent(hashes: Hashes, new: Hashes) -> int:
    """Count the distinct values of `new` that are not in `hashes`.  Both are ascending; `new` may have repeats."""
    absent = i = 0
    for j in range(new.size):
        if j > 0 and new[j] == new[j - 1]:
            continue
        while i < hashes.size and hashes[i] < new[j]:
            i += 1
        if i == hashes.size or hashes[i] != new[j]:
            absent += 1
    return absent


@jit
def merge_counts(hashes: Hashes, counts: Counts, n: int, new: Hashes) -> None:
    """Merge `new` into the table in hashes[:n] and counts[:n]; the result fills both arrays exactly.

    The loop starts at the largest hash, so that it moves each entry to a place that is already free.
    """
    i, j, to = n - 1, new.size - 1, hashes.size - 1
    while j >= 0:
        hash_ = new[j]
        while i >= 0 and hashes[i] > hash_:
            hashes[to], counts[to] = hashes[i], counts[i]
            i -= 1
            to -= 1
        times = np.uint64(0)  # not an int: numba converts the sum of an int and a uint64 to a float
        while j >= 0 and new[j] == hash_:
            times += np.uint64(1)
            j -= 1
        if i >= 0 and hashes[i] == hash_:
            times += np.uint64(counts[i])
            i -= 1
        hashes[to], counts[to] = hash_, times
        to -= 1


def count_known_hashes() -> bytes:
    """Return the table of known hashes, for COUNTING."""
    counts = HashCounts()
    for part in np.array_split(known_numbers(3_000) % np.uint64(1_000), 3):
        counts.add(part)
        table = counts.table()
    return b"".join(part.tobytes() for part in table)


COUNTING = KnownAnswer(
    "hash_counts",
    (count_absent, merge_counts),
    count_known_hashes,
    "089167c83b317240e0bdcf380e734d92270e236b530ec95a590ae365006a9074",
)
