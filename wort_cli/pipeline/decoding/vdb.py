"""Opens plain archives with libncbi-vdb in this process.

fastq-dump spends most of its time on writing reads as text, and wort on parsing that text.  Both can be avoided: this
module reads the columns of an archive with the same library as fastq-dump.  For a plain archive, the recipe's flags
require little work beyond that; vdb_decoder.py does it.  Other archives raise CannotDecode, and fastq-dump decodes
them.  An archive is plain if

- it has one table, SEQUENCE (an aligned archive stores its bases in other tables);
- it has no column that might change the reads: clips, for example, have columns of their own (CLIP_*, TRIM_*,
  ADAPTER_*);
- its spots are numbered from 1, and their number is the archive's spot count;
- its platform is one whose reads need no conversion (vdb_decoder.py checks that for each spot).

The caller must have validated the archive, or at least the slices that are read (blob_checksums.py), because reading
damaged data could crash this process.

Sources: ncbi-vdb interfaces/vdb/{manager,database,table,cursor,vdb-priv}.h.  What fastq-dump reads is in sra-tools
tools/external/sra-dump/{core,fastq}.c and ncbi-vdb libs/sra/reader-cmn.c.
"""

import contextlib
import ctypes
from collections.abc import Iterator
from ctypes import byref, c_char_p, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from pathlib import Path

from wort_cli.pipeline.sketching.slice_decoder import CannotDecode

SONAME = "libncbi-vdb.so.3"
"""From Debian's package libncbi-vdb3.  The number is the version of its interface."""
READ, READ_LEN, READ_TYPE, READ_FILTER, PLATFORM = COLUMNS = (
    "(INSDC:dna:text)READ",
    "(INSDC:coord:len)READ_LEN",
    "(INSDC:SRA:xread_type)READ_TYPE",
    "(INSDC:SRA:read_filter)READ_FILTER",
    "(INSDC:SRA:platform_id)PLATFORM",
)
"""The columns that are read, with the types that fastq-dump requests."""
PLAIN_COLUMNS = frozenset(
    (
        *("READ", "ALTREAD", "READ_LEN", "READ_START", "READ_TYPE", "RD_FILTER", "SPOT_FILTER", "PLATFORM"),
        *("QUALITY", "ORIGINAL_QUALITY", "CMP_LINKAGE_GROUP", "SPOT_GROUP"),
        *("NAME", "NAME_FMT", "RAW_NAME", "SPOT_NAME", "X", "Y"),
    )
)
"""Columns that a plain archive may have on disk: those that define the reads, and those that do not affect bases."""


@cache
def load_library() -> ctypes.CDLL:
    """Load libncbi-vdb.  Raises CannotDecode if it is not installed."""
    try:
        return ctypes.CDLL(SONAME)
    except OSError as error:
        raise CannotDecode(str(error)) from None


class VdbCursor:
    """A cursor over COLUMNS of a plain archive, for one thread.  A context manager that closes it.

    Raises CannotDecode if the archive is not plain, or if the library is not installed.
    """

    def __init__(self, path: Path, spots: int) -> None:
        self.columns: list[int] = []
        """The library's indices of COLUMNS."""
        self._opened = contextlib.ExitStack()
        with contextlib.ExitStack() as opening:
            self._open(path, spots, opening)
            self._opened = opening.pop_all()

    @property
    def address(self) -> int:
        """The address of the library's cursor."""
        return self._cursor.value or 0

    def __enter__(self) -> "VdbCursor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the cursor and the archive."""
        self._opened.close()

    def _open(self, path: Path, spots: int, opened: contextlib.ExitStack) -> None:
        table = open_sequence_table(path, opened)
        self._cursor = open_object(opened, "VTableCreateCursorRead", "VCursorRelease", table)
        for column in COLUMNS:
            number = c_uint32()
            call_vdb("VCursorAddColumn", self._cursor, byref(number), b"%s", column.encode())
            self.columns.append(number.value)
        call_vdb("VCursorOpen", self._cursor)
        first, count = c_int64(), c_uint64()
        call_vdb("VCursorIdRange", self._cursor, c_uint32(self.columns[0]), byref(first), byref(count))
        if (first.value, count.value) != (1, spots):
            raise CannotDecode(f"its spots are {first.value} to {first.value + count.value - 1}, not 1 to {spots}")


def open_sequence_table(path: Path, opened: contextlib.ExitStack) -> c_void_p:
    """Open the only table of a plain archive.  Raises CannotDecode if the archive is not plain."""
    if "%" in str(path):
        raise CannotDecode("the library would use the path as a format string")
    manager = open_object(opened, "VDBManagerMakeRead", "VDBManagerRelease", None)
    database = open_object(opened, "VDBManagerOpenDBRead", "VDatabaseRelease", manager, None, b"%s", bytes(path))
    if (tables := list_names(opened, "VDatabaseListTbl", database)) != {"SEQUENCE"}:
        raise CannotDecode(f"it has the tables {', '.join(sorted(tables))}")
    table = open_object(opened, "VDatabaseOpenTableRead", "VTableRelease", database, b"%s", b"SEQUENCE")
    if unknown := list_names(opened, "VTableListPhysColumns", table) - PLAIN_COLUMNS:
        raise CannotDecode(f"it has the columns {', '.join(sorted(unknown))}")
    return table


def open_object(opened: contextlib.ExitStack, function: str, release: str, *arguments: object) -> c_void_p:
    """Call a library function that opens an object, and register its release with `opened`.

    Raises CannotDecode if it fails.  The pointer to the result is the second argument of the function, after the parent
    object; a function without a parent (`arguments` is a single None) has it first.
    """
    result = c_void_p()
    first, *rest = arguments
    before = () if first is None and not rest else (first,)
    call_vdb(function, *before, byref(result), *(rest if before else (None,)))
    opened.callback(getattr(load_library(), release), result)
    return result


def call_vdb(function: str, *arguments: object) -> None:
    """Call a library function that returns an rc_t.  Raises CannotDecode if that is an error."""
    code = getattr(load_library(), function)(*arguments)
    if code:
        raise CannotDecode(f"{function}: {explain_rc(code)}")


def explain_rc(code: int) -> str:
    """Return the library's description of an rc_t (RCExplain, ncbi-vdb interfaces/klib/rc.h)."""
    text, size = ctypes.create_string_buffer(500), c_size_t()
    load_library().RCExplain(c_uint32(code & 0xFFFFFFFF), text, c_size_t(len(text)), byref(size))
    return text.value.decode("utf-8", "replace")


def list_names(opened: contextlib.ExitStack, function: str, parent: c_void_p) -> set[str]:
    """Return the names that a library function lists for `parent`, such as tables of a database."""
    return set(read_name_list(open_object(opened, function, "KNamelistRelease", parent)))


def read_name_list(names: c_void_p) -> Iterator[str]:
    """Yield the names in a KNamelist (ncbi-vdb interfaces/klib/namelist.h)."""
    count = c_uint32()
    call_vdb("KNamelistCount", names, byref(count))
    for number in range(count.value):
        name = c_char_p()
        call_vdb("KNamelistGet", names, c_uint32(number), byref(name))
        yield (name.value or b"").decode()
