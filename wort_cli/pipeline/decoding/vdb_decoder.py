"""Decodes slices of an archive with libncbi-vdb in this process, like fastq-dump with the recipe's flags.

For each spot, the text contains the reads that are biological (--skip-technical) and pass the filter (--read-filter
pass), separately (--split-spot), as letters (--dumpbase), without what is clipped (--clip), with an N after each.
layouts.py names the columns, what is done with each, and where fastq-dump does it.

The loop (spot_loops.py) calls the library from compiled code without the GIL, because a call from Python for each cell
would take more time than everything else.  It checks all values that it uses.  If one is not as expected, VdbDecoder
raises CannotDecode, and fastq-dump decodes the slice.
"""

import contextlib
from collections.abc import Iterator
from ctypes import c_void_p
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.decoding import base_codes, layouts
from wort_cli.pipeline.decoding.vdb import VdbCursor
from wort_cli.pipeline.decoding.vdb_library import SONAME, explain_rc, linker_name, load_library
from wort_cli.pipeline.sketching.loops import INT, Array, Loops
from wort_cli.pipeline.sketching.read_stats import STATS, ReadStats
from wort_cli.pipeline.sketching.slice_decoder import TEXT_SIZE, CannotDecode, DecoderCounts, NeedsWholeRun
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import Cancellation

Letters = NDArray[np.uint8]

CELL_PLACES, BLOB = 8, 4
"""Places of a row of the array of cells, and which of them has the address of a blob: see cell_loops.py."""
UNKNOWN, NOT_BIOLOGICAL, INVALID = 2**32 - 1, 2**32 - 2, 2**32 - 3
"""Results of `read_spots` other than an rc_t: see spot_loops.py."""

load_library()  # raises CannotDecode if the library is not installed
# The loop refers to the library's functions by name rather than by address, so that the compiled code can be cached.
llvmlite.binding.load_library_permanently(linker_name())
SOURCES = Path(__file__).with_name("cell_loops.py"), Path(layouts.__file__), Path(base_codes.__file__)
SPOTS = Loops("wort_cli.pipeline.decoding.spot_loops", __name__, SOURCES)
STAT_RECORD = np.dtype(STATS)
read_spots = SPOTS.function(
    "read_spots",
    INT,  # cursor
    Array(np.uint64),  # columns
    INT,  # read_limit
    INT,  # row
    INT,  # last
    Array(STAT_RECORD),  # stats
    Array(np.uint8),  # text
    Array(np.uint64, 2),  # cells
    Array(np.uint8),  # filters
    Array(np.uint8),  # read_types
    Array(np.uint32),  # starts
    Array(np.uint32),  # lengths
    Array(np.uint32),  # trim
    INT,  # has_codes
    INT,  # checks_codes
    results=3,
)


@contextlib.contextmanager
def work_arrays() -> Iterator[tuple[NDArray[Any], ...]]:
    """Yield the arrays that `read_spots` uses for the spot it reads; release the blobs that it keeps in them."""
    reads = layouts.MAX_READS_PACBIO
    bytes_ = np.empty(reads, np.uint8), np.empty(reads, np.uint8)
    numbers = np.empty(reads, np.uint32), np.empty(reads, np.uint32), np.empty(2, np.uint32)
    cells = np.zeros((len(layouts.Column), CELL_PLACES), np.uint64)
    try:
        yield cells, *bytes_, *numbers
    finally:
        for blob in filter(None, cells[:, BLOB].tolist()):
            load_library().VBlobRelease(c_void_p(blob))


class VdbDecoder:
    """Decodes a slice of an archive; see SliceDecoder.

    `cursors` are open and unused; all slices of a run share them, because opening one takes up to 20 ms.
    """

    name = SONAME

    def __init__(self, path: Path, spots: int, part: Slice, cursors: list[VdbCursor] | None = None) -> None:
        self._path = path
        self._spots = spots
        self._part = part
        self._cursors = cursors if cursors is not None else []
        self._row = part.first
        self._stats = np.zeros(1, STAT_RECORD)

    @property
    def stats(self) -> ReadStats:
        """See SliceDecoder."""
        return ReadStats.from_record(self._stats)

    def texts(self, cancellation: Cancellation) -> Iterator[Letters]:
        """See SliceDecoder."""
        text = np.empty(TEXT_SIZE, np.uint8)
        with self._cursor() as cursor, work_arrays() as arrays:
            columns = cursor.address, np.array(cursor.columns, np.uint64), cursor.read_limit
            while self._row <= self._part.last:
                cancellation.check()
                rows, codes = (self._row, self._part.last), (cursor.has_codes, cursor.checks_codes)
                row, n, code = read_spots(*columns, *rows, self._stats, text, *arrays, *codes)
                if code == NOT_BIOLOGICAL:
                    raise NeedsWholeRun(f"spot {row} has no biological read")
                if code == INVALID:  # perhaps in a blob with spots of another slice, on which fastq-dump fails too
                    raise NeedsWholeRun(f"a base of spot {row}, or of one before it, is invalid")
                if code:
                    reason = "its cells have an unknown layout" if code == UNKNOWN else explain_rc(code)
                    raise CannotDecode(f"spot {row}: {reason}")
                if row == self._row:  # the next spot is longer than `text`
                    text = np.empty(2 * text.size, np.uint8)
                self._row = row
                yield text[:n]

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[VdbCursor]:
        """Yield an open cursor for this slice alone; keep it for another slice, unless this one fails."""
        try:
            cursor = self._cursors.pop()
        except IndexError:  # others have them all
            cursor = VdbCursor(self._path, self._spots)
        try:
            yield cursor
        except BaseException:
            cursor.close()
            raise
        self._cursors.append(cursor)

    def finish(self, cancellation: Cancellation) -> DecoderCounts:
        """See SliceDecoder."""
        return DecoderCounts(self._row - self._part.first, self.stats.spots)
