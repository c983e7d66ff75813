"""Finds the blobs of a column in an archive that is fetched in parts: where in the archive the cells of rows are.

blob_index.py reads the indexes; here they are those of a file `.../data` of the table of contents.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from wort_cli.pipeline.archives.blob_index import ColumnIndex, UnknownIndex, read_index
from wort_cli.pipeline.archives.column_proof import Contents, join
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.partial import PartialArchive

DATA = "/data"
LARGE = 1 << 20
"""Bytes of data from which on a column is large."""


class Rows(Protocol):
    """A slice of the rows."""

    @property
    def first(self) -> int:
        """The first row."""

    @property
    def last(self) -> int:
        """The last row."""


@dataclass(frozen=True)
class ColumnBlobs:
    """The blobs of one column."""

    index: ColumnIndex
    data: Extent
    """Where their bytes are in the archive."""

    def extents(self, rows: Rows) -> Iterator[Extent]:
        """Yield where in the archive the blobs of some rows are.  Raises UnknownIndex."""
        for extent in self.index.extents(rows.first, rows.last):
            yield Extent(self.data.offset + extent.offset, extent.size)


def blobs_of(file: str, contents: Contents, partial: PartialArchive) -> ColumnBlobs:
    """Return the blobs of the column whose data is in `file`; its indexes must have arrived.

    Raises UnknownIndex if they are of a form that is not known here, or if the blobs have no checksums.
    """
    folder, data = file.removesuffix("data"), contents.table[file]
    if any(f"{folder}{name}" not in contents.table for name in ("idx", "idx1", "idx2")):
        raise UnknownIndex("a file of it is missing")
    index = read_index(*(join(partial.read(contents.table[f"{folder}{name}"])) for name in ("idx", "idx1", "idx2")))
    if not index.has_checksums or index.data_size > data.size:
        raise UnknownIndex("its blobs have no checksums")
    return ColumnBlobs(index, data)


def large_files(contents: Contents) -> list[str]:
    """Return the needed files with the data of large columns, in the order of their offsets."""
    return [file for file in contents.selection.files if file.endswith(DATA) and contents.table[file].size > LARGE]
