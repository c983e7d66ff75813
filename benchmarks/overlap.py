"""Computes 20 runs that are only named in a daemon, over a link whose rate all connections share.

    python -m benchmarks.overlap [--runs 20] [--latency 0.05] [--rate 40] [--ahead N ...] [--archives DIR]

The runs have 30 to 300 Mbp.  Measures the wall time of the daemon for each number of jobs that are fetched ahead, and
for the same runs from disk.  Compares it with the time that the link needs for the bytes, and with the CPU seconds of
the daemon and all of its processes, divided by the cores.
"""

import argparse
import contextlib
import gzip
import mmap
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.ending import end_on_sigterm
from benchmarks.served import answer_until_closed, archive_with_qualities
from tests.support.archive_server import ArchiveServer

WORT = Path(sys.executable).with_name("wort")
MEGABASES = (30, 60, 95, 140, 200, 260, 300)
"""The archives from which the runs are drawn."""


@dataclass(frozen=True)
class Measured:
    """The time and traffic of computing all runs."""

    wall: float
    span: float
    """Seconds from the start of the first job to the end of the last one."""
    cpu: float
    sent: int
    server_cpu: float
    signatures: dict[str, bytes]


def serve(files: dict[str, Path], latency: float, rate: float, pipe: Connection) -> None:
    """Serve archives until the other end of the pipe is closed.

    Answers each message with the bytes sent so far, and the CPU seconds of this process.
    """
    with contextlib.ExitStack() as stack:
        mapped = {}
        for path in set(files.values()):
            file = stack.enter_context(path.open("rb"))
            mapped[path] = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        server = ArchiveServer({run: mapped[path] for run, path in files.items()}, latency=latency, total_rate=rate)  # type: ignore[misc]
        for run in files:
            server.described(run)  # computes the md5 that every answer has
        with server.serving():
            pipe.send(server.url)
            answer_until_closed(pipe, lambda: (server.sent, time.process_time()))


@contextlib.contextmanager
def serving(files: dict[str, Path], latency: float, rate: float) -> Iterator[tuple[str, Connection]]:
    """Serve archives from another process; yield the URL, and a pipe that answers with the bytes sent so far."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(files, latency, rate, theirs), daemon=True
    )
    server.start()
    theirs.close()
    try:
        yield ours.recv(), ours
    finally:
        ours.close()
        server.join(5)


def draw_sizes(number: int, seed: int, megabases: Sequence[int] = MEGABASES) -> list[int]:
    """Return the lengths of runs in megabases; the first and the last of the lengths occur."""
    rng = random.Random(seed)
    sizes = [megabases[0], megabases[-1], *(rng.choice(megabases) for _ in range(number - 2))]
    rng.shuffle(sizes)
    return sizes


def make_runs(sizes: Sequence[int], archives: Path) -> dict[str, Path]:
    """Return the archive of each run."""
    made = {size: archive_with_qualities(archives, size) for size in set(sizes)}
    print(f"{len(sizes)} runs of {sum(sizes):,} Mbp in all: {' '.join(map(str, sizes))}")
    return {f"SRR{n:06d}": made[size] for n, size in enumerate(sizes, 1)}


def measure(files: dict[str, Path], url: str, ahead: int | None, pipe: Connection) -> Measured:
    """Compute all runs in a new home, by a daemon; from disk if `ahead` is None."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "archives").mkdir()
        environment = {
            **os.environ,
            "HOME": name,
            "WORT_HOME": str(home / "wort"),
            "WORT_LOCATOR_URL": f"{url}/sdl/2/retrieve",
            "WORT_MIRRORS": "off",
        }
        if ahead is None:
            for run, path in files.items():
                (home / "archives" / f"{run}.sra").symlink_to(path)
            environment["WORT_ARCHIVES"] = str(home / "archives")
        else:
            environment["WORT_FETCH_AHEAD"] = str(ahead)
        argv = [str(WORT), "compute", *files]
        subprocess.run(argv, check=True, env=environment, capture_output=True)
        sent, server_cpu = ask(pipe)
        started = time.monotonic()
        daemon = subprocess.Popen([str(WORT), "daemon", "start", "--foreground", "--quiet"], env=environment)
        try:
            while count_live_jobs(home / "wort" / "ledger.db"):
                time.sleep(0.1)
            wall = time.monotonic() - started
        finally:
            daemon.send_signal(signal.SIGTERM)
            _, _, usage = os.wait4(daemon.pid, 0)
            daemon.returncode = 0
        found = {path.stem: gzip.decompress(path.read_bytes()) for path in (home / "wort").rglob("SRR*.sig")}
        assert sorted(found) == sorted(files), "a signature is missing"
        sent_now, server_cpu_now = ask(pipe)
        cpu = usage.ru_utime + usage.ru_stime
        return Measured(
            wall, span_of(home / "wort" / "ledger.db"), cpu, sent_now - sent, server_cpu_now - server_cpu, found
        )


def count_live_jobs(ledger: Path) -> int:
    """Return the number of jobs that have not ended."""
    with contextlib.closing(sqlite3.connect(ledger, timeout=60)) as connection:
        (number,) = connection.execute(
            "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running', 'waiting')"
        ).fetchone()
        return int(number)


def span_of(ledger: Path) -> float:
    """Return the seconds from the start of the first job to the end of the last one."""
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        (seconds,) = connection.execute("SELECT max(ended_at) - min(started_at) FROM jobs").fetchone()
        return float(seconds)


def ask(pipe: Connection) -> tuple[int, float]:
    """Return the bytes that the server has sent so far, and its CPU seconds."""
    pipe.send(None)
    sent, cpu = pipe.recv()
    return int(sent), float(cpu)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Compute runs that are only named, over a link of limited rate.")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--rate", type=float, default=40.0, help="megabytes per second of all connections together")
    parser.add_argument("--ahead", type=int, nargs="*", default=[2, 0], help="values of the setting fetch_ahead")
    parser.add_argument("--archives", type=Path, default=Path(tempfile.gettempdir()) / "wort-bench")
    options = parser.parse_args()
    end_on_sigterm()
    files = make_runs(draw_sizes(options.runs, options.seed), options.archives)
    cores = len(os.sched_getaffinity(0))
    with serving(files, options.latency, options.rate * 1e6) as (url, pipe):
        disk = measure(files, url, None, pipe)
        share = disk.cpu / cores
        print(f"from disk        wall {disk.wall:6.1f} s, CPU {disk.cpu:6.1f} s, on {cores} cores {share:6.1f} s")
        for ahead in options.ahead:
            found = measure(files, url, ahead, pipe)
            assert found.signatures == disk.signatures, "the signatures differ"
            transfer = found.sent / options.rate / 1e6
            least = max(transfer, found.cpu / cores)
            print(
                f"fetch_ahead = {ahead}  wall {found.wall:6.1f} s, CPU {found.cpu:6.1f} s, on {cores} cores "
                f"{found.cpu / cores:6.1f} s, {found.sent / 1e6:.0f} MB in at least {transfer:.1f} s; "
                f"wall / larger of both {found.wall / least:.2f}, wall / from disk {found.wall / disk.wall:.2f}; "
                f"the server used {found.server_cpu:.1f} CPU s",
                flush=True,
            )


if __name__ == "__main__":
    main()
