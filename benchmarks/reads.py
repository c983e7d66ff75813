"""Compares `wort compute FILES --now` with `sourmash sketch dna` on compressed FASTQ, and their bytes.

    python -m benchmarks.reads [--megabases 300] [--rounds 1] [--files DIR]

Two files of simulated reads of a metagenome with a coverage of ten, with binned qualities and headers as of an Illumina
sequencer, are made once in --files.
"""

import argparse
import gzip
import shutil
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import Figures, compile_bytecode, measure, run_one
from benchmarks.pipeline import BIN, show
from wort_cli.model.profile import SRA_V1

READ = 150
BATCH = 20_000
"""Reads that are made together."""


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description="Compare wort with sourmash on compressed FASTQ.")
    parser.add_argument("--megabases", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--files", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    options.files.mkdir(parents=True, exist_ok=True)
    files = [options.files / f"reads-{options.megabases}_R{mate}.fastq.gz" for mate in (1, 2)]
    for mate, path in enumerate(files):
        if not path.exists():
            print(f"making {path}", flush=True)
            write_reads(path, options.megabases * 500_000 // READ, mate)
    show(options.megabases, compare(files, options.rounds))


def compare(files: list[Path], rounds: int) -> dict[str, list[Figures]]:
    """Return the figures of both for each round, in turn.  Raises AssertionError if the signatures differ."""
    figures: dict[str, list[Figures]] = {"reference": [], "wort": []}
    compile_bytecode()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        names = [str(path.resolve()) for path in files]
        sketch = [str(BIN / "sourmash"), *SRA_V1.sourmash_arguments(), "--name", "x", "-o", "reference.sig", *names]
        compute = [str(BIN / "wort"), "compute", *names, "--name", "x", "--now", "-o", "wort.sig"]
        for _ in range(rounds):
            figures["wort"].append(measure(lambda: run_one(compute, {"WORT_HOME": str(work / "home")}, work)))
            figures["reference"].append(measure(lambda: run_one(sketch, {}, work)))
            if (work / "wort.sig").read_bytes() != (work / "reference.sig").read_bytes():
                raise AssertionError("the signatures differ")
            shutil.rmtree(work / "home")
            (work / "wort.sig").unlink()
    return figures


def write_reads(path: Path, reads: int, mate: int) -> None:
    """Write simulated reads as FASTQ, compressed as sequencing centres do."""
    rng = np.random.default_rng(mate)
    genome = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(9).integers(0, 4, reads * READ // 5)]
    bins = np.frombuffer(b"#,:F", np.uint8)
    partial = path.with_suffix(".partial")
    with gzip.open(partial, "wb", compresslevel=5) as file:
        for first in range(0, reads, BATCH):
            number = min(BATCH, reads - first)
            starts = rng.integers(0, genome.size - READ, number)
            bases = genome[starts[:, None] + np.arange(READ)]
            qualities = bins[np.minimum(3, rng.geometric(0.06, (number, READ)) // 2)]
            lines = [
                b"@A00123:45:HXXXXDSXX:1:%d:%d:%d %d:N:0:ACGTACGT\n%s\n+\n%s\n"
                % (
                    1101 + n % 78,
                    n * 7 % 30_000,
                    n,
                    mate + 1,
                    bases[n - first].tobytes(),
                    qualities[n - first].tobytes(),
                )
                for n in range(first, first + number)
            ]
            file.write(b"".join(lines))
    partial.replace(path)


if __name__ == "__main__":
    main()
