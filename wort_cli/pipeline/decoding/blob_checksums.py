"""Verifies the blobs of an archive that hold the cells of some slices, by their checksums.

A column stores the cells of many spots together in a blob.  A blob has a checksum if the loader wrote one, and the
library verifies it without unpacking the blob.  vdb-validate reads the whole archive; this takes milliseconds for an
archive of any size, and is enough to read only these slices.

Sources: ncbi-vdb interfaces/kdb/{table,column}.h.  vdb-validate does the same for each blob (sra-tools,
tools/internal/vdb-validate).
"""

import contextlib
from collections.abc import Iterable
from ctypes import byref, c_int64, c_uint32, c_void_p
from pathlib import Path

from wort_cli.pipeline.archives.columns import UNNEEDED, VDB
from wort_cli.pipeline.decoding.vdb import open_table
from wort_cli.pipeline.decoding.vdb_library import call_vdb, list_names, open_object
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode
from wort_cli.pipeline.sketching.slices import Slice

ALIGNED = frozenset({"CMP_READ", "CMP_ALTREAD", "PRIMARY_ALIGNMENT_ID"})
"""Columns of a table whose bases are in other tables too."""


def verify_blobs(path: Path, parts: Iterable[Slice]) -> None:
    """Verify the blobs of all read columns of some slices.

    Raises CannotDecode if one is damaged, or if the archive is aligned.
    """
    with contextlib.ExitStack() as opened:
        sra_table = open_table(path, opened)
        table = open_object(opened, "SRATableGetKTableRead", "KTableRelease", sra_table)
        names = list_names(opened, "KTableListCol", table)
        if names & ALIGNED:
            raise CannotDecode("its reads are aligned: their bases are in other tables too")
        columns = [
            open_object(opened, "KTableOpenColumnRead", "KColumnRelease", table, b"%s", name.encode())
            for name in sorted(names - UNNEEDED[VDB])
        ]
        for part in parts:
            for column in columns:
                verify_column_blobs(column, part)


def verify_column_blobs(column: c_void_p, part: Slice) -> None:
    """Verify the blobs of one column of a slice."""
    spot = part.first
    while spot <= part.last:
        with contextlib.ExitStack() as opened:
            blob = open_object(opened, "KColumnOpenBlobRead", "KColumnBlobRelease", column, c_int64(spot))
            call_vdb("KColumnBlobValidate", blob)
            first, count = c_int64(), c_uint32()
            call_vdb("KColumnBlobIdRange", blob, byref(first), byref(count))
        spot = first.value + max(count.value, 1)
