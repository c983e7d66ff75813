"""Measures workers on other hosts: `python -m benchmarks.workers` (`make bench-workers`), in some seven minutes.

For PostgreSQL and for Redis, it prints a row of the table in docs/performance.md:

- two hosts beside one: `--runs` runs of 30 Mbp.  Each worker has one job, one thread, and one core, to which its
  processes are pinned.  The coordinator, the server and this process may use any core.
- the coordinator's CPU time for each job, with these runs and two hosts, and with `--small` runs of 0.3 Mbp.  This is
  the time of the daemon's process with all that it does: the ledger, its side of the queue, and for the small runs,
  whose signatures come through the queue, their checks and the local store.  The signatures of the others are in a
  bucket (a shared directory).  The processes of the server have a column of their own.
- what 64 idle workers cost the queue's server.  They are threads that do what `Relay` does: a beat and the board every
  five seconds, and a wait for an order.

Everything runs in namespaces of its own, so that no server and no process is left when the benchmark is interrupted.
"""

import argparse
import contextlib
import os
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import descendants
from tests.support.archives import make_paired
from tests.support.contained import is_contained, run_contained
from tests.support.homes import Home
from tests.support.queue_servers import PASSWORD, SERVERS, QueueServer
from tests.support.worker_hosts import Cluster
from wort_cli.daemon.remote.relay import BEAT_IDLE
from wort_cli.daemon.remote.remote_queue import PASSWORD_VARIABLE, RemoteQueue
from wort_cli.daemon.remote.wire import Beat, Board
from wort_cli.system.process_identity import own_identity

SPOTS, FEW_SPOTS = 100_000, 1_000
"""Numbers of spots, of two reads of 150 bases: 30 Mbp, and 0.3 Mbp."""
LOOK = 0.1
"""Seconds between looks at the ledger."""


@dataclass(frozen=True)
class Computed:
    """The figures of some jobs: wall seconds, and milliseconds of CPU time for each job."""

    seconds: float
    coordinator: float
    server: float


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that run."""
    return sum(own_cpu_seconds(each) for each in (pid, *descendants(pid)))


def own_cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process without its children, by the kernel's nanoseconds; 0 if it has ended."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # it has ended
            total += int(thread.read_text().split()[0])
    return total / 1e9


def idle(server: QueueServer, workers: int, seconds: float) -> float:
    """Return the share of a core that idle workers cost the server."""
    ended = threading.Event()

    def work(number: int) -> None:
        queue = RemoteQueue(server.url)
        beat = Beat(f"w{number}", f"w{number}", "host", own_identity(), 0, "home", 1, 1)
        while not ended.is_set():
            queue.beat(beat.worker, beat.pack())
            queue.board()
            queue.take(BEAT_IDLE)
        queue.close()

    first = RemoteQueue(server.url)
    first.put_board(Board("home", 1).pack())
    threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(workers)]
    for thread in threads:
        thread.start()
    time.sleep(2 * BEAT_IDLE)
    before = cpu_seconds(server.pid)
    time.sleep(seconds)
    used = (cpu_seconds(server.pid) - before) / seconds
    ended.set()
    for thread in threads:
        thread.join()
    first.close()
    return used


def compute(server: QueueServer, archive: Path, hosts: int, runs: int, *, bucket: bool) -> Computed:
    """Run jobs on some hosts, each pinned to a core; the signatures go into a bucket, or through the queue."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        home = Home(Path(directory) / "coordinator")
        home.env |= {"WORT_ACCEPT_UNPROVED": "true", "WORT_PUBLISH_UNPROVED": "true"}
        shared = {"WORT_S3_BUCKET": f"file://{directory}/bucket"} if bucket else {}
        (Path(directory) / "bucket").mkdir()
        home.env |= shared
        cluster = Cluster(home, server, Path(directory))
        stack.callback(home.end)
        stack.callback(cluster.end)
        cores = sorted(os.sched_getaffinity(0))
        for number in range(hosts):
            host = cluster.add(WORT_THREADS="1", WORT_DOWNLOAD="columns", **shared)
            host.before = ("taskset", "--cpu-list", str(cores[number % len(cores)]))
        names = [f"SRR{3_000_001 + i}" for i in range(runs + 4 * hosts)]
        for name in names:
            cluster.keep(name, archive)
        cluster.start()
        cluster.until_known(hosts)
        warm, names = names[:-runs], names[-runs:]
        home("compute", *warm, "--wait").expect(0)  # the loops are compiled, and all processes are warm
        pids = home.daemon_pid(), server.pid
        before, started = [cpu_seconds(pids[1]), own_cpu_seconds(pids[0])], time.monotonic()
        home("compute", *names).expect(0)
        while done(home) < len(warm) + runs:
            time.sleep(LOOK)
        seconds = time.monotonic() - started
        used = cpu_seconds(pids[1]) - before[0], own_cpu_seconds(pids[0]) - before[1]
        return Computed(seconds, 1000 * used[1] / runs, 1000 * used[0] / runs)


def done(home: Home) -> int:
    """Return how many jobs are done.  Raises SystemExit if one has failed."""
    with contextlib.closing(sqlite3.connect(home.path / "ledger.db", timeout=60)) as connection:
        states = dict(connection.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())
    if set(states) - {"queued", "running", "done"}:
        sys.exit(f"jobs have failed: {states}")
    return int(states.get("done", 0))


def main() -> None:
    """Measure, and print the rows of the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40, help="runs of 30 Mbp; 0 to leave them out")
    parser.add_argument("--small", type=int, default=200, help="runs of 0.3 Mbp; 0 to leave them out")
    parser.add_argument("--bucket", action="store_true", help="put the signatures of the small runs into a bucket too")
    parser.add_argument("--workers", type=int, default=64, help="idle workers; 0 to leave them out")
    parser.add_argument("--seconds", type=float, default=40, help="for which they are watched")
    parser.add_argument("--queue", choices=sorted(SERVERS), action="append")
    arguments = parser.parse_args()
    if not is_contained():
        with tempfile.TemporaryDirectory(prefix="wort-workers-") as scratch:
            sys.exit(run_contained("benchmarks.workers", sys.argv[1:], Path(scratch)))
    os.environ[PASSWORD_VARIABLE] = PASSWORD
    print(
        "| queue | one host, s | two hosts, s | times as fast | 30 Mbp: coordinator, ms a job | server | "
        "0.3 Mbp: coordinator, ms a job | server | idle workers: server, % of a core |\n|" + " --- |" * 9
    )
    for kind in arguments.queue or sorted(SERVERS):
        with tempfile.TemporaryDirectory() as directory, SERVERS[kind](Path(directory) / "server") as server:
            cells = [kind]
            large, small = Path(directory) / "large.sra", Path(directory) / "small.sra"
            if arguments.runs:
                make_paired(large, spots=SPOTS)
                one, two = (compute(server, large, hosts, arguments.runs, bucket=True) for hosts in (1, 2))
                cells += [f"{one.seconds:.1f}", f"{two.seconds:.1f}", f"{one.seconds / two.seconds:.2f}"]
                cells += [f"{two.coordinator:.1f}", f"{two.server:.1f}"]
            if arguments.small:
                make_paired(small, spots=FEW_SPOTS)
                few = compute(server, small, 2, arguments.small, bucket=arguments.bucket)
                cells += [f"{few.coordinator:.1f}", f"{few.server:.1f}"]
            if arguments.workers:
                server.lose_everything()
                cells += [f"{100 * idle(server, arguments.workers, arguments.seconds):.2f}"]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
