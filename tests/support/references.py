"""Makes aligned archives whose reference is another archive, and that reference, with the SRA toolkit's loaders.

The reference is circular: the toolkit reads a linear one in a thread of its own, and 3.0.3 crashes now and then if that
thread ends early, as it does with a short reference.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

from tests.support.general_loader import Row, TableRows, load_database
from tests.support.tools import bam_load, run

NAME = "NC_000005.8"
"""The accession of the reference."""
LENGTH = 20_000
"""Bases of the reference."""
HANGS = 120.0
"""Seconds after which bam-load does not end any more; it hangs now and then."""
ROW = 5_000
"""Bases in a row of the reference's table; other lengths are not supported by the toolkit."""
SCHEMA = """version 1;
include 'align/refseq.vschema';
database TEST:reference:db #1 { table NCBI:refseq:tbl:reference #2 REFERENCE; };
"""
COLUMNS = {
    "(INSDC:dna:text)READ": "B",
    "(INSDC:coord:one)SEQ_START": "I",
    "(INSDC:coord:len)SEQ_LEN": "I",
    "(ascii)SEQ_ID": "B",
    "(U32)MAX_SEQ_LEN": "I",
    "(bool)CIRCULAR": "B",
    "(ascii)DEF_LINE": "B",
}


def sequence(seed: int = 1) -> str:
    return "".join(Random(seed).choices("ACGT", k=LENGTH))


def make_reference(out: Path, *, seed: int = 1) -> Path:
    """Write the archive of the reference: a single table."""
    with tempfile.TemporaryDirectory(prefix=".reference-", dir=out.resolve().parent) as scratch:
        database, schema, packed = Path(scratch, "db"), Path(scratch, "reference.vschema"), Path(scratch, "packed")
        schema.write_text(SCHEMA)
        table = TableRows("REFERENCE", COLUMNS, reference_rows(NAME, sequence(seed)))
        load_database(schema, "TEST:reference:db", [table], database)
        run(["kar", "-c", packed, "-d", database / "tbl" / "REFERENCE"])
        return packed.replace(out)


def reference_rows(name: str, bases: str) -> Iterator[Row]:
    """Yield the rows of the reference's table."""
    for start in range(0, len(bases), ROW):
        piece = bases[start : start + ROW].encode()
        cells = [piece, [start + 1], [len(piece)], name.encode(), [ROW], [1], b"a test"]
        yield dict(zip([column.rpartition(")")[2] for column in COLUMNS], cells, strict=True))


def make_aligned_outside(out: Path, reference: Path, *, spots: int = 2_000) -> Path:
    """Write an archive whose reads are aligned to `reference`, an archive of `make_reference`; one in ten is not."""
    rng, bases = Random(2), sequence()
    aligned, unaligned = [], []
    for number in range(spots):
        start = rng.randrange(LENGTH - 100)
        read = bases[start : start + 50] + rng.choice("ACGT") + bases[start + 51 : start + 100]
        qualities = "".join(rng.choices("#,5:?DFI", k=100))  # so that they take most of the archive
        tail = f"*\t0\t0\t{read}\t{qualities}\n"
        if number % 10:
            aligned.append((start, f"s{number}\t0\tchr5\t{start + 1}\t60\t100M\t{tail}"))
        else:
            read = "".join(rng.choices("ACGT", k=100))
            unaligned.append(f"s{number}\t4\t*\t0\t0\t*\t*\t0\t0\t{read}\t{qualities}\n")
    with tempfile.TemporaryDirectory(prefix=".aligned-", dir=out.resolve().parent) as scratch:
        place = Path(scratch)
        header = f"@HD\tVN:1.0\tSO:coordinate\n@SQ\tSN:chr5\tLN:{LENGTH}\n"
        sam = place / "run.sam"
        sam.write_text("".join([header, *(line for _, line in sorted(aligned)), *unaligned]))
        database, packed = place / "db", place / "run.sra"
        load_against(reference, sam, database)
        run(["kar", "-c", packed, "-d", database])
        return packed.replace(out)


def make_aligned_to_both(out: Path, reference: Path) -> Path:
    """Write an archive whose reads are aligned to `reference`, and to another sequence, which is inside the archive."""
    rng, inside = Random(9), sequence(9)
    with tempfile.TemporaryDirectory(prefix=".aligned-", dir=out.resolve().parent) as scratch:
        place = Path(scratch)
        fasta, sam, packed = place / "inside.fasta", place / "run.sam", place / "run.sra"
        fasta.write_text(f">inside\n{inside}\n")
        lines = [f"@SQ\tSN:{name}\tLN:{LENGTH}" for name in ("chr5", "inside")]
        for name, bases in (("chr5", sequence()), ("inside", inside)):
            for number, start in enumerate(sorted(rng.randrange(LENGTH - 100) for _ in range(200))):
                where = f"{name}\t{start + 1}\t60\t100M\t*\t0\t0"
                lines.append(f"{name}.{number}\t0\t{where}\t{bases[start : start + 100]}\t{'I' * 100}")
        sam.write_text("\n".join(["@HD\tVN:1.0\tSO:coordinate", *lines, ""]))
        load_against(reference, sam, place / "db", "-r", fasta)
        run(["kar", "-c", packed, "-d", place / "db"])
        return packed.replace(out)


def load_against(reference: Path, sam: Path, database: Path, *options: str | Path) -> None:
    """Load alignments to `chr5`, whose bases are in `reference`, an archive of `make_reference`, with bam-load.

    Writes the toolkit's configuration beside the database.
    """
    place = database.parent
    (place / "names").write_text(f"chr5\t{NAME}\n")
    (place / "refseq").mkdir()
    shutil.copyfile(reference, place / "refseq" / NAME)
    (place / "test.kfg").write_text(
        f'/repository/remote/disabled = "true"\n/repository/user/main/public/root = "{place}"\n'
        '/repository/user/main/public/apps/refseq/volumes/refseq = "refseq"\n'
    )
    load: list[str | Path] = ["bam-load", "-o", database, "-k", place / "names", "-t", place, *options, sam]
    bam_load(["env", f"VDB_CONFIG={place}", f"HOME={place}", *load], database, timeout=HANGS)
