"""Checks that the table of contents of an archive is itself right, so that the md5 sums in the archive prove the rest.

No sum covers the table of contents.  But it is redundant with what the sums cover, so that damage shows:

- the files fill the archive without gaps except for padding to 4 bytes, so no offset, size or type can be wrong;
- every path has one of few forms, so no directory or file can be lost under another name;
- every file with content has a sum, and every sum a file, so no name inside a column can be wrong;
- every column is named in the schema of its table, which is part of the table's metadata, which has a sum.

An archive that does not pass must be fetched as a whole, and be compared with the md5 of the whole.

Source: ncbi-vdb libs/kfs/arc.c and tocentry.c (how archives are packed), libs/kdb (the files of a column).
"""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from wort_cli.pipeline.archives.checksums import is_sums_file
from wort_cli.pipeline.archives.columns import column_of
from wort_cli.pipeline.archives.kar import Extent

ALIGNMENT = 4
"""Bytes; each file starts at a multiple of it."""
PATH = re.compile(
    r"""(tbl/[A-Z][A-Z0-9_]*/)?          # a table of a database, or a table alone
        ( lock | md5 | md/(cur|r\d+)     # metadata, and its sum
        | idx/[A-Za-z0-9_]+(\.md5)?      # an index of the table, and its sum
        | col/[A-Za-z][A-Za-z0-9_]*/     # a column
          ( data | idx | idx[012] | md5 | md/cur )
        )""",
    re.VERBOSE,
)
TABLES = frozenset({"SEQUENCE", "PRIMARY_ALIGNMENT", "SECONDARY_ALIGNMENT", "EVIDENCE_ALIGNMENT", "EVIDENCE_INTERVAL",
                    "REFERENCE", "PASSES", "CONSENSUS", "ZMW_METRICS"})  # fmt: skip
"""The tables that databases of runs have (ncbi-vdb interfaces/{insdc,align,sra}/*.vschema)."""


class StructureError(ValueError):
    """The table of contents cannot be proved; the text says why."""


def check_structure(
    table: Mapping[str, Extent],
    data_offset: int,
    archive_size: int,
    sums: Mapping[str, str],
    schema: Callable[[str], bytes],
) -> None:
    """Raise StructureError unless the table of contents follows from what the sums cover.

    `schema` returns the content of a metadata file, which has been compared with its sum.
    """
    check_tiling(table, data_offset, archive_size)
    for path, extent in table.items():
        name = path.split("/")[1] if path.startswith("tbl/") else "SEQUENCE"
        if not PATH.fullmatch(path) or name not in TABLES:
            raise StructureError(f"the archive has the file {path}, which is of no known kind")
        if extent.size and path not in sums and not is_sums_file(path):
            raise StructureError(f"the archive has no md5 sum of {path}")
    for path in sums:
        if path not in table:
            raise StructureError(f"the archive has an md5 sum of {path}, but no such file")
    check_columns(table, schema)


def check_tiling(table: Mapping[str, Extent], data_offset: int, archive_size: int) -> None:
    """Raise StructureError unless the files fill the archive, each at the first aligned offset after the one before."""
    occupied = sorted((extent for extent in table.values() if extent.size), key=lambda extent: extent.offset)
    ends = [Extent(data_offset, 0), *occupied, Extent(archive_size, 0)]
    for before, after in pairwise(ends):
        if not 0 <= after.offset - before.end < ALIGNMENT:
            raise StructureError(f"bytes {before.end} to {after.offset} of the archive belong to no file")


def check_columns(table: Mapping[str, Extent], schema: Callable[[str], bytes]) -> None:
    """Raise StructureError unless each column is named in the schema of its table."""
    for metadata, names in metadata_of_tables(table).items():
        if metadata not in table:
            raise StructureError(f"the archive has columns, but no {metadata}")
        text = schema(metadata)
        for name in names:
            if not re.search(rb"(?<![A-Za-z0-9_])" + name.encode("ascii") + rb"(?![A-Za-z0-9_])", text):
                raise StructureError(f"the archive has a column {name}, which its schema does not name")


def metadata_of_tables(table: Mapping[str, Extent]) -> Mapping[str, set[str]]:
    """Return the paths of the metadata of tables, such as `tbl/SEQUENCE/md/cur`, with the columns of each table."""
    columns: dict[str, set[str]] = {}
    for path in table:
        if column := column_of(path):
            folder, _, name = column.rpartition("col/")
            columns.setdefault(f"{folder}md/cur", set()).add(name)
    return columns
