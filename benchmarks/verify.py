"""Measures full and quick verification, for the real signature of a run of 300 Mbp and for gross forgeries.

    python -m benchmarks.verify [--spots N] [--times N]

Everything runs in one process that has loaded all code before, like a worker.  Full and quick verifications alternate,
so that other load on the machine affects both.
"""

import argparse
import gzip
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.support.archives import make_paired
from tests.support.forgeries import forge, multiply, relabel, sketch_archive
from wort_cli.model.accession import Accession
from wort_cli.model.job import Progress, Source
from wort_cli.model.job_result import JobResult
from wort_cli.model.verdict import Depth
from wort_cli.pipeline.job_spec import JobSpec, Method, Subject, TimeLimits
from wort_cli.pipeline.run import run_job
from wort_cli.pipeline.workspace import remove_workspace
from wort_cli.reading.strict import check_file
from wort_cli.settings import Settings, load_settings
from wort_cli.system.cancellation import NEVER

NAME = Accession("SRR000001")
THREADS = 2


class Unwatched:
    """A Watcher that ignores reports and never cancels."""

    cancellation = NEVER

    def report(self, progress: Progress) -> None:
        """See Watcher."""


def job(settings: Settings, subject: Subject | None = None) -> tuple[float, JobResult]:
    """Run a job, and return its seconds and its result."""
    spec = JobSpec(
        job_id=1,
        attempt=1,
        source=Source(NAME),
        profile="sra-v1",
        workspace=settings.workspace(1),
        store=settings.store_dir,
        log=settings.job_log(1),
        archives=settings.archives,
        threads=THREADS,
        method=Method.of(settings),
        time_limits=TimeLimits.of(settings),
        subject=subject,
    )
    started = time.monotonic()
    result = run_job(spec, Unwatched())
    seconds = time.monotonic() - started
    remove_workspace(spec.workspace)
    return seconds, result


def main() -> None:
    """Make the runs and the forgeries, verify them, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spots", type=int, default=1_000_000, help="spots of 2 x 150 bases")
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        (root / "archives").mkdir()
        archive = make_paired(root / "archives" / f"{NAME}.sra", spots=options.spots, genome=5_000_000)
        other = make_paired(root / "other.sra", spots=options.spots // 5, seed=2, genome=5_000_000)
        settings = load_settings({"WORT_HOME": scratch, "WORT_ARCHIVES": str(root / "archives")})
        settings.make_directories()
        _, made = job(settings)
        if made.published is None:
            raise SystemExit(f"the run could not be computed: {made.failure}")
        real = gzip.decompress((settings.store_dir / made.published.path).read_bytes())
        kinds: dict[str, Callable[[], bytes]] = {
            "the real one": lambda: real,
            "of another run": lambda: sketch_archive(other, NAME),
            "of half of the reads": lambda: sketch_archive(archive, NAME, spots=options.spots // 2),
            "scaled=2000, relabelled": lambda: forge(sketch_archive(archive, NAME, scaled=2000), relabel),
            "abundances times 7": lambda: forge(real, multiply(7)),
        }
        print(f"{options.spots * 300 / 1e6:.0f} Mbp, {THREADS} threads, medians of {options.times}")
        print("| signature | full, s | quick, s | quick / full | quick verdict |\n| --- | --- | --- | --- | --- |")
        for kind, make in kinds.items():
            path = root / "subject.sig"
            path.write_bytes(make())
            digest = check_file(path).document.digest
            times: dict[Depth, list[float]] = {depth: [] for depth in Depth}
            sentence = ""
            for _ in range(options.times):
                for depth in Depth:
                    seconds, result = job(settings, Subject(path, digest, depth))
                    times[depth].append(seconds)
                    if result.verdict is None:
                        raise SystemExit(f"{kind}: {result.failure}")
                    sentence = result.verdict.sentence()
            full, quick = median(times[Depth.FULL]), median(times[Depth.QUICK])
            print(f"| {kind} | {full:.2f} | {quick:.2f} | {quick / full:.3f} | {sentence} |", flush=True)


if __name__ == "__main__":
    main()
