"""Measures merging and sealing of many distinct hashes: by default 20 million for each k, in 32 slices.

    python -m benchmarks.sealing [--millions 20] [--slices 32]

The hashes are random, and sorted in each slice, as a finished slice has them.  CPU seconds of making them are excluded.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from wort_cli.model.accession import parse_name
from wort_cli.model.profile import SRA_V1
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.seal import seal
from wort_cli.pipeline.sketching.hash_counts import HashCounts


def main() -> None:
    """Measure both stages, and print the figures."""
    parser = argparse.ArgumentParser(description="Measure merging and sealing.")
    parser.add_argument("--millions", type=float, default=20, help="distinct hashes for each k")
    parser.add_argument("--slices", type=int, default=32)
    options = parser.parse_args()
    size = int(options.millions * 1e6 / options.slices)
    counts = [HashCounts() for _ in SRA_V1.ksizes]
    merging_cpu = merging_wall = 0.0
    for part in range(options.slices):
        for k, count in zip(SRA_V1.ksizes, counts, strict=True):
            random = np.random.default_rng((part, k))
            hashes = np.unique(random.integers(1, SRA_V1.max_hash, size, dtype=np.uint64))
            abundances = random.integers(1, 4, hashes.size).astype(np.uint64)
            cpu, wall = time.process_time(), time.perf_counter()
            count.add_table(hashes, abundances)
            merging_cpu += time.process_time() - cpu
            merging_wall += time.perf_counter() - wall
    cpu, wall = time.process_time(), time.perf_counter()
    sketches = [
        Sketch(k, SRA_V1.seed, SRA_V1.max_hash, *count.table()) for k, count in zip(SRA_V1.ksizes, counts, strict=True)
    ]
    show("merging", merging_cpu + time.process_time() - cpu, merging_wall + time.perf_counter() - wall)
    del counts
    with tempfile.TemporaryDirectory() as directory:
        cpu, wall = time.process_time(), time.perf_counter()
        seal(parse_name("x"), sketches, Path(directory) / "x.sig")
        show("sealing", time.process_time() - cpu, time.perf_counter() - wall)


def show(stage: str, cpu: float, wall: float) -> None:
    """Print the figures of a stage, and the peak memory so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{stage:<10}{cpu:>7.1f} s CPU{wall:>7.1f} s wall{peak:>7.0f} MB")


if __name__ == "__main__":
    main()
