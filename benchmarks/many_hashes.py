"""Compares time and memory of wort and `sourmash sketch` for reads with many distinct hashes.

    python -m benchmarks.many_hashes [--megabases 20]

At scaled=1, every k-mer of a random genome has a hash that is kept: 20 Mbp have 20 million distinct hashes for each k,
as many as 20 Gbp have at scaled=1000.  Every base is in two reads.  Raises AssertionError if the signatures differ.
"""

import argparse
import gzip
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.measure import Figures, measure, run_one
from benchmarks.pipeline import BIN
from wort_cli.model.accession import parse_name
from wort_cli.model.profile import SRA_V1, max_hash_for_scaled
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.decoding.fastq_dump import cut_between_reads
from wort_cli.pipeline.seal import seal
from wort_cli.pipeline.sketching.compiled_fasta import CompiledFastaReader
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.hash_text import hash_text

READ = 10_000
CHUNK = 1 << 20


def main() -> None:
    """Measure both, and print the figures."""
    parser = argparse.ArgumentParser(description="Measure time and memory for many distinct hashes.")
    parser.add_argument("--megabases", type=int, default=20, help="size of the genome")
    parser.add_argument("--ours", nargs=2, type=Path, metavar=("FASTA", "SIG"), help="sketch in this process")
    options = parser.parse_args()
    if options.ours:
        sketch(*options.ours)
        return
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        fasta, expected, got = work / "reads.fa", work / "sourmash.sig", work / "wort.sig"
        write_reads(fasta, options.megabases * 1_000_000)
        parameters = ",".join([*(f"k={k}" for k in SRA_V1.ksizes), "scaled=1", "abund"])
        sourmash = [str(BIN / "sourmash"), "sketch", "dna", "-p", parameters, "--name", "x", "-o", str(expected)]
        ours = [sys.executable, "-m", "benchmarks.many_hashes", "--ours", str(fasta), str(got)]
        show("sourmash sketch", lambda: run_one([*sourmash, str(fasta)], {}, work))
        show("wort", lambda: run_one(ours, {}, Path.cwd()))
        if sketches_of(gzip.decompress(got.read_bytes())) != sketches_of(expected.read_bytes()):
            raise AssertionError("the signatures differ")


def write_reads(path: Path, bases: int) -> None:
    """Write reads that cover a random genome twice.  Neighbouring reads overlap by 100 bases."""
    genome = np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), bases).tobytes()
    with path.open("wb") as file:
        for spot, start in enumerate([*range(0, bases, READ - 100)] * 2, 1):
            file.write(b">%d.1\n%s\n" % (spot, genome[start : start + READ]))


def sketch(fasta: Path, path: Path) -> None:
    """Read, hash, count and seal, like a job of one slice."""
    reader, counts = CompiledFastaReader(), [HashCounts() for _ in SRA_V1.ksizes]
    with fasta.open("rb") as file:
        for text in cut_between_reads(map(reader.feed, iter(lambda: file.read(CHUNK), b"")), reader.finish):
            hashes = hash_text(text, SRA_V1.ksizes, SRA_V1.seed, max_hash_for_scaled(1))
            for count, new in zip(counts, hashes, strict=True):
                count.add(new)
    tables = [count.table() for count in counts]
    sketches = [
        Sketch(k, SRA_V1.seed, max_hash_for_scaled(1), *table) for k, table in zip(SRA_V1.ksizes, tables, strict=True)
    ]
    seal(parse_name("x"), sketches, path)


def sketches_of(document: bytes) -> bytes:
    """Return the sketches of a signature, without the fields before them: sourmash records a file name there."""
    return document.partition(b'"signatures":')[2]


def show(name: str, run: Callable[[], None]) -> None:
    """Measure a run, and print the figures."""
    figures: Figures = measure(run)
    print(f"{name:<18}{figures.wall:>8.1f} s wall{figures.cpu:>8.1f} s CPU{figures.rss / 1e6:>8.0f} MB")


if __name__ == "__main__":
    main()
