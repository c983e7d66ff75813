"""Compares wort with the reference pipeline on other layouts: aligned archives, and single tables of a 454.

    python -m benchmarks.layouts [--megabases 100] [--rounds 3] [--archives DIR]

The archives are made once, in --archives.  See pipeline.py, which compares on pairs without alignments.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np

from benchmarks.pipeline import compare, show
from tests.support.general_loader import Row, TableRows, load_database
from tests.support.loaders import CLIPPED
from tests.support.simulated_spots import random_bases, reverse_complement
from tests.support.tools import run

MATE = 150
"""Bases of an aligned read."""
KEY = "TCAG"
"""The technical bases that a 454 read begins with."""
SCHEMA = """version 1;
include 'sra/454.vschema';
database TEST:roche:db #1 { table NCBI:SRA:_454_:tbl:v2 #2 SEQUENCE; };
"""
COLUMNS = {
    **CLIPPED,
    "(INSDC:coord:one)CLIP_ADAPTER_LEFT": "I",
    "(INSDC:coord:one)CLIP_ADAPTER_RIGHT": "I",
    "(INSDC:SRA:platform_id)PLATFORM": "B",
}


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description="Compare wort with the reference pipeline on other layouts.")
    parser.add_argument("--megabases", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    options.archives.mkdir(parents=True, exist_ok=True)
    for name, make in (("aligned", make_aligned), ("454", make_454)):
        archive = archive_of(options.archives / f"{name}-{options.megabases}.sra", options.megabases, make)
        print(f"\n{name}", end="")
        show(options.megabases, compare(archive, options.rounds))


def archive_of(path: Path, megabases: int, make: Callable[[Path, int], Path]) -> Path:
    """Return an archive, which is made if an earlier benchmark has not made it."""
    if not path.exists():
        print(f"making {path}", flush=True)
        with tempfile.TemporaryDirectory(prefix=".archive-", dir=path.parent) as scratch:
            tree = make(Path(scratch), megabases * 1_000_000)
            run(["kar", "-c", Path(scratch, "packed"), "-d", tree])
            Path(scratch, "packed").replace(path)
    return path


# ---- Aligned


def make_aligned(scratch: Path, bases: int) -> Path:
    """Load pairs of a metagenome, of which nine of ten are aligned to a genome inside the archive; return its tree."""
    genome = random_bases(Random(1), bases // 10)
    reference, sam, database = scratch / "reference.fasta", scratch / "run.sam", scratch / "run"
    reference.write_text(f">contig\n{genome}\n")
    with sam.open("w", buffering=1 << 20) as file:
        file.write(f"@HD\tVN:1.0\tSO:coordinate\n@SQ\tSN:contig\tLN:{len(genome)}\n")
        file.writelines(sam_lines(genome, bases // (2 * MATE)))
    run(["bam-load", "-o", database, "-t", scratch, "-r", reference, sam])
    return database


def sam_lines(genome: str, pairs: int) -> Iterator[str]:
    """Yield pairs in the order of their places; one aligned base of 200 differs, and qualities vary."""
    rng, chances = Random(2), np.random.default_rng(2)
    qualities = "".join(rng.choices("#,:F", [1, 2, 4, 13], k=100_000))

    def line(name: int, flag: int, at: int, mate: int) -> str:
        bases = genome[at : at + MATE]
        if chances.random() < 0.75:
            place = int(chances.integers(MATE))
            bases = f"{bases[:place]}{'ACGT'[int(chances.integers(4))]}{bases[place + 1 :]}"
        start = int(chances.integers(len(qualities) - MATE))
        where = f"contig\t{at + 1}\t60\t{MATE}M\t=\t{mate + 1}\t{mate - at}"
        if flag & 4:
            where, bases = "*\t0\t0\t*\t*\t0\t0", reverse_complement(bases)
        return f"s{name}\t{flag}\t{where}\t{bases}\t{qualities[start : start + MATE]}\n"

    starts = chances.integers(0, len(genome) - 4 * MATE, pairs)
    aligned = pairs - pairs // 10
    mates = [(int(at), number, 0) for number, at in enumerate(starts[:aligned])]
    mates += [(at + 2 * MATE, number, 1) for at, number, _ in mates]
    mates.sort()
    for at, number, last in mates:
        yield line(number, 1 | 2 | (128 | 16 if last else 64 | 32), at, at - 2 * MATE if last else at + 2 * MATE)
    for number, at in enumerate(starts[aligned:], aligned):
        yield line(number, 1 | 4 | 8 | 64, int(at), 0)
        yield line(number, 1 | 4 | 8 | 128, int(at) + 2 * MATE, 0)


# ---- 454


def make_454(scratch: Path, bases: int) -> Path:
    """Load reads of 300 to 600 bases with a key and an adapter, which is clipped; return the tree of the table."""
    schema, database = scratch / "454.vschema", scratch / "run"
    schema.write_text(SCHEMA)
    load_database(schema, "TEST:roche:db", [TableRows("SEQUENCE", COLUMNS, rows_of_454(bases))], database)
    return database / "tbl" / "SEQUENCE"


def rows_of_454(bases: int) -> Iterator[Row]:
    """Yield spots of a metagenome until they have so many bases."""
    rng, chances = Random(3), np.random.default_rng(3)
    genome, adapter = random_bases(rng, bases // 10), random_bases(rng, 40)
    qualities = bytes(rng.choices(range(10, 41), k=100_000))
    number = total = 0
    while total < bases:
        length = int(chances.integers(300, 601))
        at, start = (int(chances.integers(size)) for size in (len(genome) - length, len(qualities) - 1000))
        read = genome[at : at + length] if number % 2 else reverse_complement(genome[at : at + length])
        spot = f"{KEY}{read}{adapter}".encode()
        yield {
            "READ": spot,
            "QUALITY": qualities[start : start + len(spot)],
            "NAME": f"EWO7JSA01{number:05d}".encode(),
            "READ_START": [0, len(KEY)],
            "READ_LEN": [len(KEY), len(spot) - len(KEY)],
            "READ_TYPE": [0, 1],
            "READ_FILTER": [0, 0],
            "CLIP_QUALITY_LEFT": [len(KEY) + 1],
            "CLIP_QUALITY_RIGHT": [len(KEY) + length],
            "CLIP_ADAPTER_LEFT": [0],
            "CLIP_ADAPTER_RIGHT": [0],
            "PLATFORM": [1],
        }
        number += 1
        total += length


if __name__ == "__main__":
    main()
