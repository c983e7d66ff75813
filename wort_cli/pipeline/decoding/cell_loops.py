"""The part of spot_loops.py that gets cells from libncbi-vdb, from the blobs that have them."""

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit_helper

Cells = NDArray[np.uint64]

UNKNOWN = 2**32 - 1
"""Returned instead of an rc_t: the cells of a spot have an unknown layout."""
ADDRESS, BIT_OFFSET, BITS, VALUE, BLOB, FIRST, COUNT, ELEMENT_BITS = range(8)
"""The results of `read_cell`: the place of a cell, its value if that is a number, and the rows of its blob."""
PLACE = 8
"""Bytes of each of these."""
ROW_SIZE = 8 * PLACE
"""Bytes of a row of the array of cells."""

pointer, uint32 = types.uintp, types.uint32
open_blob: Any = types.ExternalFunction(
    # rc_t VCursorGetBlobDirect(cursor, blob **, row, column)
    "VCursorGetBlobDirect", uint32(pointer, pointer, types.int64, uint32),
)  # fmt: skip
blob_rows: Any = types.ExternalFunction(
    # rc_t VBlobIdRange(blob, first *, count *)
    "VBlobIdRange", uint32(pointer, pointer, pointer),
)  # fmt: skip
blob_cell: Any = types.ExternalFunction(
    # rc_t VBlobCellData(blob, row, uint32 bits of an element *, base **, uint32 bit offset *, uint32 elements *)
    "VBlobCellData", uint32(pointer, types.int64, pointer, pointer, pointer, pointer),
)  # fmt: skip
release_blob: Any = types.ExternalFunction("VBlobRelease", uint32(pointer))


@jit_helper
def read_cell(cursor: int, columns: Cells, i: int, row: int, cells: Cells) -> int:
    """Get the address and size of the cell of column `i` from the library.  Returns an rc_t, or UNKNOWN.

    A blob has the cells of many rows.  It is kept until a row is not in it: to have the library find the blob again for
    each cell would take more time than to find the cell.
    """
    address = cells.ctypes.data + ROW_SIZE * i
    if not has_row(cells, i, row):
        code = next_blob(cursor, columns[i], row, address, cells, i)
        if code != 0:
            return code
    cells[i, BITS] = 0
    elements, offset, size = address + PLACE * ELEMENT_BITS, address + PLACE * BIT_OFFSET, address + PLACE * BITS
    code = blob_cell(cells[i, BLOB], row, elements, address, offset, size)
    cells[i, BITS] *= cells[i, ELEMENT_BITS]
    return UNKNOWN if code == 0 and cells[i, BIT_OFFSET] != 0 else int(code)


@jit_helper
def has_row(cells: Cells, i: int, row: int) -> bool:
    """Return whether the blob of column `i` that was read last has a row.  One for all rows has 2**64, that is 0."""
    return bool(cells[i, BLOB] != 0 and np.uint64(row) - cells[i, FIRST] <= cells[i, COUNT] - np.uint64(1))


@jit_helper
def next_blob(cursor: int, column: np.uint64, row: int, address: int, cells: Cells, i: int) -> int:
    """Replace the blob of column `i` by the one that has a row.  Returns an rc_t, or UNKNOWN."""
    if cells[i, BLOB] != 0:
        release_blob(cells[i, BLOB])
        cells[i, BLOB] = 0
    code = open_blob(cursor, address + PLACE * BLOB, row, np.uint32(column))
    if code != 0:
        cells[i, BLOB] = 0
        return int(code)
    code = blob_rows(cells[i, BLOB], address + PLACE * FIRST, address + PLACE * COUNT)
    return UNKNOWN if code == 0 and not has_row(cells, i, row) else int(code)
