"""Measures workers on other hosts: `python -m benchmarks.workers`.

- Two hosts beside one: 40 runs of 30 Mbp, each worker with one job, one thread and one core of its own.
- The coordinator's CPU seconds for each job.
- What 64 idle workers cost the queue's server.  They are threads that do what `Relay` does: a beat and the board every
  five seconds, and a wait for an order.

Everything runs in namespaces of its own, so that no server and no process is left when the benchmark is interrupted.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tests.support.archives import make_paired
from tests.support.contained import is_contained, run_contained
from tests.support.homes import Home
from tests.support.queue_servers import PASSWORD, SERVERS, QueueServer
from tests.support.worker_hosts import Cluster
from wort_cli.daemon.remote.relay import BEAT_IDLE
from wort_cli.daemon.remote.remote_queue import PASSWORD_VARIABLE, RemoteQueue
from wort_cli.daemon.remote.wire import Beat, Board
from wort_cli.system.process_identity import own_identity

SPOTS = 100_000
"""The number of spots, of two reads of 150 bases: 30 Mbp."""


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that run."""
    total = own_cpu_seconds(pid)
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
            total += own_cpu_seconds(int(entry.name)) if words and int(words[1]) == pid else 0.0
        except OSError:
            continue
    return total


def own_cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of the main thread of a process, which the kernel counts in nanoseconds."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


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


def compute(server: QueueServer, archive: Path, hosts: int, runs: int) -> dict[str, float]:
    """Run jobs on some hosts; return the wall seconds, and the coordinator's CPU seconds for each job."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        home = Home(Path(directory) / "coordinator")
        home.env |= {"WORT_ACCEPT_UNPROVED": "true"}
        cluster = Cluster(home, server, Path(directory))
        stack.callback(home.end)
        stack.callback(cluster.end)
        for number in range(hosts):
            host = cluster.add(WORT_THREADS="1", WORT_DOWNLOAD="columns")
            if len(os.sched_getaffinity(0)) > number:
                host.home.env["WORT_JOBS"] = "1"
        names = [f"SRR{3_000_001 + i}" for i in range(runs)]
        for name in names:
            cluster.keep(name, archive)
        cluster.start()
        cluster.until_known(hosts)
        home("compute", names[0], "--wait").expect(0)  # the loops are compiled, and the processes are warm
        pid = home.daemon_pid()
        before, started = own_cpu_seconds(pid), time.monotonic()
        home("compute", *names[1:], "--wait", timeout=3600).expect(0)
        wall = time.monotonic() - started
        return {"seconds": round(wall, 2), "coordinator_ms": round(1000 * (own_cpu_seconds(pid) - before) / runs, 2)}


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--queue", choices=sorted(SERVERS), action="append")
    arguments = parser.parse_args()
    if not is_contained():
        with tempfile.TemporaryDirectory(prefix="wort-workers-") as scratch:
            sys.exit(run_contained("benchmarks.workers", sys.argv[1:], Path(scratch)))
    os.environ[PASSWORD_VARIABLE] = PASSWORD
    for kind in arguments.queue or sorted(SERVERS):
        with tempfile.TemporaryDirectory() as directory, SERVERS[kind](Path(directory) / "server") as server:
            figures: dict[str, object] = {"queue": kind}
            if arguments.workers:
                figures["idle_share_of_a_core"] = round(idle(server, arguments.workers, arguments.seconds), 4)
                server.lose_everything()
            if arguments.runs:
                archive = Path(directory) / "archive.sra"
                make_paired(archive, spots=SPOTS)
                one, two = (compute(server, archive, hosts, arguments.runs) for hosts in (1, 2))
                figures |= {"one": one, "two": two, "speedup": round(one["seconds"] / two["seconds"], 2)}
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
