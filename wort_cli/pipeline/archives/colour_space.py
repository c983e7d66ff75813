"""Finds out whether an archive has colours instead of bases, as the instruments of SOLiD yield them.

Each colour stands for two neighbouring bases, so that one wrong colour changes all bases after it.  The toolkit guesses
the bases from the colours (`--dumpbase`), and the recipe sketches those.

Source: ncbi-vdb interfaces/ncbi/seq.vschema (color_space) and interfaces/align/seq.vschema.
"""

import contextlib
from pathlib import Path

from wort_cli.pipeline.archives.column_proof import NotProvable, read_contents, reader_of
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, column_of

COLOURS = frozenset({"CSREAD", "CMP_CSREAD", "CS_KEY"})
"""Columns that only tables with colours have."""


def has_colours(archive: Path) -> bool:
    """Return whether an archive on disk has colours.  Raises OSError if it cannot be read."""
    with archive.open("rb") as file, contextlib.suppress(NotProvable):
        table = read_contents(archive.stat().st_size, reader_of(file), FASTQ_DUMP).table
        return any(column_of(path).rpartition("/")[2] in COLOURS for path in table)
    return False
