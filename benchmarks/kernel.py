"""Measures the kernel alone, in millions of bases per second, with one thread and two, for each SIMD instruction set.

    python -m benchmarks.kernel [--rounds 20] [--read 150]

Each instruction set is measured in a separate process, because numba compiles for one processor type.  The text is
reads of random bases, hashed for all three k of the profile.  The fastest round counts, in CPU time, because other
processes may slow down some of them.
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

PIECE = 1 << 20
SETS = {"SSE4.2": "sse4_2,ssse3", "AVX2": "avx2", "AVX-512": "avx512f,avx512bw,avx512dq,avx512vl"}


def main() -> None:
    """Measure each instruction set that this machine has."""
    parser = argparse.ArgumentParser(description="Measure the kernel alone.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--read", type=int, default=150, help="bases of each read")
    parser.add_argument("--here", action="store_true", help="measure in this process, for its own processor")
    options = parser.parse_args()
    if options.here:
        measure(options.rounds, options.read)
        return
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii").split()
    for title, features in SETS.items():
        if not set(features.split(",")) <= set(flags):
            print(f"{title:<10}not supported by this machine")
            continue
        with tempfile.TemporaryDirectory() as cache:
            enabled = ",".join(f"+{feature}" for feature in features.replace("_", ".").split(","))
            environment = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": enabled, "NUMBA_CACHE_DIR": cache}
            argv = [sys.executable, "-m", "benchmarks.kernel", "--here", "--rounds", str(options.rounds)]
            argv += ["--read", str(options.read)]
            out = subprocess.run(
                argv, env={**os.environ, **environment}, check=True, capture_output=True, text=True
            ).stdout
        print(f"{title:<10}{out}", end="")


def measure(rounds: int, read: int) -> None:
    """Print the speed of one thread, in CPU time, and the speed-up of two."""
    letters = np.random.default_rng(1).choice(np.frombuffer(b"ACGT", np.uint8), 4 * PIECE)
    letters[:: read + 1] = ord("N")
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

    def cpu_seconds() -> float:
        started = time.process_time()
        hash_all()
        return time.process_time() - started

    hash_all()  # compiles the loops
    cpu = min(cpu_seconds() for _ in range(rounds))
    one = min(seconds(1) for _ in range(rounds))
    two = min(seconds(2) for _ in range(rounds))
    print(f"{letters.size / cpu / 1e6:6.1f} Mbp/s; two threads are {2 * one / two:.2f} times as fast")


if __name__ == "__main__":
    main()
