"""Decodes slices of a plain archive with libncbi-vdb in this process, like fastq-dump with the recipe's flags.

For each spot, the text contains the reads that are biological (--skip-technical) and pass the filter (--read-filter
pass), separately (--split-spot), as letters (--dumpbase), with an N after each.  A plain archive has nothing to clip
(--clip); see vdb.py.

The loop calls the library from compiled code without the GIL, because a call from Python for each cell would take more
time than everything else.  It checks all values that it uses.  If one is not as expected, VdbDecoder raises
CannotDecode, and fastq-dump decodes the slice.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np
from numba import types
from numpy.typing import NDArray

from wort_cli.pipeline.decoding.vdb import COLUMNS, SONAME, VdbCursor, explain_rc, load_library
from wort_cli.pipeline.sketching.jit import jit, jit_helper
from wort_cli.pipeline.sketching.read_stats import STATS, ReadStats
from wort_cli.pipeline.sketching.slice_decoder import TEXT_SIZE, CannotDecode, DecoderCounts
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import Cancellation

Letters = NDArray[np.uint8]
Cells = NDArray[np.uint64]

ILLUMINA, PACBIO, NANOPORE = 2, 6, 9
"""Platforms whose reads need no conversion (ncbi-vdb interfaces/insdc/sra.h)."""
BIOLOGICAL = np.uint8(1)
"""A bit of READ_TYPE.  Other bits are the strand, which fastq-dump ignores."""
PASS = 0
"""The READ_FILTER of reads that pass."""
MAX_READS = 64
"""Reads in a spot, at most.  Real spots have only a few."""
UNKNOWN = 2**32 - 1
"""Returned instead of an rc_t: the cells of a spot have an unknown layout."""
N = np.uint8(ord("N"))

# The cells of a spot, in the order of COLUMNS, and what read_cells returns for each.
BASES, LENGTHS, TYPES, FILTERS, PLATFORM = range(len(COLUMNS))
ELEMENT_BITS, ADDRESS, BIT_OFFSET, ELEMENTS = range(4)
SIZES = np.array([8, 32, 8, 8, 8], np.uint64)
"""Bits of an element of each column, as expected."""

load_library()  # raises CannotDecode if the library is not installed
# The loop refers to library functions by name rather than by address, so that the compiled code can be cached.
llvmlite.binding.load_library_permanently(SONAME)
pointer, uint32 = types.uintp, types.uint32
read_cell: Any = types.ExternalFunction(
    # rc_t VCursorCellDataDirect(cursor, row, column, elem_bits *, base **, boff *, row_len *)
    "VCursorCellDataDirect", uint32(pointer, types.int64, uint32, pointer, pointer, pointer, pointer),
)  # fmt: skip
copy_memory: Any = types.ExternalFunction("memcpy", pointer(pointer, pointer, pointer))  # (to, from, bytes)


class VdbDecoder:
    """Decodes a slice of a plain archive; see SliceDecoder."""

    name = SONAME

    def __init__(self, path: Path, spots: int, part: Slice) -> None:
        self._path = path
        self._spots = spots
        self._part = part
        self._row = part.first
        self._stats = np.zeros(1, np.dtype(STATS))

    @property
    def stats(self) -> ReadStats:
        """See SliceDecoder."""
        return ReadStats.from_record(self._stats)

    def texts(self, cancellation: Cancellation) -> Iterator[Letters]:
        """See SliceDecoder."""
        text = np.empty(TEXT_SIZE, np.uint8)
        with VdbCursor(self._path, self._spots) as cursor:
            columns = np.array(cursor.columns, np.uint32)
            while self._row <= self._part.last:
                cancellation.check()
                row, n, code = read_spots(cursor.address, columns, self._row, self._part.last, self._stats, text)
                if code:
                    reason = "its cells have an unknown layout" if code == UNKNOWN else explain_rc(code)
                    raise CannotDecode(f"spot {row}: {reason}")
                if row == self._row:  # the next spot is longer than `text`
                    text = np.empty(2 * text.size, np.uint8)
                self._row = row
                yield text[:n]

    def finish(self, cancellation: Cancellation) -> DecoderCounts:
        """See SliceDecoder."""
        return DecoderCounts(self._row - self._part.first, self.stats.spots)


@jit
def read_spots(
    cursor: int, columns: NDArray[np.uint32], row: int, last: int, stats: NDArray[Any], text: Letters
) -> tuple[int, int, int]:
    """Write the text of the spots from `row` to `last` to `text`, as many as fit, and add them to `stats`.

    Returns the next spot, the length of the text, and an rc_t or UNKNOWN: if it is not 0, the next spot was not read.
    """
    cells = np.zeros((SIZES.size, 4), np.uint64)
    lengths = np.empty(MAX_READS, np.uint32)
    read_types, filters = np.empty(MAX_READS, np.uint8), np.empty(MAX_READS, np.uint8)
    n = 0
    while row <= last:
        code = read_cells(cursor, columns, row, cells)
        if code == 0:
            code = copy_read_properties(cells, lengths, read_types, filters)
        if code != 0:
            return row, n, code
        reads = int(cells[LENGTHS, ELEMENTS])
        if n + int(cells[BASES, ELEMENTS]) + reads > text.size:
            break
        n = copy_reads(cells[BASES, ADDRESS], lengths[:reads], read_types, filters, stats, text, n)
        row += 1
    return row, n, 0


@jit_helper
def read_cells(cursor: int, columns: NDArray[np.uint32], row: int, cells: Cells) -> int:
    """Get the addresses and sizes of the cells of a spot from the library.  Returns an rc_t, or UNKNOWN."""
    for i in range(columns.size):
        cell = cells[i].ctypes.data
        code = read_cell(cursor, row, columns[i], cell, cell + 8, cell + 16, cell + 24)
        if code != 0:
            return int(code)
        if cells[i, ELEMENT_BITS] != SIZES[i] or cells[i, BIT_OFFSET] != 0:
            return UNKNOWN
    return 0


@jit_helper
def copy_read_properties(cells: Cells, lengths: NDArray[np.uint32], read_types: Letters, filters: Letters) -> int:
    """Copy length, type and filter of each read of a spot.  Returns UNKNOWN if a value is not as expected, else 0."""
    reads = cells[LENGTHS, ELEMENTS]
    if reads > MAX_READS or cells[TYPES, ELEMENTS] != reads or cells[FILTERS, ELEMENTS] != reads:
        return UNKNOWN
    if cells[PLATFORM, ELEMENTS] != 1:
        return UNKNOWN
    copy_memory(read_types.ctypes.data, cells[PLATFORM, ADDRESS], 1)
    if read_types[0] != ILLUMINA and read_types[0] != PACBIO and read_types[0] != NANOPORE:
        return UNKNOWN
    copy_memory(lengths.ctypes.data, cells[LENGTHS, ADDRESS], 4 * reads)
    copy_memory(read_types.ctypes.data, cells[TYPES, ADDRESS], reads)
    copy_memory(filters.ctypes.data, cells[FILTERS, ADDRESS], reads)
    total = biological = np.uint64(0)
    for i in range(reads):
        total += np.uint64(lengths[i])
        if read_types[i] & BIOLOGICAL:
            biological += np.uint64(lengths[i])
    # fastq-dump fails on some spots without a biological base; then its own message is the right one.
    return 0 if total == cells[BASES, ELEMENTS] and biological > 0 else UNKNOWN


@jit_helper
def copy_reads(
    bases: np.uint64,
    lengths: NDArray[np.uint32],
    read_types: Letters,
    filters: Letters,
    stats: NDArray[Any],
    text: Letters,
    n: int,
) -> int:
    """Append the biological reads of a spot that pass the filter to text[:n].  Returns the new n.

    `bases` is the address of the bases of all reads of the spot.
    """
    record = stats[0]
    before = record.reads
    for i in range(lengths.size):
        length = int(lengths[i])
        if read_types[i] & BIOLOGICAL and filters[i] == PASS and length > 0:
            copy_memory(text.ctypes.data + n, bases, length)
            text[n + length] = N
            n += length + 1
            record.reads += 1
            record.bases += length
            record.longest = max(record.longest, length)
        bases += np.uint64(length)
    record.spots += record.reads > before
    return n
