"""Chooses the type in which the bases of an archive are requested: the one that costs the library least.

fastq-dump requests text.  The library computes a code of 4 bits for each base (a set of A, C, G and T), maps codes to
letters, and copies these.  Both are cheaper in the loop (spot_loops.py), which therefore requests the code.

If RNA_FLAG in the metadata of the table is 1, the library writes U for T.  Then the text is requested, and also from a
table that does not have the code.

Sources: ncbi-vdb interfaces/ncbi/seq.vschema (out_dna_text), interfaces/insdc/insdc.vschema (INSDC:4na:map:CHARSET),
libs/sraxf/use-rna-flag.c, libs/vxf/map.c.
"""

import contextlib
import ctypes
from ctypes import byref, c_size_t, c_void_p

from wort_cli.pipeline.decoding.vdb_library import VdbError, call_vdb, list_names, open_object

CODE = "INSDC:4na:bin"
LETTERS = b".ACMGRSVTWYHKDBN"
"""The letter of each code.  The library's map ends with an error for all spots of a blob if a code is higher."""
RNA_FLAG = b"RNA_FLAG"
COLOURS = "CSREAD"
"""The column of colours, from which the library computes bases by maps that have only valid codes."""
STATIC_COLOURS = b"col/CSREAD"
"""The metadata of that column if all its cells are equal; then it has no files."""


def has_rna(sra_table: c_void_p) -> bool:
    """Return whether the text of a table (SRATable) has U for T."""
    with contextlib.ExitStack() as opened:
        node = open_metadata(open_ktable(sra_table, opened), RNA_FLAG, opened)
        if node is None:
            return False
        flag, size, rest = ctypes.create_string_buffer(1), c_size_t(), c_size_t()
        call_vdb("KMDataNodeRead", node, c_size_t(0), flag, c_size_t(1), byref(size), byref(rest))
        return flag.raw == b"1"


def may_be_invalid(sra_table: c_void_p) -> bool:
    """Return whether a table (SRATable) can have bases with invalid codes: not if it has colours."""
    with contextlib.ExitStack() as opened:
        table = open_ktable(sra_table, opened)
        is_static = open_metadata(table, STATIC_COLOURS, opened) is not None
        return not is_static and COLOURS not in list_names(opened, "KTableListCol", table)


def open_ktable(sra_table: c_void_p, opened: contextlib.ExitStack) -> c_void_p:
    """Open the KTable of an SRATable."""
    return open_object(opened, "SRATableGetKTableRead", "KTableRelease", sra_table)


def open_metadata(table: c_void_p, name: bytes, opened: contextlib.ExitStack) -> c_void_p | None:
    """Open a node of the metadata of a KTable; None if it has no such node."""
    metadata = open_object(opened, "KTableOpenMetadataRead", "KMetadataRelease", table)
    try:
        return open_object(opened, "KMetadataOpenNodeRead", "KMDataNodeRelease", metadata, b"%s", name)
    except VdbError as error:
        if error.is_missing:
            return None
        raise
