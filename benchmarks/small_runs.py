"""Measures a daemon with many small runs on disk: runs a second, and the CPU time of a run beyond decoding and hashing.

    python -m benchmarks.small_runs [N] [--megabases 3] [--jobs 2] [--reference 5] [--archives DIR]

All runs have the same archive, under N accessions, with the toolkit's own tools.  The benchmark measures the CPU time
of the daemon, its workers and the tools, and that of decoding and hashing the archive alone, in this process.  Then it
times the reference pipeline with some of the runs, as many at once as the daemon has jobs, and compares signatures.
"""

import argparse
import gzip
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.tiny_jobs import BIN, Cost, children, cost, daemon_of, ended
from tests.support.archives import make_paired, reference_signature
from tests.support.tiny_runs import names
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline.decoding.vdb_decoder import VdbDecoder
from wort_cli.pipeline.sketching.engine import KernelEngine
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import NEVER

SPOT = 300
"""Bases of a spot."""
SAMPLE = 0.2
"""Seconds between looks at the ledger."""


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Run many small runs in a daemon.")
    parser.add_argument("number", type=int, nargs="?", default=1000)
    parser.add_argument("--megabases", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--reference", type=int, default=5, help="runs of the reference pipeline")
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    archive = small_archive(options.archives, options.megabases)
    with tempfile.TemporaryDirectory(prefix="wort-small-") as name:
        work = Path(name)
        signature = run_daemon(work, archive, options.number, options.jobs)
        alone = bare_cost(archive)
        print(f"decoding and hashing alone: {1000 * alone:.0f} ms of CPU time for a run")
        if options.reference:
            run_reference(work, archive, options.reference, options.jobs, signature)


def small_archive(directory: Path, megabases: int) -> Path:
    """Return an archive of so many megabases, which is made if an earlier benchmark has not made it."""
    path = directory / f"small-{megabases}.sra"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        make_paired(path, spots=megabases * 1_000_000 // SPOT)
    return path


def run_daemon(work: Path, archive: Path, number: int, jobs: int) -> bytes:
    """Run `number` jobs with a daemon whose home is in `work`, and print its figures; return one signature."""
    runs = names(number + jobs)
    (work / "archives").mkdir()
    for run in runs:
        (work / "archives" / f"{run}.sra").symlink_to(archive.absolute())
    env = {
        **os.environ,
        "HOME": str(work),
        "WORT_HOME": str(work / "home"),
        "WORT_JOBS": str(jobs),
        "WORT_THREADS": "1",
        "WORT_ARCHIVES": str(work / "archives"),
        "WORT_LOCATOR_URL": "off",
    }

    def wort(*words: str, stdin: str = "") -> None:
        subprocess.run([BIN / "wort", *words], env=env, check=True, input=stdin, text=True, stdout=subprocess.DEVNULL)

    wort("daemon", "start")
    try:
        wort("compute", "-", "--wait", stdin="\n".join(runs[:jobs]))  # the first jobs load what a worker needs once
        daemon = daemon_of(env)
        members = [daemon, *children(daemon)]
        before = {pid: cost(pid) for pid in members}
        wort("compute", "-", stdin="\n".join(runs[jobs:]))
        started = time.monotonic()
        while ended(work) < number + jobs:
            time.sleep(SAMPLE)
        seconds = time.monotonic() - started
        after = {pid: cost(pid) for pid in members}
        done = ended(work, "done") - jobs
    finally:
        wort("daemon", "stop")
    print(f"{done} of {number} runs done in {seconds:.1f} s: {number / seconds:.1f} a second")
    own, workers, tools = (1000 * seconds / number for seconds in split(before, after, daemon))
    print(f"CPU time of a run: daemon {own:.1f} ms, worker {workers:.1f} ms, tools {tools:.1f} ms")
    signature = work / "home" / "signatures" / "sigs" / runs[-1][:6] / f"{runs[-1]}.sig"
    return gzip.decompress(signature.read_bytes())


def split(before: dict[int, Cost], after: dict[int, Cost], daemon: int) -> tuple[float, float, float]:
    """Return the CPU seconds of the daemon, of its workers, and of the tools that they ran."""
    workers = [pid for pid in before if pid != daemon]
    return (
        after[daemon].own - before[daemon].own,
        sum(after[pid].own - before[pid].own for pid in workers),
        sum(after[pid].children - before[pid].children for pid in workers),
    )


def bare_cost(archive: Path, times: int = 10) -> float:
    """Return the CPU seconds of decoding and hashing an archive in this process, once everything is loaded."""
    spots = int(subprocess.run(
        ["vdb-dump", "--id_range", str(archive)], check=True, capture_output=True, text=True
    ).stdout.replace(",", "").split()[-1])  # fmt: skip
    engine = KernelEngine(SRA_V1)

    def sketch() -> None:
        for text in VdbDecoder(archive, spots, Slice(1, spots)).texts(NEVER):
            engine.hash_text(text)

    sketch()
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(times):
        sketch()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / times


def run_reference(work: Path, archive: Path, number: int, jobs: int, expected: bytes) -> None:
    """Run the reference pipeline `number` times, and print its figures.  Raises SystemExit if a signature differs."""
    name = names(1)[0]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        files = list(pool.map(lambda n: reference_signature(archive, name, work / f"{n}.sig"), range(number)))
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"reference: {number / seconds:.2f} a second, {1000 * cpu / number:.0f} ms of CPU time for a run")
    last = expected[expected.index(b'"name":"') :][8:18].rstrip(b'"')
    if any(gunzipped(file).replace(name.encode(), last) != expected for file in files):
        sys.exit("the signatures differ")


def gunzipped(file: Path) -> bytes:
    """Return the content of a file, which may be compressed."""
    data = file.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


if __name__ == "__main__":
    main()
