"""The kernel alone: millions of bases hashed a second, by one thread and by two, for each set of SIMD instructions.

    python -m benchmarks.kernel [--rounds 20]

Each set is a process of its own, for numba compiles for one processor.  The text is reads of 150 random bases, the
profile's three k together; the best of some rounds counts, as the machine may have other things to do.
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
    """Measure each set that this machine has."""
    parser = argparse.ArgumentParser(description="Measure the kernel alone.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--here", action="store_true", help="in this process, as it is compiled")
    options = parser.parse_args()
    if options.here:
        measure(options.rounds)
        return
    flags = Path("/proc/cpuinfo").read_text(encoding="ascii").split()
    for title, features in SETS.items():
        if not set(features.split(",")) <= set(flags):
            print(f"{title:<10}this machine has none")
            continue
        with tempfile.TemporaryDirectory() as cache:
            wanted = ",".join(f"+{feature}" for feature in features.split(","))
            environment = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": wanted, "NUMBA_CACHE_DIR": cache}
            argv = [sys.executable, "-m", "benchmarks.kernel", "--here", "--rounds", str(options.rounds)]
            said = subprocess.run(
                argv, env={**os.environ, **environment}, check=True, capture_output=True, text=True
            ).stdout
        print(f"{title:<10}{said}", end="")


def measure(rounds: int) -> None:
    """Print the speed of one thread, and how much more two do."""
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

    hash_all()  # have it compiled
    one = min(seconds(1) for _ in range(rounds))
    two = min(seconds(2) for _ in range(rounds))
    print(f"{letters.size / one / 1e6:6.1f} Mbp/s; two threads do {2 * one / two:.2f} times as much")


if __name__ == "__main__":
    main()
