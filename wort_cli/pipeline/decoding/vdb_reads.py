"""Takes the reads of spots out of an archive's columns, as fastq-dump does by the recipe's flags, as text for hashing.

Of each spot: the reads that are biological (--skip-technical) and pass the filter (--read-filter pass), each on its own
(--split-spot), as letters (--dumpbase), and an N after each.  There is nothing to clip (--clip), see vdb.py.

The loop calls the library from compiled code, without the GIL: a call from Python for each cell would take longer than
all else.  It trusts nothing that it did not check: what it does not know it declines, and fastq-dump does the slice.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np
from numba import types
from numpy.typing import NDArray

from wort_cli.pipeline.decoding.vdb import COLUMNS, SONAME, SpotCursor, explained, library
from wort_cli.pipeline.sketching.compiled import compiled, inner
from wort_cli.pipeline.sketching.slice_reads import PIECE, Declined, Spots
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import Cancellation

Letters = NDArray[np.uint8]
Cells = NDArray[np.uint64]

ILLUMINA, PACBIO, NANOPORE = 2, 6, 9
"""Platforms whose reads are taken as they stand (ncbi-vdb interfaces/insdc/sra.h)."""
BIOLOGICAL = np.uint8(1)
"""Bit of READ_TYPE; other bits tell the strand, which fastq-dump does not care for."""
PASSES = 0
"""READ_FILTER."""
MOST_READS = 64
"""Of a spot; there are never more than a few."""
UNKNOWN = 2**32 - 1
"""In place of an rc_t: a cell is not of a kind that is known here."""
N = np.uint8(ord("N"))

SEEN = np.dtype([(name, np.int64) for name in ("spots", "reads", "bases", "longest")])

# The cells of a spot, in the order of COLUMNS, and what the library tells of each.
BASES, LENGTHS, KINDS, FILTERS, PLATFORM = range(len(COLUMNS))
ELEMENT_BITS, ADDRESS, BIT_OFFSET, ELEMENTS = range(4)
SIZES = np.array([8, 32, 8, 8, 8], np.uint64)
"""Bits of an element of each column."""

library()  # Declined here, and not in the loop, if there is none
# The loop knows functions by their names, so that the compiled code can be cached.
llvmlite.binding.load_library_permanently(SONAME)
place, number = types.uintp, types.uint32
read_cell: Any = types.ExternalFunction(
    # rc_t VCursorCellDataDirect(cursor, row, column, elem_bits *, base **, boff *, row_len *)
    "VCursorCellDataDirect", number(place, types.int64, number, place, place, place, place),
)  # fmt: skip
copy_memory: Any = types.ExternalFunction("memcpy", place(place, place, place))  # (to, from, bytes)


class SpotReads:
    """The reads of a slice of a plain archive; see SliceReads."""

    decoder = SONAME

    def __init__(self, path: Path, spots: int, part: Slice) -> None:
        self._path = path
        self._spots = spots
        self._part = part
        self._row = part.first
        self._seen = np.zeros(1, SEEN)

    @property
    def spots(self) -> int:
        """See Seen."""
        return int(self._seen["spots"][0])

    @property
    def reads(self) -> int:
        """See Seen."""
        return int(self._seen["reads"][0])

    @property
    def bases(self) -> int:
        """See Seen."""
        return int(self._seen["bases"][0])

    @property
    def longest(self) -> int:
        """See Seen."""
        return int(self._seen["longest"][0])

    def texts(self, cancellation: Cancellation) -> Iterator[Letters]:
        """See SliceReads."""
        text = np.empty(PIECE, np.uint8)
        with SpotCursor(self._path, self._spots) as cursor:
            columns = np.array(cursor.columns, np.uint32)
            while self._row <= self._part.last:
                cancellation.check()
                row, n, code = read_spots(cursor.address, columns, self._row, self._part.last, self._seen, text)
                if code:
                    reason = "it is of a kind that is not known" if code == UNKNOWN else explained(code)
                    raise Declined(f"spot {row}: {reason}")
                if row == self._row:  # not even one spot: it is longer than the text
                    text = np.empty(2 * text.size, np.uint8)
                self._row = row
                yield text[:n]

    def finish(self, cancellation: Cancellation) -> Spots:
        """See SliceReads."""
        return Spots(self._row - self._part.first, self.spots)


@compiled
def read_spots(
    cursor: int, columns: NDArray[np.uint32], row: int, last: int, memory: NDArray[Any], text: Letters
) -> tuple[int, int, int]:
    """Write the text of the spots from `row` to `last` to `text`, as many as find room; count in `memory`.

    Returns the spot to go on with, the length of the text, and an rc_t: if it is not 0, that spot could not be read.
    """
    cells = np.zeros((SIZES.size, 4), np.uint64)
    lengths = np.empty(MOST_READS, np.uint32)
    kinds, filters = np.empty(MOST_READS, np.uint8), np.empty(MOST_READS, np.uint8)
    n = 0
    while row <= last:
        code = read_cells(cursor, columns, row, cells)
        if code == 0:
            code = copy_facts(cells, lengths, kinds, filters)
        if code != 0:
            return row, n, code
        reads = int(cells[LENGTHS, ELEMENTS])
        if n + int(cells[BASES, ELEMENTS]) + reads > text.size:
            break
        n = take_reads(cells[BASES, ADDRESS], lengths[:reads], kinds, filters, memory, text, n)
        row += 1
    return row, n, 0


@inner
def read_cells(cursor: int, columns: NDArray[np.uint32], row: int, cells: Cells) -> int:
    """Have the library tell where the cells of a spot are.  Returns an rc_t."""
    for i in range(columns.size):
        told = cells[i].ctypes.data
        code = read_cell(cursor, row, columns[i], told, told + 8, told + 16, told + 24)
        if code != 0:
            return int(code)
        if cells[i, ELEMENT_BITS] != SIZES[i] or cells[i, BIT_OFFSET] != 0:
            return UNKNOWN
    return 0


@inner
def copy_facts(cells: Cells, lengths: NDArray[np.uint32], kinds: Letters, filters: Letters) -> int:
    """Copy what is known of a spot's reads.  Returns UNKNOWN if it is not as it should be, else 0."""
    reads = cells[LENGTHS, ELEMENTS]
    if reads > MOST_READS or cells[KINDS, ELEMENTS] != reads or cells[FILTERS, ELEMENTS] != reads:
        return UNKNOWN
    if cells[PLATFORM, ELEMENTS] != 1:
        return UNKNOWN
    copy_memory(kinds.ctypes.data, cells[PLATFORM, ADDRESS], 1)
    if kinds[0] != ILLUMINA and kinds[0] != PACBIO and kinds[0] != NANOPORE:
        return UNKNOWN
    copy_memory(lengths.ctypes.data, cells[LENGTHS, ADDRESS], 4 * reads)
    copy_memory(kinds.ctypes.data, cells[KINDS, ADDRESS], reads)
    copy_memory(filters.ctypes.data, cells[FILTERS, ADDRESS], reads)
    total = biological = np.uint64(0)
    for i in range(reads):
        total += np.uint64(lengths[i])
        if kinds[i] & BIOLOGICAL:
            biological += np.uint64(lengths[i])
    # Some spots without one biological base make fastq-dump end with an error, which is its to explain.
    return 0 if total == cells[BASES, ELEMENTS] and biological > 0 else UNKNOWN


@inner
def take_reads(
    bases: np.uint64,
    lengths: NDArray[np.uint32],
    kinds: Letters,
    filters: Letters,
    memory: NDArray[Any],
    text: Letters,
    n: int,
) -> int:
    """Append to text[:n] the reads of a spot that are to be taken; `bases` is where they are.  Returns the new n."""
    seen = memory[0]
    before = seen.reads
    for i in range(lengths.size):
        length = int(lengths[i])
        if kinds[i] & BIOLOGICAL and filters[i] == PASSES and length > 0:
            copy_memory(text.ctypes.data + n, bases, length)
            text[n + length] = N
            n += length + 1
            seen.reads += 1
            seen.bases += length
            seen.longest = max(seen.longest, length)
        bases += np.uint64(length)
    seen.spots += seen.reads > before
    return n
