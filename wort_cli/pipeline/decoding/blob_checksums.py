"""Proves some spots of a plain archive whole, by the checksums of the blobs that hold them.

vdb-validate reads all of an archive; a look at a few slices needs to trust these alone, whatever the archive's size.
A column keeps the cells of many spots together, in a blob that has a checksum of its own, where the loader wrote one;
the library verifies it without unpacking the blob.

Sources: ncbi-vdb interfaces/kdb/{table,column}.h; vdb-validate does the same to each blob (sra-tools,
tools/internal/vdb-validate).
"""

import contextlib
from collections.abc import Iterable
from ctypes import byref, c_int64, c_uint32, c_void_p
from pathlib import Path

from wort_cli.pipeline.decoding.vdb import call, names_of, opened_by, sequence_table
from wort_cli.pipeline.sketching.slices import Slice

OF_READS = frozenset(("READ", "ALTREAD", "READ_LEN", "READ_START", "READ_TYPE", "RD_FILTER", "SPOT_FILTER", "PLATFORM"))
"""Columns on the disk of which reads are made."""


def prove_spots(path: Path, parts: Iterable[Slice]) -> None:
    """Verify the blobs that the reads of some spots are in; Declined if one is damaged, or the archive is not plain."""
    with contextlib.ExitStack() as opened:
        table = opened_by(opened, "VTableOpenKTableRead", "KTableRelease", sequence_table(path, opened))
        columns = [
            opened_by(opened, "KTableOpenColumnRead", "KColumnRelease", table, b"%s", name.encode())
            for name in sorted(names_of(opened, "KTableListCol", table) & OF_READS)
        ]
        for part in parts:
            for column in columns:
                prove_column(column, part)


def prove_column(column: c_void_p, part: Slice) -> None:
    """Verify the blobs of a column that hold cells of these spots."""
    spot = part.first
    while spot <= part.last:
        with contextlib.ExitStack() as opened:
            blob = opened_by(opened, "KColumnOpenBlobRead", "KColumnBlobRelease", column, c_int64(spot))
            call("KColumnBlobValidate", blob)
            first, count = c_int64(), c_uint32()
            call("KColumnBlobIdRange", blob, byref(first), byref(count))
        spot = first.value + max(count.value, 1)
