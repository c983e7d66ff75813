"""The layouts and columns of archives that the in-process decoder handles, and how.

The tables name the place in the sources of sra-tools 3.0.3 and ncbi-vdb 3.0.2 that each row follows; `sra-dump` is
sra-tools tools/external/sra-dump.  vdb.py opens the layouts, vdb_decoder.py reads the columns.  Whatever is in no row
is left to fastq-dump.
"""

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True)
class LayoutRow:
    """A layout: what the decoder does with it, and why fastq-dump does the same."""

    layout: str
    done: str
    source: str


LAYOUTS = (
    LayoutRow(
        "single table (454, Ion Torrent, old Illumina)",
        "the table is read",
        "ncbi-vdb libs/sra/sratbl-cmn.c, SRAMgrVOpenAltTableRead",
    ),
    LayoutRow(
        "database with a table CONSENSUS (PacBio, Nanopore)",
        "CONSENSUS is read, and its spots are counted",
        "sra-dump/core.c, KMain, database_contains_table_name",
    ),
    LayoutRow(
        "database with a table SEQUENCE",
        "SEQUENCE is read",
        "ncbi-vdb libs/sra/sratbl-cmn.c, SRAMgrVOpenTableRead",
    ),
    LayoutRow(
        "aligned database, its references inside",
        "SEQUENCE is read; the library restores READ from CMP_READ and the alignments",
        "ncbi-vdb interfaces/align/seq.vschema, libs/axf",
    ),
    LayoutRow(
        "aligned database, references outside of it",
        "left to fastq-dump: the library finds them by the configuration of the process",
        "ncbi-vdb libs/align/refseq-mgr.c, KConfigMake",
    ),
    LayoutRow(
        "colour space (SOLiD)",
        "left to fastq-dump: it also reads CSREAD and CS_KEY",
        "sra-dump/fastq.c, FastqDumper_Factories, is_platform_cs_native",
    ),
    LayoutRow(
        "spots that are not numbered from 1, or are not as many as the archive reports",
        "left to fastq-dump",
        "ncbi-vdb libs/sra/sratbl-cmn.c, SRATableLoadMetadata",
    ),
)


class Column(IntEnum):
    """The columns that are read, by their place in the decoder's arrays."""

    NREADS = 0
    READ_FILTER = 1
    READ_LEN = 2
    READ_TYPE = 3
    READ_START = 4
    TRIM_START = 5
    TRIM_LEN = 6
    READ = 7


@dataclass(frozen=True)
class ColumnRow:
    """A column that fastq-dump reads with the recipe's flags."""

    name: str
    type: str
    """The type that is requested; empty for the column's default type."""
    done: str
    source: str


COLUMNS = (
    ColumnRow(
        "NREADS",
        "",
        "optional, only in single tables; a spot with more than the limit is skipped",
        "sra-dump/core.c, MaxNReadsValidator_GetKey",
    ),
    ColumnRow(
        "READ_FILTER",
        "INSDC:SRA:read_filter",
        "a read is kept if its value is 0 (pass) and its number is below the limit",
        "sra-dump/core.c, ReadFilterSplitter_GetKeySet",
    ),
    ColumnRow(
        "READ_LEN",
        "INSDC:coord:len",
        "the number of its values is the number of reads",
        "ncbi-vdb libs/sra/reader-cmn.c, SRAReader_SpotInfo",
    ),
    ColumnRow(
        "READ_TYPE",
        "INSDC:SRA:xread_type",
        "a read is kept if bit 0 (biological) is set",
        "sra-dump/fastq.c, FastqBioFilter_GetKey",
    ),
    ColumnRow(
        "READ_START",
        "INSDC:coord:zero",
        "where the bases of a read are in READ",
        "ncbi-vdb libs/sra/reader-fastq.c, FastqReaderBase",
    ),
    ColumnRow(
        "TRIM_START",
        "INSDC:coord:zero",
        "with TRIM_LEN: the part of the spot that --clip leaves (CLIP_* and bio_start in the schemata)",
        "ncbi-vdb libs/sra/reader-fastq.c, FastqReader_SpotReadInfo",
    ),
    ColumnRow("TRIM_LEN", "INSDC:coord:len", "see TRIM_START", "see TRIM_START"),
    ColumnRow(
        "READ",
        "INSDC:dna:text",
        "the bases of all reads, as INSDC:4na:bin where that gives the same letters and every code is valid, also in "
        "spots that are not written; a read of which no base is left is not written",
        "sra-dump/fastq.c, FastqReadLenFilter_GetKey, FastqFormatterSplitter_DumpByRead; ncbi-vdb libs/vxf/map.c",
    ),
)
"""The columns in the order of Column."""
PLATFORM = ColumnRow(
    "PLATFORM",
    "INSDC:SRA:platform_id",
    "of row 1 only: the limit of reads in a spot is 8, but 8,192 for PacBio and in tables without this column",
    "sra-dump/core.c, KMain, nreads_max",
)
NOT_READ = {
    "NAME": "fastq-dump reads it and does not use it (--defline-seq)",
    "SPOT_LEN": "likewise",
    "SPOT_GROUP": "likewise",
    "LABEL, LABEL_START, LABEL_LEN": "likewise, but it leaves out a spot without a row in one of them; such an archive "
    "is left to fastq-dump",
    "QUALITY": "only --fastq needs it",
}
"""Columns that fastq-dump reads, but that do not change the reads it writes."""

LABELS = frozenset({"LABEL", "LABEL_START", "LABEL_LEN"})
"""Columns of which only the numbers of rows are examined, if they have files of their own."""
ABSOLID, PACBIO = 3, 6
"""Values of PLATFORM (ncbi-vdb interfaces/insdc/sra.h)."""
MAX_READS, MAX_READS_PACBIO = 8, 8 * 1024
"""The reads of a spot that fastq-dump writes at most (NREADS_MAX in sra-dump/factory.h)."""


def read_limit(platform: int | None) -> int:
    """Return how many reads of a spot fastq-dump considers, technical ones included, by the platform in row 1."""
    return MAX_READS_PACBIO if platform in (PACBIO, None) else MAX_READS
