"""Opens an archive with libncbi-vdb in this process, with the functions that fastq-dump opens it with.

fastq-dump spends most of its time on writing reads as text, and wort on parsing that text.  Both can be avoided: this
module reads the columns of an archive with the same library as fastq-dump.  layouts.py says which archives and columns;
others raise CannotDecode, and fastq-dump decodes them.

The caller must have validated the archive, or at least the slices that are read (blob_checksums.py), because reading
damaged data could crash this process.

Columns are read with a cursor of the table (VCursor), from which an SRATable has its cells too (libs/sra/sratbl-cmn.c)
because it gives whole blobs.

Sources: ncbi-vdb interfaces/sra/{sradb,sradb-priv}.h, interfaces/vdb/{manager,database,table,cursor,blob,vdb-priv}.h.
"""

import contextlib
import ctypes
import weakref
from ctypes import byref, c_int64, c_uint8, c_uint32, c_uint64, c_void_p
from dataclasses import replace
from pathlib import Path

from wort_cli.pipeline.decoding.base_codes import CODE, has_rna, may_be_invalid, open_ktable
from wort_cli.pipeline.decoding.layouts import ABSOLID, COLUMNS, LABELS, PLATFORM, Column, ColumnRow, read_limit
from wort_cli.pipeline.decoding.vdb_library import (
    VdbError,
    call_vdb,
    list_names,
    load_library,
    open_object,
    start_library,
)
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode

SEQUENCE, CONSENSUS = "SEQUENCE", "CONSENSUS"
"""The tables that fastq-dump reads; the latter if there is one."""


class VdbCursor:
    """The columns of an archive, for one thread.  A context manager that closes the archive.

    Raises CannotDecode if the archive is of no layout that can be read, or if the library is not installed.
    """

    def __init__(self, path: Path, spots: int) -> None:
        self.address = 0
        """The address of the library's cursor (VCursor)."""
        self.columns: list[int] = []
        """The numbers of its columns, in the order of Column; 0 for one that the archive does not have."""
        self.read_limit = 0
        """The number of reads of a spot that are considered."""
        self.has_codes = False
        """Whether the cells of READ are codes rather than letters (base_codes.py)."""
        self.checks_codes = False
        """Whether the codes of all bases have to be checked, also of those that are not written."""
        with contextlib.ExitStack() as opening:
            self._open(path, spots, opening)
            self._close = weakref.finalize(self, opening.pop_all().close)

    def __enter__(self) -> "VdbCursor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the columns and the archive."""
        self._close()

    def _open(self, path: Path, spots: int, opened: contextlib.ExitStack) -> None:
        table = open_table(path, opened)
        first, last = c_int64(), c_int64()
        call_vdb("SRATableMinSpotId", table, byref(first))
        call_vdb("SRATableMaxSpotId", table, byref(last))
        if (first.value, last.value) != (1, spots):
            raise CannotDecode(f"its spots are {first.value} to {last.value}, not 1 to {spots}")
        platform = read_platform(table, opened)
        if platform == ABSOLID:
            raise CannotDecode("its reads are in colour space")
        self.read_limit = read_limit(platform)
        cursor = open_cursor(table, opened)
        self.address = cursor.value or 0
        for number, row in zip(Column, COLUMNS, strict=True):
            if number is Column.READ:
                column, self.has_codes = add_bases(cursor, table, row)
            elif number is Column.NREADS and not open_column(table, row, opened, optional=True):
                column = 0
            else:
                column = add_column(cursor, row)
            self.columns.append(column)
        self.checks_codes = self.has_codes and may_be_invalid(table)
        check_labels(table, spots)


def open_table(path: Path, opened: contextlib.ExitStack) -> c_void_p:
    """Open the table (SRATable) that fastq-dump reads.  Raises CannotDecode if there is none."""
    if "%" in str(path):
        raise CannotDecode("the library would use the path as a format string")
    start_library()
    library = load_library()
    manager = c_void_p()
    call_vdb("SRAMgrMakeRead", byref(manager))
    opened.callback(library.SRAMgrRelease, manager)
    vdb = open_object(opened, "SRAMgrGetVDBManagerRead", "VDBManagerRelease", manager)
    # A cursor would start a thread, and wait for it at each blob of a column whose rows differ in length.
    call_vdb("VDBManagerDisablePagemapThread", vdb)
    name = table_name(path, vdb)
    return open_object(opened, "SRAMgrOpenAltTableRead", "SRATableRelease", manager, name.encode(), b"%s", bytes(path))


def table_name(path: Path, vdb: c_void_p) -> str:
    """Return the name of the table that fastq-dump reads, if the archive is a database (see layouts.py)."""
    with contextlib.ExitStack() as opened:
        database = c_void_p()
        if load_library().VDBManagerOpenDBRead(vdb, byref(database), None, b"%s", bytes(path)):
            return SEQUENCE  # a single table, or not an archive: then it cannot be opened either
        opened.callback(load_library().VDatabaseRelease, database)
        tables = {name.upper() for name in list_names(opened, "VDatabaseListTbl", database)}
    return CONSENSUS if CONSENSUS in tables else SEQUENCE


def open_column(table: c_void_p, row: ColumnRow, opened: contextlib.ExitStack, *, optional: bool = False) -> c_void_p:
    """Open a column (SRAColumn).  If the table does not have it, raises CannotDecode, or returns NULL if `optional`."""
    type_name = row.type.encode() or None
    try:
        return open_object(opened, "SRATableOpenColumnRead", "SRAColumnRelease", table, row.name.encode(), type_name)
    except VdbError as error:
        if optional and error.is_missing:
            return c_void_p()
        raise CannotDecode(f"{row.name}: {error}") from None


def check_labels(table: c_void_p, spots: int) -> None:
    """Raise CannotDecode if a column of labels lacks rows: fastq-dump leaves out the spots of these rows."""
    with contextlib.ExitStack() as opened:
        for name in LABELS & list_names(opened, "KTableListCol", open_ktable(table, opened)):
            column = open_column(table, ColumnRow(name, "", "", ""), opened)
            row, first, last = 1, c_int64(), c_int64()
            while row <= spots:  # one turn for each blob
                call_vdb("SRAColumnGetRange", column, c_int64(row), byref(first), byref(last))
                row = last.value + 1


def open_cursor(table: c_void_p, opened: contextlib.ExitStack) -> c_void_p:
    """Open a cursor (VCursor) on an SRATable, to which columns can be added one by one."""
    vtable = open_object(opened, "SRATableGetVTableRead", "VTableRelease", table)
    cursor = open_object(opened, "VTableCreateCursorRead", "VCursorRelease", vtable)
    call_vdb("VCursorPermitPostOpenAdd", cursor)
    call_vdb("VCursorOpen", cursor)
    return cursor


def add_column(cursor: c_void_p, row: ColumnRow) -> int:
    """Add a column to a cursor; return its number.  Raises CannotDecode if the table does not have it."""
    number = c_uint32()
    name = f"({row.type}){row.name}" if row.type else row.name
    try:
        call_vdb("VCursorAddColumn", cursor, byref(number), b"%s", name.encode())
    except VdbError as error:
        raise CannotDecode(f"{row.name}: {error}") from None
    return number.value


def add_bases(cursor: c_void_p, table: c_void_p, row: ColumnRow) -> tuple[int, bool]:
    """Add the column of bases, if possible as codes; return also whether it is (base_codes.py)."""
    if not has_rna(table):
        with contextlib.suppress(CannotDecode):
            return add_column(cursor, replace(row, type=CODE)), True
    return add_column(cursor, row), False


def read_platform(table: c_void_p, opened: contextlib.ExitStack) -> int | None:
    """Return the platform in row 1; None if the table has no platforms.  Raises CannotDecode if it cannot be read."""
    column = open_column(table, PLATFORM, opened, optional=True)
    if not column:
        return None
    address, offset, size = c_void_p(), c_uint64(), c_uint64()
    call_vdb("SRAColumnRead", column, c_int64(1), byref(address), byref(offset), byref(size))
    if (offset.value, size.value) != (0, 8) or not address.value:
        raise CannotDecode("the platform in row 1 is not one byte")
    return int(ctypes.cast(address, ctypes.POINTER(c_uint8)).contents.value)
