"""Measures the daemon with thousands of jobs of one read each: its CPU time for a job, and whether it grows.

    python -m benchmarks.tiny_jobs [N] [--jobs 2] [--most 30]

The tools of the SRA toolkit are small scripts (tests/support/tiny_runs.py), so that almost all CPU time is that of
wort.  The benchmark measures the CPU time of the daemon, its workers (both from /proc/PID/stat), the guards and the
tools, and samples memory, file descriptors, threads and processes.

Exits with code 1 if a job is not done, if wort takes more than --most milliseconds of CPU time for a job, or if
anything grows.
"""

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import PAGE, descendants
from tests.support.tiny_runs import environment, names
from wort_cli.pipeline.toolkit import guard

BIN = Path(sys.executable).parent
SAMPLE = 1.0
"""Seconds between samples."""
TICKS = os.sysconf("SC_CLK_TCK")
GROWTH = 0.05
"""Memory in the last quarter of the time may exceed that in the second quarter by this share."""


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a process itself, and of those of its children that have ended."""

    own: float
    children: float


@dataclass(frozen=True)
class Sample:
    """Resources of the daemon and its workers at one moment."""

    done: int
    rss: int
    fds: int
    threads: int
    processes: int
    """The daemon and its long-lived children, without tools."""


@dataclass(frozen=True)
class Outcome:
    """The figures of a run of the benchmark.  CPU times are in milliseconds per job."""

    jobs: int
    done: int
    seconds: float
    daemon: float
    workers: float
    guards: float
    tools: float
    samples: tuple[Sample, ...]

    @property
    def own(self) -> float:
        """CPU time of wort: of the daemon, its workers and the guards, without tools."""
        return self.daemon + self.workers + self.guards

    def growth(self) -> dict[str, tuple[float, float]]:
        """Return each resource in the second quarter of the time, and in the last quarter.

        For memory, this is the median.  For the others it is the minimum, which is the state between two jobs: tools
        raise the other samples for a short time, but a leak raises the minimum too.
        """
        quarter = max(1, len(self.samples) // 4)
        early, late = self.samples[quarter : 2 * quarter] or self.samples, self.samples[-quarter:]

        def compare(of: Callable[[Sample], int], measure: Callable[[Iterable[int]], float]) -> tuple[float, float]:
            return measure(map(of, early)), measure(map(of, late))

        return {
            "memory": compare(lambda sample: sample.rss, statistics.median),
            "file descriptors": compare(lambda sample: sample.fds, min),
            "threads": compare(lambda sample: sample.threads, min),
            "processes": compare(lambda sample: sample.processes, min),
        }

    def grown(self) -> list[str]:
        """Return a sentence for each resource that grew: memory by more than GROWTH, the others at all."""
        return [
            f"{what} grew from {before:,.0f} to {after:,.0f}"
            for what, (before, after) in self.growth().items()
            if after > before * (1 + GROWTH if what == "memory" else 1)
        ]


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Run many jobs of one read each.")
    parser.add_argument("number", type=int, nargs="?", default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--most", type=float, default=30.0, help="allowed milliseconds of CPU time per job")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wort-tiny-") as name:
        outcome = run(Path(name), options.number, options.jobs, progress=True)
    show(outcome)
    if outcome.done < outcome.jobs or outcome.own > options.most or outcome.grown():
        sys.exit(1)


def show(outcome: Outcome) -> None:
    """Print the figures."""
    print(f"{outcome.done:,} of {outcome.jobs:,} jobs done in {outcome.seconds:.0f} s")
    print(
        f"CPU per job: {outcome.own:.1f} ms (daemon {outcome.daemon:.1f}, workers {outcome.workers:.1f}, "
        f"guards {outcome.guards:.1f}); tools {outcome.tools:.1f} ms"
    )
    for what, (before, after) in outcome.growth().items():
        unit, scale = (" MB", 1e6) if what == "memory" else ("", 1.0)
        print(f"{what}: {before / scale:,.1f}{unit} early, {after / scale:,.1f}{unit} late")
    for sentence in outcome.grown():
        print(f"GROWTH: {sentence}")


def run(work: Path, number: int, jobs: int = 2, *, progress: bool = False) -> Outcome:
    """Run `number` jobs with a daemon whose home is in `work`."""
    env = {**os.environ, **environment(work), "WORT_JOBS": str(jobs)}
    runs = names(number + jobs)

    def wort(*words: str, stdin: str = "") -> None:
        subprocess.run([BIN / "wort", *words], env=env, check=True, input=stdin, text=True, stdout=subprocess.DEVNULL)

    wort("daemon", "start")
    try:
        # The first jobs load what every worker needs once.  That time does not count, because a daemon runs for months.
        wort("compute", "-", "--wait", stdin="\n".join(runs[:jobs]))
        daemon = daemon_of(env)
        wort("compute", "-", stdin="\n".join(runs[jobs:]))
        started = time.monotonic()
        members = [daemon, *children(daemon)]
        before_all = {pid: cost(pid) for pid in members}
        samples = []
        while (done := ended(work)) < number + jobs:
            samples.append(sample(members, daemon, done - jobs))
            if progress and len(samples) % 30 == 0:
                print(f"{done:,} done, {samples[-1]}", file=sys.stderr)
            time.sleep(SAMPLE)
        after_all = {pid: cost(pid) for pid in members}
        seconds = time.monotonic() - started
        samples.append(sample(members, daemon, done - jobs))
    finally:
        wort("daemon", "stop")

    guards = guard_cost()

    def milliseconds(pids: list[int], of: Callable[[Cost], float]) -> float:
        return 1000 * sum(of(after_all[pid]) - of(before_all[pid]) for pid in pids) / number

    return Outcome(
        jobs=number,
        done=ended(work, "done") - jobs,
        seconds=seconds,
        daemon=milliseconds([daemon], lambda c: c.own),
        workers=milliseconds(members[1:], lambda c: c.own),
        guards=guards,
        tools=milliseconds(members[1:], lambda c: c.children) - guards,
        samples=tuple(samples),
    )


def guard_cost(times: int = 50) -> float:
    """Return the milliseconds of CPU time of a guard process.  Each job has one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(times):
        with subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guard.__file__))], stdin=subprocess.PIPE, process_group=0
        ):
            pass  # this closes the pipe, and the guard exits
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / times


def daemon_of(env: dict[str, str]) -> int:
    """Return the process id of the daemon."""
    out = subprocess.run(
        [BIN / "wort", "daemon", "status", "--json"], env=env, check=True, capture_output=True, text=True
    )
    return int(json.loads(out.stdout)["pid"])


def ended(work: Path, *states: str) -> int:
    """Return the number of jobs in one of the given states.  The default are all final states."""
    states = states or ("done", "failed", "unavailable", "cancelled")
    with closing(sqlite3.connect(work / "home" / "ledger.db", timeout=60)) as connection:
        marks = ", ".join("?" for _ in states)
        row = connection.execute(f"SELECT count(*) FROM jobs WHERE state IN ({marks})", states).fetchone()
    return int(row[0])


def children(pid: int) -> list[int]:
    """Return the running children of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cost(pid: int) -> Cost:
    """Return the CPU time of a process so far (proc(5): utime, stime, cutime, cstime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, child_user, child_system = (int(field) for field in fields[11:15])
    return Cost((user + system) / TICKS, (child_user + child_system) / TICKS)


def sample(members: list[int], daemon: int, done: int) -> Sample:
    """Sample the resources of the daemon and its workers.  Raises FileNotFoundError if a worker has ended."""
    rss = fds = threads = 0
    for pid in members:
        proc = Path(f"/proc/{pid}")
        rss += int((proc / "statm").read_text().split()[1]) * PAGE
        fds += len(list((proc / "fd").iterdir()))
        threads += len(list((proc / "task").iterdir()))
    workers = [pid for pid in descendants(daemon) if pid in members]
    return Sample(done, rss, fds, threads, 1 + len(workers))


if __name__ == "__main__":
    main()
