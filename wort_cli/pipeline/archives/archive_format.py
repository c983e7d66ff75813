"""Tells a Lite archive from a normalized one by what is in it, and by its name only where that does not decide.

The program that removes the qualities leaves a node `SOFTWARE/delite` in the metadata of the archive; sra-info calls
the qualities of such an archive removed.  An archive with a column of qualities is normalized.  One with neither may
have been loaded without qualities, so its name decides.

Sources: sra-tools tools/external/sra-info/sra-info.cpp (HasLiteMetadata), tools/loaders/kar/sra_delite.sh.
"""

from pathlib import Path

from wort_cli.model.archive_format import Format
from wort_cli.pipeline.archives.archive_names import ending_of
from wort_cli.pipeline.archives.checksums import ReadExtent
from wort_cli.pipeline.archives.column_proof import NotProvable, join, read_contents, reader_of
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, QUALITIES, column_of
from wort_cli.pipeline.archives.kar import KarError
from wort_cli.pipeline.archives.metadata import MAX_METADATA, attributes_of

METADATA = ("md/cur", "tbl/SEQUENCE/md/cur")
"""The metadata of a database, or of a table alone; and of the table of a database's spots."""
MARK = "SOFTWARE/delite"


def format_inside(size: int, read: ReadExtent) -> Format | None:
    """Return the format of an archive of `size` bytes by its content; None if that does not decide."""
    try:
        table = read_contents(size, read, FASTQ_DUMP).table
        for path in METADATA:
            if path in table and 0 < table[path].size <= MAX_METADATA:
                attributes = attributes_of(join(read(table[path])), MARK)
                if attributes is not None and attributes.get("name") == "delite":
                    return Format.LITE
    except (NotProvable, KarError):
        return None
    has_qualities = any(column_of(path).rpartition("/")[2] in QUALITIES for path in table)
    return Format.NORMALIZED if has_qualities else None


def format_of(path: Path) -> Format:
    """Return the format of an archive on disk.  Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        inside = format_inside(path.stat().st_size, reader_of(file))
    return inside or ending_of(path.name).format
