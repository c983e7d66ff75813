"""Measures the kernel alone, in millions of bases per second, with one thread and two, for each SIMD instruction set.

    python -m benchmarks.kernel [--rounds 20]

Each instruction set is measured in a separate process, because numba compiles for one processor type.  The text is
reads of 150 random bases, hashed for all three k of the profile.  The fastest round counts, because other processes may
slow down some of them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline.sketching.hash_text import hash_text

READ = 150
PIECE = 1 << 20
SETS = {"SSE2": "sse2", "AVX2": "avx2", "AVX-512": "avx512f,avx512bw,avx512dq,avx512vl"}


def main() -> None:
    """Measure each instruction set that this machine has."""
    parser = argparse.ArgumentParser(description="Measure the kernel alone.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--here", action="store_true", help="measure in this process, for its own processor")
    options = parser.parse_args()
    if options.here:
        measure(options.rounds)
        return
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii").split()
    for title, features in SETS.items():
        if not set(features.split(",")) <= set(flags):
            print(f"{title:<10}not supported by this machine")
            continue
        with tempfile.TemporaryDirectory() as cache:
            enabled = ",".join(f"+{feature}" for feature in features.split(","))
            environment = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": enabled, "NUMBA_CACHE_DIR": cache}
            argv = [sys.executable, "-m", "benchmarks.kernel", "--here", "--rounds", str(options.rounds)]
            out = subprocess.run(
                argv, env={**os.environ, **environment}, check=True, capture_output=True, text=True
            ).stdout
        print(f"{title:<10}{out}", end="")


def measure(rounds: int) -> None:
    """Print the speed of one thread, and the speed-up of two."""
    letters = np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), 4 * PIECE)
    letters[:: READ + 1] = ord("N")
    pieces = [letters[start : start + PIECE].tobytes() for start in range(0, letters.size, PIECE)]
    ksizes, max_hash = np.array(SRA_V1.ksizes), SRA_V1.max_hash

    def hash_all() -> None:
        for piece in pieces:
            hash_text(piece, ksizes, SRA_V1.seed, max_hash)

    def seconds(threads: int) -> float:
        running = [threading.Thread(target=hash_all) for _ in range(threads)]
        started = time.perf_counter()
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        return time.perf_counter() - started

    hash_all()  # compiles the loops
    one = min(seconds(1) for _ in range(rounds))
    two = min(seconds(2) for _ in range(rounds))
    print(f"{letters.size / one / 1e6:6.1f} Mbp/s; two threads are {2 * one / two:.2f} times as fast")


if __name__ == "__main__":
    main()
