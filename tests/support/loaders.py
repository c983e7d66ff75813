"""Loads simulated spots into an SRA database, with the SRA toolkit's own loaders.

There are three loaders, because no single one can make every layout:

- latf-load reads FASTQ.  It takes each mate's read filter from CASAVA 1.8 names (`1:Y:0:...` fails), but supports no
  technical reads and no clips, drops records with IUPAC codes as syntax errors, and fails on a file without reads.
- general-loader reads the cells of a table (general_loader.py).  It makes technical reads, clips,
  IUPAC codes, and a table without rows.
- bam-load makes aligned archives, which store only the bases that differ from a reference inside the archive.
"""

import contextlib
import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random

from tests.support.general_loader import Row, TableRows, load_database
from tests.support.simulated_spots import Spot
from tests.support.tools import bam_load, run


def spot_name(number: int) -> str:
    return f"SIM:1:FLOWCELL:1:{1101 + number // 100_000}:{1000 + number % 100_000}:{1000 + number % 997}"


def load_fastq(
    spots: Iterable[Spot], database: Path, *, platform: str = "ILLUMINA", qualities: Random | None = None
) -> None:
    """Load one FASTQ file for each mate, with CASAVA 1.8 names, with latf-load.

    All qualities are 40, or with `qualities` random ones of an instrument that bins them, which take much space.
    """

    def scores(length: int) -> str:
        return "I" * length if qualities is None else "".join(qualities.choices("#,:F", [1, 2, 4, 13], k=length))

    rest = iter(spots)
    if (first := next(rest, None)) is None:
        raise ValueError("latf-load rejects an empty FASTQ file; use the layout zero_spots")
    paths = [database.with_name(f"{mate}.fastq") for mate in range(1, len(first.reads) + 1)]
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("w", buffering=1 << 20)) for path in paths]
        for number, spot in enumerate(itertools.chain([first], rest)):
            name = spot_name(number)
            for mate, (file, read) in enumerate(zip(files, spot.reads, strict=True), 1):
                bases, flag = read.bases, "N" if read.passes else "Y"
                file.write(f"@{name} {mate}:{flag}:0:1\n{bases}\n+\n{scores(len(bases))}\n")
    run(["latf-load", "--quality", "PHRED_33", "-p", platform, "-t", database.parent, "-o", database, *paths])


COLUMNS = {  # typed names in the schema, and the struct code of an element
    "(INSDC:dna:text)READ": "B",
    "(INSDC:quality:phred)QUALITY": "B",
    "NAME": "B",
    "(INSDC:coord:zero)READ_START": "I",
    "(INSDC:coord:len)READ_LEN": "I",
    "(INSDC:SRA:xread_type)READ_TYPE": "B",
    "(INSDC:SRA:read_filter)READ_FILTER": "B",
}
CLIPPED = {**COLUMNS, "(INSDC:coord:one)CLIP_QUALITY_LEFT": "I", "(INSDC:coord:one)CLIP_QUALITY_RIGHT": "I"}
ILLUMINA = {**COLUMNS, "(INSDC:SRA:platform_id)PLATFORM": "B"}


def cells(number: int, spot: Spot, platform: int) -> Row:
    """Return the cells of a row, by column name without the type."""
    bases = "".join(read.bases for read in spot.reads).encode()
    lengths = [len(read.bases) for read in spot.reads]
    return {
        "READ": bases,
        "QUALITY": bytes([30]) * len(bases),
        "NAME": spot_name(number).encode(),
        "READ_START": list(itertools.accumulate(lengths[:-1], initial=0)),
        "READ_LEN": lengths,
        "READ_TYPE": [(not read.technical) | read.strand for read in spot.reads],
        "READ_FILTER": [0 if read.passes else read.rejection for read in spot.reads],
        "CLIP_QUALITY_LEFT": [spot.clip[0]],
        "CLIP_QUALITY_RIGHT": [spot.clip[1]],
        "PLATFORM": [platform],
    }


def load_columns(
    spots: Iterable[Spot], database: Path, *, columns: Mapping[str, str] = CLIPPED, platform: int = 2
) -> None:
    """Load with general-loader; `platform` is a value of the column PLATFORM: 2 Illumina, 3 SOLiD, 6 PacBio."""
    rows = (cells(number, spot, platform) for number, spot in enumerate(spots))
    table = TableRows("SEQUENCE", columns, rows)
    load_database(Path("sra/generic-fastq.vschema"), "NCBI:SRA:GenericFastq:db", [table], database)


def load_aligned(spots: Iterable[Spot], database: Path) -> None:
    """Load with bam-load: nine of ten reads are aligned to a reference, end to end, and differ in their last base."""
    aligned, unaligned, contig = [], [], ""
    for number, spot in enumerate(spots):
        bases = spot.reads[0].bases
        tail = f"*\t0\t0\t{bases}\t{'I' * len(bases)}\n"
        if number % 10:
            aligned.append(f"s{number}\t0\tcontig\t{len(contig) + 1}\t60\t{len(bases)}M\t{tail}")
            contig += bases[:-1] + ("C" if bases[-1] == "A" else "A")
        else:
            unaligned.append(f"s{number}\t4\t*\t0\t0\t*\t{tail}")
    sam, reference = database.with_name("run.sam"), database.with_name("reference.fasta")
    reference.write_text(f">contig\n{contig}\n")
    header = f"@HD\tVN:1.0\tSO:coordinate\n@SQ\tSN:contig\tLN:{len(contig)}\n"
    sam.write_text("".join([header, *aligned, *unaligned]))
    bam_load(["bam-load", "-o", database, "-t", database.parent, "-r", reference, sam], database)
