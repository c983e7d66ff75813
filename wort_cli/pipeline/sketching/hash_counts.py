"""Counts how often each hash was seen, in sorted arrays: 12 bytes per distinct hash, and a buffer.

The table holds the distinct hashes, ascending, with their counts.  New hashes are collected in an unsorted buffer,
which is sorted and merged into the table when it is full.  The buffer grows to a quarter of the table, so that all
merges together take time linear in the number of hashes.  A merge is done in place, from the largest hash down to the
smallest, so that there are never two tables in memory.

Tables of slices are merged in pairs of about the same size, so that each hash is moved as often as the number of slices
can be halved.  Neither sorting nor searching is needed.
"""

from typing import Any

import numpy as np

from wort_cli.pipeline.sketching.known_input import known_numbers
from wort_cli.pipeline.sketching.loops import INT, Array, Loops
from wort_cli.pipeline.sketching.slices import Counts, Hashes

Table = tuple[Hashes, Counts]

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
count_common = COUNTING.function("count_common", NUMBERS, NUMBERS, results=1)
merge_tables = {
    np.dtype(dtype): COUNTING.function(
        f"merge_tables:{dtype}", *(NUMBERS, Array(np.dtype(dtype)), INT), *(NUMBERS, Array(np.dtype(dtype)))
    )
    for dtype in ("uint32", "uint64")
}
"""Functions for each type of the counts."""


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
        self._tables: list[Table] = []
        """Tables that were added, each more than twice as large as the next."""

    def add(self, hashes: Hashes) -> None:
        """Add 1 to the count of each hash.  Hashes may repeat."""
        if self._n_buffered + hashes.size > self._buffer.size:
            self._merge()
            self._buffer = np.empty(max(MIN_BUFFER, self._hashes.size // TABLE_TO_BUFFER, hashes.size), np.uint64)
        self._buffer[self._n_buffered : self._n_buffered + hashes.size] = hashes
        self._n_buffered += hashes.size
        self._total += hashes.size

    def add_table(self, hashes: Hashes, counts: Counts) -> None:
        """Add `counts[i]` to the count of `hashes[i]`, for each i.  Hashes ascend."""
        self._total += int(counts.sum())
        added: Table = hashes.copy(), counts.astype(self._count_type())
        while self._tables and self._tables[-1][0].size <= 2 * added[0].size:
            added = self._merged(self._tables.pop(), added)
        self._tables.append(added)

    def table(self) -> Table:
        """Return the distinct hashes, ascending, and their counts.  The arrays are not copies: do not change them.

        The counts have 32 bits if all fit, so that 60 million of them take 240 MB less.
        """
        self._merge()
        self._buffer = np.empty(MIN_BUFFER, np.uint64)  # frees the memory of a larger one
        if self._tables:
            self._own()
            added = self._tables.pop()  # the smallest
            for larger in (*reversed(self._tables), (self._hashes, self._counts)):
                added = self._merged(larger, added)
            self._hashes, self._counts = added
            self._tables = []
        self._shared = True
        return self._hashes, self._counts

    def _merge(self) -> None:
        """Merge the buffer into the table, and empty it."""
        if not self._n_buffered:
            return
        self._own()
        self._counts = self._counts.astype(self._count_type(), copy=False)
        new = self._buffer[: self._n_buffered]
        new.sort()
        before = self._hashes.size
        size = before + count_absent(self._hashes, new)
        # This avoids a copy where the system can extend memory in place.  No other reference to these arrays exists.
        self._hashes.resize(size, refcheck=False)
        self._counts.resize(size, refcheck=False)
        merge_counts[self._counts.dtype](self._hashes, self._counts, before, new)
        self._n_buffered = 0

    def _own(self) -> None:
        """Copy the table if a caller has it."""
        if self._shared:
            self._hashes, self._counts, self._shared = self._hashes.copy(), self._counts.copy(), False

    def _merged(self, one: Table, other: Table) -> Table:
        """Return the sum of two tables.  It takes the place of the larger one, whose arrays nobody else may have."""
        (hashes, counts), (fewer, fewer_counts) = (one, other) if one[0].size >= other[0].size else (other, one)
        dtype = self._count_type()
        counts = counts.astype(dtype, copy=False)
        before = hashes.size
        size = before + fewer.size - count_common(hashes, fewer)
        hashes.resize(size, refcheck=False)
        counts.resize(size, refcheck=False)
        merge_tables[dtype](hashes, counts, before, fewer, fewer_counts.astype(dtype, copy=False))
        return hashes, counts

    def _count_type(self) -> np.dtype[Any]:
        """Return the type that holds every count, and every sum of counts."""
        return np.dtype(np.uint32) if self._total <= MAX_UINT32 and self._counts.itemsize < 8 else np.dtype(np.uint64)


@COUNTING.known_answer("b04cd3a51e70b584563b3a9524904a8ee18ac5523f57303568e09fa086d3592c")
def count_known_hashes() -> bytes:
    """Return the table of known hashes."""
    counts = HashCounts()
    for part in np.array_split(known_numbers(3_000) % np.uint64(1_000), 3):
        counts.add(part)
        table = counts.table()
    parts = [table[0], table[1].astype(np.uint64)]
    for large in (0, 2**32):  # counts of 32 bits, and of 64
        sum_ = HashCounts()
        sum_.add_table(*table)
        sum_.add_table(table[0] * np.uint64(3), table[1].astype(np.uint64) + np.uint64(large))
        hashes, times = sum_.table()
        parts += hashes, times.astype(np.uint64)
    return b"".join(part.tobytes() for part in parts)
