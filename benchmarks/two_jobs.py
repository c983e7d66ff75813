"""Measures the speed-up by a second worker: two jobs of one thread each, at once and one after the other.

python -m benchmarks.two_jobs [--megabases 300] [--rounds 3] [--archives DIR]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.pipeline import BIN, archive_of


def main() -> None:
    """Measure both, alternating, and print the ratios."""
    parser = argparse.ArgumentParser(description="Compare two jobs at once with one after the other.")
    parser.add_argument("--megabases", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    archive, small = (archive_of(size, options.archives) for size in (options.megabases, 30))
    for _ in range(options.rounds):
        one_by_one, at_once = (seconds(archive, small, jobs) for jobs in (1, 2))
        print(f"one by one {one_by_one:.1f} s, at once {at_once:.1f} s: {one_by_one / at_once:.2f} times as fast")


def seconds(archive: Path, small: Path, jobs: int) -> float:
    """Return the seconds that a daemon with `jobs` workers needs for two jobs, after a small job in each worker."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        runs = [work / f"SRR00000{number}.sra" for number in range(4)]
        for run, content in zip(runs, (small, small, archive, archive), strict=True):
            shutil.copy(content, run)
        environment = {"WORT_HOME": str(work / "home"), "WORT_JOBS": str(jobs), "WORT_THREADS": "1"}

        def wort(*words: object) -> None:
            argv = [str(BIN / "wort"), *map(str, words)]
            subprocess.run(argv, env={**os.environ, **environment}, check=True, stdout=sys.stderr, cwd=work)

        wort("daemon", "start")
        try:
            wort("compute", *runs[:2], "--wait")
            started = time.monotonic()
            wort("compute", *runs[2:], "--wait")
            return time.monotonic() - started
        finally:
            wort("daemon", "stop")


if __name__ == "__main__":
    main()
