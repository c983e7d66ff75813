"""Counts how often each hash was seen, in sorted arrays: 12 bytes per distinct hash, and a buffer.

The table holds the distinct hashes, ascending, with their counts.  New hashes are collected in an unsorted buffer,
which is sorted and merged into the table when it is full.  The buffer grows to a quarter of the table, so that all
merges together take time linear in the number of hashes.  A merge is done in place, from the largest hash down to the
smallest, so that there are never two tables in memory.
"""

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.known_input import known_numbers
from wort_cli.pipeline.sketching.loops import INT, Array, Loops
from wort_cli.pipeline.sketching.slices import Hashes

Counts = NDArray[np.uint32] | NDArray[np.uint64]

MIN_BUFFER = 1 << 16
"""Hashes that the buffer holds, at least."""
TABLE_TO_BUFFER = 4
"""The table may be this many times larger than the buffer."""
MAX_UINT32 = 2**32 - 1


COUNTING = Loops("wort_cli.pipeline.sketching.count_loops", __name__)
NUMBERS = Array(np.uint64)
count_absent = COUNTING.function("count_absent", NUMBERS, NUMBERS, results=1)
merge_counts = {
    np.dtype(dtype): COUNTING.function(f"merge_counts:{dtype}", NUMBERS, Array(np.dtype(dtype)), INT, NUMBERS)
    for dtype in ("uint32", "uint64")
}
"""The function for each type of the counts."""


class HashCounts:
    """Counts hashes that arrive in any order.  Not thread-safe."""

    def __init__(self) -> None:
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
        merge_counts[self._counts.dtype](self._hashes, self._counts, before, new)
        for hashes, extra in self._extra:
            places = np.searchsorted(self._hashes, hashes)
            np.add.at(self._counts, places, extra.astype(self._counts.dtype))
        self._n_buffered, self._extra, self._n_extra = 0, [], 0


@COUNTING.known_answer("089167c83b317240e0bdcf380e734d92270e236b530ec95a590ae365006a9074")
def count_known_hashes() -> bytes:
    """Return the table of known hashes."""
    counts = HashCounts()
    for part in np.array_split(known_numbers(3_000) % np.uint64(1_000), 3):
        counts.add(part)
        table = counts.table()
    return b"".join(part.tobytes() for part in table)
