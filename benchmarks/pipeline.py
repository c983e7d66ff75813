"""Compares wort with the reference pipeline on simulated runs, alternating between both.

    python -m benchmarks.pipeline [--sizes 30 300 1200] [--rounds 3] [--archives DIR] [--json FILE] [--report DIR]

Every run is a new process.  Raises AssertionError if the two signatures differ in a byte.  The archives are made once,
in --archives.  The machine should be otherwise idle.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.chart import picture
from benchmarks.measure import Figures, compile_bytecode, measure, run_one, run_pipe
from benchmarks.stages import stages
from tests.support.archives import make_paired
from wort_cli.model.profile import SRA_V1

BIN = Path(sys.executable).parent
SPOT = 300
"""Bases in a spot: 2 x 150."""


def main() -> None:
    """Measure, print the figures, and write the reports."""
    parser = argparse.ArgumentParser(description="Compare wort with the reference pipeline.")
    parser.add_argument("--sizes", type=int, nargs="+", default=[30, 300, 1200], help="sizes of the runs in Mbp")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--report", type=Path, help="write performance.json and performance.svg to this directory")
    options = parser.parse_args()
    results: dict[int, dict[str, list[Figures]]] = {}
    shares: dict[int, dict[str, float]] = {}
    for megabases in options.sizes:
        archive = archive_of(megabases, options.archives)
        results[megabases] = compare(archive, options.rounds)
        show(megabases, results[megabases])
        shares[megabases] = stages(archive, megabases * 1_000_000 // SPOT)
        print("  CPU seconds by stage: " + ", ".join(f"{stage} {s:.2f}" for stage, s in shares[megabases].items()))
    figures = {m: {who: [asdict(f) for f in runs] for who, runs in r.items()} for m, r in results.items()}
    document = json.dumps({"figures": figures, "stages": shares}, indent=1) + "\n"
    if options.json:
        options.json.write_text(document)
    if options.report:
        (options.report / "performance.json").write_text(document)
        (options.report / "performance.svg").write_text(picture(results))


def archive_of(megabases: int, directory: Path) -> Path:
    """Return the archive of a simulated metagenome with that many bases and a coverage of ten.  Make it if missing."""
    archive = directory / f"SRR{megabases:06d}.sra"
    if not archive.exists():
        print(f"making {archive}", file=sys.stderr)
        directory.mkdir(parents=True, exist_ok=True)
        make_paired(archive, spots=megabases * 1_000_000 // SPOT, genome=megabases * 100_000)
    return archive


def compare(archive: Path, rounds: int) -> dict[str, list[Figures]]:
    """Return the figures of both for each round.  Raises AssertionError if the signatures differ."""
    figures: dict[str, list[Figures]] = {"reference": [], "wort": []}
    compile_bytecode()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        expected, got = work / "reference.sig", work / "wort.sig"
        decode = ["fastq-dump", *SRA_V1.decode_flags, str(archive)]
        sketch = [str(BIN / "sourmash"), *SRA_V1.sourmash_arguments(), "--name", archive.stem, "-o", str(expected), "-"]
        compute = [str(BIN / "wort"), "compute", str(archive), "--now", "-o", str(got)]
        for _ in range(rounds):
            figures["reference"].append(measure(lambda: run_pipe(decode, sketch, work)))
            figures["wort"].append(measure(lambda: run_one(compute, {"WORT_HOME": str(work / "home")}, work)))
            if got.read_bytes() != expected.read_bytes():
                raise AssertionError(f"the signatures of {archive} differ")
            shutil.rmtree(work / "home")
    return figures


def show(megabases: int, figures: dict[str, list[Figures]]) -> None:
    """Print a table of medians, and the ratio of each round."""
    print(f"\n{megabases} Mbp          wall s    CPU s   RSS MB   (medians)")
    for who, runs in figures.items():
        wall, cpu, rss = (statistics.median(getattr(run, field) for run in runs) for field in ("wall", "cpu", "rss"))
        print(f"  {who:<12}{wall:>10.1f}{cpu:>9.1f}{rss / 1e6:>9.0f}")
    pairs = list(zip(figures["reference"], figures["wort"], strict=True))
    ratios = [f"{reference.wall / wort.wall:.1f}" for reference, wort in pairs]
    print(f"  speed-up: {', '.join(ratios)}")


if __name__ == "__main__":
    main()
