"""Decides which files of an archive a sketch needs.

A sketch needs the bases of reads, their lengths, types and filters.  It does not need qualities and signals, which take
most of an archive.  The tables below name the columns that each decoder provably does not read; any column that is not
named is needed.  A test leaves them out of archives of every layout and compares the reads.

Sources: what fastq-dump reads with `--fasta` is in sra-tools tools/external/sra-dump/{fastq,core}.c; the columns' names
are those of ncbi-vdb interfaces/{insdc,sra,ncbi,align}/*.vschema.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from wort_cli.pipeline.archives.kar import Extent

QUALITIES = frozenset({"QUALITY", "ORIGINAL_QUALITY", "CMP_QUALITY", "QUALITY2"})
"""Quality scores (insdc/sra.vschema); only `--fastq` output has them."""
SIGNALS = frozenset({"SIGNAL", "POSITION", "INTENSITY", "NOISE"})
"""Measurements of 454 and early Illumina instruments (sra/454.vschema, sra/illumina.vschema)."""
NAMES = frozenset({"NAME", "X", "Y", "SPOT_NAME", "RAW_NAME", "SPOT_GROUP", "NAME_FMT"})
"""The columns from which names of spots are made; the in-process decoder makes no names."""

FASTQ_DUMP, VDB = "fastq-dump", "vdb"
"""The decoders: the toolkit's program, and libncbi-vdb in this process."""
UNNEEDED = {
    FASTQ_DUMP: QUALITIES | SIGNALS,
    VDB: QUALITIES | SIGNALS | NAMES,
}
"""The columns, of any table, that each decoder does not read."""

OF_SPOTS = ("tbl/SEQUENCE/", "tbl/CONSENSUS/")
"""The tables of a database that have spots."""

MAX_SHARE = 0.8
"""The share of an archive from which on it is fetched as a whole."""
GAP = 1 << 16
"""Bytes between two needed files that are fetched along rather than skipped: a request costs more."""


@dataclass(frozen=True)
class Selection:
    """The files of an archive that a decoder needs."""

    files: tuple[str, ...]
    """Their paths, in the order of their offsets."""
    size: int
    """Their bytes together."""
    skipped: tuple[str, ...]
    """The columns that are not needed, such as `tbl/SEQUENCE/col/QUALITY`."""


def column_of(path: str) -> str:
    """Return the path of the column that a file belongs to, such as `tbl/SEQUENCE/col/READ`; '' if to none."""
    parts = path.split("/")
    if "col" not in parts[:-2]:
        return ""
    return "/".join(parts[: parts.index("col") + 2])


def is_unneeded(column: str, decoder: str) -> bool:
    """Return whether `decoder` does not read a column; `column` is '' for a file that belongs to none."""
    folder, _, name = column.rpartition("/")
    if folder.startswith("tbl/") and not folder.startswith(OF_SPOTS):  # NAME of REFERENCE is no spot's name
        return name in UNNEEDED[decoder] - NAMES
    return name in UNNEEDED[decoder]


def select(table: Mapping[str, Extent], decoder: str) -> Selection:
    """Return the files that `decoder` (a key of UNNEEDED) needs of an archive with this table of contents."""
    columns = {path: column_of(path) for path in table}
    skipped = {column for column in columns.values() if is_unneeded(column, decoder)}
    needed = sorted((extent.offset, path) for path, extent in table.items() if columns[path] not in skipped)
    return Selection(
        files=tuple(path for _, path in needed),
        size=sum(table[path].size for _, path in needed),
        skipped=tuple(sorted(skipped)),
    )
