"""Finds out whether the sequences that the reads of an archive are aligned to are all inside it.

A reference whose first rows have no CMP_READ is outside (ncbi-vdb libs/align/reference.c, ReferenceList_MakeDatabase);
sra-stat lists those.  Where no row is without it, sra-stat need not be asked.
"""

import contextlib
from ctypes import byref, c_int64, c_uint32, c_uint64, c_void_p
from pathlib import Path

from wort_cli.pipeline.decoding.vdb_library import call_vdb, open_object, start_library
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode

MAX_ROWS = 20_000
"""Rows that are read, at most; each has 5,000 bases of a reference."""


def has_all_references(path: Path) -> bool:
    """Return whether all references are inside a database that was proved; False also if they are too long to tell.

    Raises CannotDecode if the library cannot read them.
    """
    if "%" in str(path):
        raise CannotDecode("the library would use the path as a format string")
    start_library()
    with contextlib.ExitStack() as opened:
        manager = open_object(opened, "VDBManagerMakeRead", "VDBManagerRelease", None)
        database = open_object(opened, "VDBManagerOpenDBRead", "VDatabaseRelease", manager, None, b"%s", bytes(path))
        table = open_object(opened, "VDatabaseOpenTableRead", "VTableRelease", database, b"%s", b"REFERENCE")
        cursor = open_object(opened, "VTableCreateCursorRead", "VCursorRelease", table)
        column, first, rows = c_uint32(), c_int64(), c_uint64()
        call_vdb("VCursorAddColumn", cursor, byref(column), b"%s", b"CMP_READ")
        call_vdb("VCursorOpen", cursor)
        call_vdb("VCursorIdRange", cursor, column, byref(first), byref(rows))
        if not 0 < rows.value <= MAX_ROWS:
            return False
        return all(length_of(cursor, column, first.value + row) > 0 for row in range(rows.value))


def length_of(cursor: c_void_p, column: c_uint32, row: int) -> int:
    """Return the number of elements in a cell."""
    bits, address, offset, length = c_uint32(), c_void_p(), c_uint32(), c_uint32()
    arguments = byref(bits), byref(address), byref(offset), byref(length)
    call_vdb("VCursorCellDataDirect", cursor, c_int64(row), column, *arguments)
    return length.value
