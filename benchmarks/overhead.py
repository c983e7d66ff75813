"""Measures the CPU time of a run beyond hashing, in a warm process: from a proved archive to a published signature.

    python -m benchmarks.overhead [--megabases 300] [--rounds 5] [--archives DIR]

Each round hashes the archive's reads, which are decoded in between, and then runs a whole job, in turn.  The time of
the proof, which needs no more than the md5 sums and the sha256 of the file, is measured separately and subtracted.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.pipeline import SPOT, archive_of
from tests.support.builders import job_spec
from wort_cli.model.job import Progress
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.prove import prove_archive
from wort_cli.pipeline.decoding.vdb_decoder import VdbDecoder
from wort_cli.pipeline.job_spec import Method, TimeLimits
from wort_cli.pipeline.run import run_job
from wort_cli.pipeline.sketching.engine import KernelEngine
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import NEVER

SLICE_BASES = 75_000_000
"""The default setting."""


class Watcher:
    """A watcher that does nothing."""

    cancellation = NEVER

    def report(self, progress: Progress) -> None:
        """See Watcher."""


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Measure the CPU time of a run beyond hashing.")
    parser.add_argument("--megabases", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    archive = archive_of(options.megabases, options.archives)
    spots = options.megabases * 1_000_000 // SPOT
    run_once(archive)  # loads what a worker loads once
    rounds = [
        (
            *hashing_and_decoding(archive, spots),
            cpu_of(lambda: prove(archive, spots)),
            cpu_of(lambda: run_once(archive)),
        )
        for _ in range(options.rounds)
    ]
    hashing, decoding, proof, whole = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"{options.megabases} Mbp, CPU seconds: hashing {hashing:.2f}, decoding {decoding:.2f}, proof {proof:.2f}")
    print(f"whole run without the proof {whole - proof:.2f}: {(whole - proof) / hashing:.2f} times hashing")
    print("in each round: " + ", ".join(f"{(whole - proof) / hashing:.2f}" for hashing, _, proof, whole in rounds))


def cpu_of(action: Callable[[], object]) -> float:
    """Return the CPU seconds that this process takes for an action."""
    before = time.process_time()
    action()
    return time.process_time() - before


def hashing_and_decoding(archive: Path, spots: int) -> tuple[float, float]:
    """Return the CPU seconds of the kernel, and of the decoder that provides its texts."""
    engine, hashing, begin = KernelEngine(SRA_V1), 0.0, time.process_time()
    for text in VdbDecoder(archive, spots, Slice(1, spots)).texts(NEVER):
        before = time.process_time()
        engine.hash_text(text)
        hashing += time.process_time() - before
    return hashing, time.process_time() - begin - hashing


def prove(path: Path, spots: int) -> None:
    """Prove an archive, as a job does."""
    with tempfile.TemporaryDirectory() as name, ToolGroup(Path(name), NEVER, lambda _: None) as tools:
        prove_archive(Archive(str(path), path, spots, spots * SPOT, path.stat().st_size), tools, 600.0)


def run_once(archive: Path) -> None:
    """Run a job.  Raises AssertionError if it fails."""
    with tempfile.TemporaryDirectory() as name:
        method = Method("kernel", "auto", SLICE_BASES)
        spec = replace(job_spec(Path(name), archive), method=method, time_limits=TimeLimits(600.0, 600.0))
        result = run_job(spec, Watcher())
        if result.published is None:
            raise AssertionError(result.failure)


if __name__ == "__main__":
    main()
