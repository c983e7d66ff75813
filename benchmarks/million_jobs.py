"""Measures the coordinator with a million queued jobs: the time of its turns, its memory, and its time to restart.

    python -m benchmarks.million_jobs [NUMBER [SECONDS]]

The ledger is made in a temporary directory with SQL that follows the ledger's own rules.  Coordinator, queue and
housekeeping are those of the daemon.  The workers are real processes, but every job ends as unavailable at once, so
that the coordinator handles as many jobs as possible.  Then the process is killed while it works, and started again.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wort_cli.daemon import workers
from wort_cli.daemon.coordinator import Coordinator
from wort_cli.daemon.housekeeping import Housekeeper
from wort_cli.daemon.queue import WorkQueue
from wort_cli.daemon.supervisor import Supervisor
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job_result import JobResult
from wort_cli.settings import load_settings

NUMBER, SECONDS = 1_000_000, 20.0
DUE = 10_000
"""Jobs whose waiting time is over when the coordinator starts."""
MAKE = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
INSERT INTO jobs (name, profile, priority, created_at)
SELECT 'SRR' || (10000000 + n), 'sra-v1', n % 7, 1.7e9 + n FROM numbers
"""
MEMBERS = "INSERT INTO group_members SELECT 'plankton', name, profile, '', id, created_at FROM jobs WHERE id % 3 = 0"


def main() -> None:
    """Make the ledger, run the coordinator, kill it, and run it again."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    with tempfile.TemporaryDirectory(prefix="wort-million-") as directory:
        home = Path(directory)
        started = time.monotonic()
        make_ledger(home / "ledger.db", number)
        size = (home / "ledger.db").stat().st_size / 1e6
        print(f"{number:,} queued jobs: made in {time.monotonic() - started:.1f} s, {size:.0f} MB", flush=True)
        for run in ("first start", "restart after SIGKILL"):
            with turning(home, seconds) as process:
                assert process.stdout is not None
                ready = json.loads(process.stdout.readline())
                figures = json.loads(process.stdout.readline())
                os.kill(process.pid, signal.SIGKILL)
            print(
                f"{run}: first job started {ready['seconds']:.2f} s after the process; in {seconds:g} s "
                f"{figures['turns']:,} turns, median {figures['median']:.1f} ms, longest {figures['longest']:.1f} ms, "
                f"{figures['jobs']:,} jobs; {figures['megabytes']:.0f} MB",
                flush=True,
            )
        for words in (("status",), ("status", "--state", "queued", "-n", "20"), ("daemon", "status")):
            started = time.monotonic()
            wort = Path(sys.executable).with_name("wort")
            subprocess.run([wort, *words], env={**os.environ, "WORT_HOME": str(home)}, capture_output=True, check=False)
            print(f"wort {' '.join(words)}: {time.monotonic() - started:.2f} s", flush=True)


def make_ledger(path: Path, number: int) -> None:
    """Make a ledger with `number` queued jobs, some of which were waiting before."""
    ledger = Ledger(path)
    connection = ledger.storage.connection
    connection.execute(MAKE, (number,))
    connection.execute(MEMBERS)
    due = min(DUE, number // 10)
    with ledger.storage.transaction():
        first = f"WHERE id <= {due}"
        connection.execute(f"UPDATE jobs SET state = 'running', owner = 'x', lease_until = 0, attempt = 1 {first}")
        connection.execute(f"UPDATE jobs SET state = 'waiting', owner = '', reason = 'network', wait_until = 1 {first}")
    ledger.close()


def turning(home: Path, seconds: float) -> "subprocess.Popen[str]":
    """Start a process that runs the coordinator, and prints its figures as JSON."""
    code = f"from benchmarks.million_jobs import turn; turn({str(home)!r}, {seconds})"
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def turn(home: str, seconds: float) -> None:
    """Run a daemon, without lock and log, for some seconds.  Print when its first job started, then all figures."""
    started = time.monotonic() - age_of_this_process()
    workers.work = no_work  # type: ignore[attr-defined]  # it is imported there, not exported
    settings = load_settings({"WORT_HOME": home, "WORT_JOBS": "4"})
    settings.make_directories()
    ledger, queue = Ledger(settings.ledger_file), WorkQueue.create(settings.queue_file)

    def close_connections() -> None:
        ledger.close()
        queue.close()

    crew = workers.Workers(queue, settings.jobs, before_fork=close_connections)
    crew.start()
    coordinator = Coordinator(ledger, Supervisor(queue, crew, settings), settings)
    housekeeper = Housekeeper(ledger, settings, lambda: coordinator.jobs, close_connections)
    coordinator.turn()
    while not coordinator.busy:
        coordinator.turn()
    print(json.dumps({"seconds": time.monotonic() - started}), flush=True)
    times, before_all = [], ended(ledger)
    until = time.monotonic() + seconds
    while (before := time.monotonic()) < until:
        coordinator.turn()
        housekeeper.step()
        times.append(1000 * (time.monotonic() - before))
        time.sleep(0.01)
    print(
        json.dumps(
            {
                "turns": len(times),
                "median": statistics.median(times),
                "longest": max(times),
                "jobs": ended(ledger) - before_all,
                "megabytes": peak_memory(),
            }
        ),
        flush=True,
    )
    signal.pause()


def ended(ledger: Ledger) -> int:
    """Return the number of jobs that have ended as those of `no_work` do."""
    return sum(n for (state, _), n in ledger.counts.by_state().items() if state == "unavailable")


def no_work(queue: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a worker's result without any work."""
    failure = Failure(Reason.NOT_FOUND, "there is nothing to do")
    return JobResult(document["job_id"], document["attempt"], failure=failure).to_json()


def age_of_this_process() -> float:
    """Return the seconds since this process started, to a hundredth."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up - ticks / os.sysconf("SC_CLK_TCK")


def peak_memory() -> float:
    """Return the peak memory of this process in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000


if __name__ == "__main__":
    main()
