"""The kinds of tables that an archive can have, and the columns that general-loader writes into each.

A layout is a table type of the schemas that the toolkit installs (/usr/lib/ncbi-vdb).  Archives in the wild have these
types; some are written by loaders whose input cannot be made here, so general-loader writes their columns instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CODES: Mapping[str, tuple[str, str]] = {
    "READ": ("INSDC:dna:text", "B"),
    "CSREAD": ("INSDC:color:text", "B"),
    "CS_KEY": ("INSDC:dna:text", "B"),
    "QUALITY": ("INSDC:quality:phred", "B"),
    "NAME": ("ascii", "B"),
    "READ_START": ("INSDC:coord:zero", "i"),
    "READ_LEN": ("INSDC:coord:len", "I"),
    "READ_TYPE": ("INSDC:SRA:xread_type", "B"),
    "READ_FILTER": ("INSDC:SRA:read_filter", "B"),
    "SPOT_FILTER": ("INSDC:SRA:spot_filter", "B"),
    "NREADS": ("U8", "B"),
    "CLIP_QUALITY_LEFT": ("INSDC:coord:one", "i"),
    "CLIP_QUALITY_RIGHT": ("INSDC:coord:one", "i"),
    "CLIP_ADAPTER_LEFT": ("INSDC:coord:one", "i"),
    "CLIP_ADAPTER_RIGHT": ("INSDC:coord:one", "i"),
    "PLATFORM": ("INSDC:SRA:platform_id", "B"),
    "LABEL": ("ascii", "B"),
    "LABEL_START": ("INSDC:coord:zero", "i"),
    "LABEL_LEN": ("INSDC:coord:len", "I"),
    "SPOT_GROUP": ("ascii", "B"),
    "PRIMARY_ALIGNMENT_ID": ("I64", "q"),
    "ALIGNMENT_COUNT": ("U8", "B"),
}
"""The type of a column in the schema, and the struct code of an element."""
CLIPS = ("CLIP_QUALITY_LEFT", "CLIP_QUALITY_RIGHT", "CLIP_ADAPTER_LEFT", "CLIP_ADAPTER_RIGHT")
PROPERTIES = ("READ_START", "READ_LEN", "READ_TYPE", "READ_FILTER")


@dataclass(frozen=True)
class TableKind:
    """A table type."""

    name: str
    schema: str
    """The file that declares it, below the directory of schemas."""
    kind: str
    """Its name in the schema, with the version."""
    reads: str = "READ"
    """The column that the bases are written to."""
    has_name: bool = True
    clips: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    """Further columns that it may have."""
    weight: int = 2


FASTQ, ILLUMINA = "sra/generic-fastq", "sra/illumina"
LOG_ODDS = "NCBI:SRA:GenericFastq:sequence_log_odds #2"
COLOR = ("CS_KEY",)
KINDS = (
    TableKind("generic", FASTQ, "NCBI:SRA:GenericFastq:sequence #2", clips=CLIPS, weight=5),
    TableKind("generic-without-name", FASTQ, "NCBI:SRA:GenericFastq:sequence_no_name #2", has_name=False, clips=CLIPS),
    TableKind("generic-log-odds", FASTQ, LOG_ODDS, clips=CLIPS),
    TableKind("generic-nanopore", FASTQ, "NCBI:SRA:GenericFastq:sequence_nanopore #2"),
    TableKind("generic-consensus", FASTQ, "NCBI:SRA:GenericFastq:consensus_nanopore #2"),
    TableKind("generic-solid", FASTQ, "NCBI:SRA:GenericFastq:absolid #1.0.1", "CSREAD", clips=CLIPS, others=COLOR),
    TableKind("solid", "sra/abi", "NCBI:SRA:ABI:tbl:v2 #1.0.5", "CSREAD", others=COLOR),
    TableKind("helicos", "sra/helicos", "NCBI:SRA:Helicos:tbl:v2 #2"),
    TableKind("illumina", ILLUMINA, "NCBI:SRA:Illumina:tbl:phred:v2 #2", weight=8),
    TableKind("illumina-q4", ILLUMINA, "NCBI:SRA:Illumina:tbl:q4:v2 #2"),
    TableKind("illumina-q1", ILLUMINA, "NCBI:SRA:Illumina:tbl:q1:v2 #2"),
    TableKind("ion-torrent", "sra/ion-torrent", "NCBI:SRA:IonTorrent:tbl:v2 #2", clips=CLIPS, weight=4),
    TableKind("nanopore", "sra/nanopore", "NCBI:SRA:Nanopore:sequence #2", has_name=False),
    TableKind("nanopore-consensus", "sra/nanopore", "NCBI:SRA:Nanopore:consensus #2", has_name=False),
    TableKind("pacbio-fastq", "sra/pacbio", "NCBI:SRA:PacBio:smrt:fastq #2", has_name=False),
    TableKind("pacbio", "sra/pacbio", "NCBI:SRA:PacBio:smrt:sequence #2", has_name=False, clips=CLIPS[1:2], weight=4),
    TableKind("pacbio-consensus", "sra/pacbio", "NCBI:SRA:PacBio:smrt:cons #2", has_name=False),
    TableKind("454", "sra/454", "NCBI:SRA:_454_:tbl:v2 #2", clips=CLIPS, weight=8),
    TableKind(
        "aligned-type", "align/align", "NCBI:align:tbl:seq #2", has_name=False,
        others=("PRIMARY_ALIGNMENT_ID", "ALIGNMENT_COUNT"), weight=4,
    ),
    TableKind("trace", "ncbi/trace", "NCBI:sra:tbl:trace #1", has_name=False, clips=CLIPS[:2]),
)  # fmt: skip


def typed(column: str) -> str:
    """Return the name of a column with its type, as general-loader wants it."""
    return column if column == "NAME" else f"({CODES[column][0]}){column}"


def schema_of(tables: Mapping[str, TableKind]) -> str:
    """Return a schema with a database that has the named tables."""
    includes = "".join(f"include '{schema}.vschema';\n" for schema in sorted({kind.schema for kind in tables.values()}))
    members = " ".join(f"table {kind.kind} {name};" for name, kind in tables.items())
    return f"version 1;\n{includes}database TEST:differential:db #1 {{ {members} }};\n"
