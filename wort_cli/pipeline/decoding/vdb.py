"""Opens an archive with libncbi-vdb in this process, if its layout is one whose reads we know how to take.

fastq-dump spends most of its time on making text of reads, and we on reading that text again.  Both can be left out:
the columns of an archive are read by the library that fastq-dump reads them with.  What it does beyond that, by the
recipe's flags, is little where a layout is plain, and that little is in spots.py.  Where a layout is not plain, or not
known, this declines, and fastq-dump does it.  Plain is:

- a file that was validated, or of which those spots were that are read (blobs.py), for what is damaged must not be read
  in this process; it holds one table, SEQUENCE: an aligned archive keeps its bases elsewhere;
- no column that we do not know to change nothing: clips have columns of their own (CLIP_*, TRIM_*, ADAPTER_*);
- spots numbered from 1, as many as the archive counts;
- a platform whose reads are letters as they stand (checked spot by spot, in spots.py).

Sources: ncbi-vdb interfaces/vdb/{manager,database,table,cursor,vdb-priv}.h; what fastq-dump reads is in sra-tools
tools/external/sra-dump/{core,fastq}.c and ncbi-vdb libs/sra/reader-cmn.c.
"""

import contextlib
import ctypes
from collections.abc import Iterator
from ctypes import byref, c_char_p, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from pathlib import Path

from wort_cli.pipeline.sketching.slice_reads import Declined

SONAME = "libncbi-vdb.so.3"
"""Of Debian's package libncbi-vdb3; the number stands for its interface."""
READ, READ_LEN, READ_TYPE, READ_FILTER, PLATFORM = COLUMNS = (
    "(INSDC:dna:text)READ",
    "(INSDC:coord:len)READ_LEN",
    "(INSDC:SRA:xread_type)READ_TYPE",
    "(INSDC:SRA:read_filter)READ_FILTER",
    "(INSDC:SRA:platform_id)PLATFORM",
)
"""The columns that are read, as the types that fastq-dump reads them as."""
PLAIN = frozenset(
    (
        *("READ", "ALTREAD", "READ_LEN", "READ_START", "READ_TYPE", "RD_FILTER", "SPOT_FILTER", "PLATFORM"),
        *("QUALITY", "ORIGINAL_QUALITY", "CMP_LINKAGE_GROUP", "SPOT_GROUP"),
        *("NAME", "NAME_FMT", "RAW_NAME", "SPOT_NAME", "X", "Y"),
    )
)
"""Columns on the disk of a plain archive: what the reads are made of, and what says nothing of bases."""


@cache
def library() -> ctypes.CDLL:
    """libncbi-vdb; Declined if there is none."""
    try:
        return ctypes.CDLL(SONAME)
    except OSError as error:
        raise Declined(str(error)) from None


class SpotCursor:
    """A cursor over COLUMNS of a plain archive, for one thread; a context that closes it.

    Declined if the archive is not plain, or there is no library.
    """

    def __init__(self, path: Path, spots: int) -> None:
        self.columns: list[int] = []
        """The library's numbers of COLUMNS."""
        self._opened = contextlib.ExitStack()
        with contextlib.ExitStack() as opening:
            self._open(path, spots, opening)
            self._opened = opening.pop_all()

    @property
    def address(self) -> int:
        """Of the library's cursor."""
        return self._cursor.value or 0

    def __enter__(self) -> "SpotCursor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release all that was opened."""
        self._opened.close()

    def _open(self, path: Path, spots: int, opened: contextlib.ExitStack) -> None:
        table = sequence_table(path, opened)
        self._cursor = opened_by(opened, "VTableCreateCursorRead", "VCursorRelease", table)
        for column in COLUMNS:
            number = c_uint32()
            call("VCursorAddColumn", self._cursor, byref(number), b"%s", column.encode())
            self.columns.append(number.value)
        call("VCursorOpen", self._cursor)
        first, count = c_int64(), c_uint64()
        call("VCursorIdRange", self._cursor, c_uint32(self.columns[0]), byref(first), byref(count))
        if (first.value, count.value) != (1, spots):
            raise Declined(f"its spots are {count.value} from {first.value} on, not {spots} from 1 on")


def sequence_table(path: Path, opened: contextlib.ExitStack) -> c_void_p:
    """The one table of a plain archive; Declined if it is not plain."""
    if "%" in str(path):
        raise Declined("the library takes a path for a format")
    manager = opened_by(opened, "VDBManagerMakeRead", "VDBManagerRelease", None)
    database = opened_by(opened, "VDBManagerOpenDBRead", "VDatabaseRelease", manager, None, b"%s", bytes(path))
    if (tables := names_of(opened, "VDatabaseListTbl", database)) != {"SEQUENCE"}:
        raise Declined(f"it has the tables {', '.join(sorted(tables))}")
    table = opened_by(opened, "VDatabaseOpenTableRead", "VTableRelease", database, b"%s", b"SEQUENCE")
    if unknown := names_of(opened, "VTableListPhysColumns", table) - PLAIN:
        raise Declined(f"it has the columns {', '.join(sorted(unknown))}")
    return table


def opened_by(opened: contextlib.ExitStack, function: str, release: str, *arguments: object) -> c_void_p:
    """What a function of the library opens, to be released when `opened` is closed; Declined if it fails.

    The place for the result is the functions' first argument if they make something of nothing, else their second.
    """
    result = c_void_p()
    first, *rest = arguments
    before = () if first is None and not rest else (first,)
    call(function, *before, byref(result), *(rest if before else (None,)))
    opened.callback(getattr(library(), release), result)
    return result


def call(function: str, *arguments: object) -> None:
    """Call a function that returns an rc_t; Declined if that says that it failed."""
    code = getattr(library(), function)(*arguments)
    if code:
        raise Declined(f"{function}: {explained(code)}")


def explained(code: int) -> str:
    """An rc_t in words (RCExplain, ncbi-vdb interfaces/klib/rc.h)."""
    text, size = ctypes.create_string_buffer(500), c_size_t()
    library().RCExplain(c_uint32(code & 0xFFFFFFFF), text, c_size_t(len(text)), byref(size))
    return text.value.decode("utf-8", "replace")


def names_of(opened: contextlib.ExitStack, function: str, parent: c_void_p) -> set[str]:
    """The names that a function lists of a parent."""
    return set(listed(opened_by(opened, function, "KNamelistRelease", parent)))


def listed(names: c_void_p) -> Iterator[str]:
    """The names in a KNamelist (ncbi-vdb interfaces/klib/namelist.h)."""
    count = c_uint32()
    call("KNamelistCount", names, byref(count))
    for number in range(count.value):
        name = c_char_p()
        call("KNamelistGet", names, c_uint32(number), byref(name))
        yield (name.value or b"").decode()
