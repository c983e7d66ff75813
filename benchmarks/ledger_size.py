"""Measures what a ledger of millions of jobs costs: its size, and the time of what the daemon and commands do with it.

    python -m benchmarks.ledger_size ROWS [--done 0.2] [--ended-last-hour 100000] [--home DIR] [--json FILE]

The first jobs are done, with signatures and their sketches; one in fifty of the others has failed or is unavailable, or
waits; the rest is queued.  All are members of one group.  A job takes 0.36 kB while it is queued, and 2.7 kB
when it is done, so 50 million rows need 20 GB with `--done 0.02`, and twice as much while a backup is measured.
"""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.bulk_ledger import fill
from benchmarks.million_jobs import turning
from tests.support.builders import published, request
from wort_cli.daemon.housekeeping import housekeeping_round
from wort_cli.ledger.jobs import MAX_ID, JobFilter
from wort_cli.ledger.kept_counts import wrong_counts
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobState
from wort_cli.model.job_result import JobResult
from wort_cli.settings import load_settings
from wort_cli.upkeep.backups import make_backup
from wort_cli.web.pages.group_page import group_page

WORT = Path(sys.executable).with_name("wort")
PROVENANCE = 1500
"""Bytes of the provenance of a run whose archive was fetched, as JSON."""
LONGEST_ROUND = 300.0
"""Seconds after which a round of housekeeping is not measured to its end."""
TIMES = 200
"""The number of measurements of each operation on one job."""
FILL = (
    """
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :jobs)
    INSERT INTO jobs (name, profile, state, reason, attempt, priority, created_at, started_at, wait_until, ended_at)
    SELECT 'SRR' || (10000000 + n), 'sra-v1',
           CASE WHEN n < :done THEN 'done' WHEN n % 50 = 0 THEN 'failed' WHEN n % 50 = 1 THEN 'unavailable'
                WHEN n % 50 = 2 THEN 'waiting' ELSE 'queued' END,
           CASE WHEN n < :done THEN '' WHEN n % 50 = 0 THEN 'corrupt' WHEN n % 50 = 1 THEN 'no-reads'
                WHEN n % 50 = 2 THEN 'network' ELSE '' END,
           n < :done OR n % 50 < 3, n % 3, :now - 1e6, CASE WHEN n < :done OR n % 50 < 3 THEN :now - 1e4 END,
           CASE WHEN n >= :done AND n % 50 = 2 THEN :now + 3000 END,
           CASE WHEN n < :done OR n % 50 < 2 THEN :now - 3.6e3 * abs(:done - n) / :recent END
    FROM numbers
    """,
    """
    INSERT INTO events (job_id, at, before, after, reason, message, attempt)
    SELECT id, created_at, '', 'queued', '', '', 0 FROM jobs
    """,
    """
    INSERT INTO events (job_id, at, before, after, reason, message, attempt)
    SELECT id, ended_at, 'running', state, reason, '', 1 FROM jobs WHERE ended_at IS NOT NULL
    """,
    "INSERT INTO group_members SELECT 'all', name, profile, '', id, created_at FROM jobs",
    """
    INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance, remote, sha256)
    SELECT name, profile, :digest, 'computed', 'sigs/' || substr(name, 1, 6) || '/' || name || '.sig', 85000, ended_at,
           replace(:provenance, 'SRR10000000', name), 's3://wort-sra/sigs/' || name || '.sig', :sha256
    FROM jobs WHERE state = 'done' ORDER BY name
    """,
    """
    INSERT INTO sketches
    SELECT name, profile, value, substr(:sha256, 1, 32), 21 + 10 * value, 'DNA', 0, 1000, 30000, 1, 60000, '', ''
    FROM signatures, json_each('[0, 1, 3]') ORDER BY name, profile, value
    """,
)
COMMANDS = (
    ["status"],
    ["status", "--state", "failed", "-n", "20"],
    ["status", "-g", "all", "-n", "20"],
    ["status", "SRR10000100"],
    ["logs", "SRR10000100"],
    ["ls", "SRR100000*", "--all"],
    ["daemon", "status"],
    ["_complete", "view", "SRR1000"],
)
Report = dict[str, float]


def main() -> None:
    """Make the ledger, measure, and print a table."""
    parser = argparse.ArgumentParser(description="Measure what a ledger of millions of jobs costs.")
    parser.add_argument("rows", type=lambda word: int(float(word)))
    parser.add_argument("--done", type=float, default=0.2, help="share of the jobs that are done")
    parser.add_argument("--ended-last-hour", type=float, default=100_000, help="jobs that ended in the last hour")
    parser.add_argument("--home", type=Path, help="a directory that is kept and used again")
    parser.add_argument("--no-backup", action="store_true", help="do not measure a backup, which needs as much disk")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wort-ledger-") as directory:
        home = options.home or Path(directory)
        report: Report = {"rows": options.rows, "done": int(options.rows * options.done)}
        if not (home / "ledger.db").exists():
            with timed(report, "making it, s"):
                make_ledger(home / "ledger.db", options.rows, int(options.rows * options.done), options.ended_last_hour)
        report["size, GB"] = (home / "ledger.db").stat().st_size / 1e9
        show(report)
        for step in (measure_operations, measure_pages, measure_commands, measure_daemon, measure_checks):
            found = step(home)
            show(found)
            report |= found
        if not options.no_backup:
            found = measure_backup(home)
            show(found)
            report |= found
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def show(report: Report) -> None:
    """Print figures, one a line."""
    for what, figure in report.items():
        print(f"{what:60} {figure:14,.2f}", flush=True)


@contextmanager
def timed(report: Report, what: str) -> Iterator[None]:
    """Add the wall seconds of the body to a report."""
    started = time.monotonic()
    yield
    report[what] = time.monotonic() - started


def make_ledger(path: Path, rows: int, done: int, ended_last_hour: float) -> None:
    """Make a ledger with so many jobs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = published("SRR10000000").provenance
    text = json.dumps({**made.to_json(), "tools": {"padding": ""}})
    values = {
        "jobs": rows,
        "done": done,
        "recent": ended_last_hour,
        "now": time.time(),
        "digest": made.digest,
        "sha256": "0" * 64,
        "provenance": text.replace('"padding": ""', f'"padding": "{"x" * (PROVENANCE - len(text))}"'),
    }
    ledger = Ledger(path)
    fill(ledger.storage, FILL, values)
    ledger.close()


def measure_operations(home: Path) -> Report:
    """Measure what the coordinator and `wort compute` do, one job at a time, in milliseconds."""
    started = time.monotonic()
    ledger = Ledger(home / "ledger.db")
    ledger.open()
    report = {"opening, ms": 1000 * (time.monotonic() - started)}
    report["smallest transaction, ms"] = each(TIMES, lambda n: ledger.controls.set_suspects({n + 1}))
    ledger.controls.set_suspects(())
    draw = random.Random(time.time_ns())
    names = [f"SRR{draw.randrange(100_000_000, 999_999_999)}" for _ in range(11 * TIMES)]
    report["enqueue one, ms"] = each(TIMES, lambda n: ledger.jobs.enqueue([request(names[n], group="all")]))
    batch = [request(name, group="all") for name in names[TIMES:]]
    report["enqueue 10 in a transaction, ms"] = each(TIMES, lambda n: ledger.jobs.enqueue(batch[10 * n : 10 * n + 10]))
    claimed = ledger.jobs.next_jobs(2 * TIMES)
    report["next 10 jobs, ms"] = each(TIMES, lambda _: ledger.jobs.next_jobs(10))
    report["claim, ms"] = each(2 * TIMES, lambda n: ledger.attempts.claim(claimed[n], "measured", 60.0))
    report["extend a lease, ms"] = each(TIMES, lambda n: ledger.attempts.extend_lease(claimed[n], 1, 60.0))
    policy = RetryPolicy(delay=3600.0)
    finished = [ledger.jobs.get(number) for number in claimed]
    done = [JobResult(job.id, job.attempt, published(str(job.source.name))) for job in finished[:TIMES]]
    failed = [JobResult(job.id, job.attempt, failure=Failure(Reason.NETWORK, "x")) for job in finished[TIMES:]]
    report["end as done, ms"] = each(TIMES, lambda n: ledger.attempts.finish(done[n], policy))
    report["end as waiting, ms"] = each(TIMES, lambda n: ledger.attempts.finish(failed[n], policy))
    report["running jobs, ms"] = each(TIMES, lambda _: ledger.attempts.running())
    report["wake, ms"] = each(20, lambda _: ledger.attempts.wake(policy))
    report["counts by state, ms"] = each(TIMES, lambda _: ledger.counts.by_state())
    report["ended in the last hour, ms"] = each(3, lambda _: ledger.counts.ended_since(time.time() - 3600))
    report["ended in the last day, ms"] = each(3, lambda _: ledger.counts.ended_since(time.time() - 86400))
    report["count signatures, ms"] = each(3, lambda _: ledger.catalog.count())
    ledger.close()
    return report


def measure_pages(home: Path) -> Report:
    """Measure what the pages of `wort serve` read, in milliseconds."""
    ledger = Ledger(home / "ledger.db")
    ledger.open()
    filters = {
        "all": JobFilter(),
        "failed": JobFilter(JobState.FAILED),
        "of a group": JobFilter(group="all"),
        "failed, of a group": JobFilter(JobState.FAILED, group="all"),
        "waiting for the network": JobFilter(JobState.WAITING, Reason.NETWORK),
    }
    report: Report = {}
    for what, job_filter in filters.items():
        report[f"page of 50 jobs, {what}, ms"] = each(10, partial(page, ledger, job_filter))
    report["page of a group, ms"] = each(10, lambda _: group_page(ledger, "all"))
    report["amounts of a group, ms"] = each(10, lambda _: ledger.groups.amounts("all"))
    ledger.close()
    return report


def page(ledger: Ledger, job_filter: JobFilter, n: int) -> object:
    """Read the newest jobs, or in other rounds some in the middle."""
    middle = ledger.job_pages.page(JobFilter(), 1)[0].id // 2
    return ledger.job_pages.page(job_filter, 50, middle if n % 2 else MAX_ID)


def measure_checks(home: Path) -> Report:
    """Measure the check of the file, and that of the counts that are kept, in seconds."""
    ledger = Ledger(home / "ledger.db")
    ledger.open()
    report: Report = {}
    with timed(report, "check of the counts, s"):
        assert wrong_counts(ledger.storage) == []
    with timed(report, "check of the file, s"):
        assert ledger.check() == "ok"
    ledger.close()
    return report


def each(times: int, step: Callable[[int], object]) -> float:
    """Return the median milliseconds of a step."""
    found = []
    for n in range(times):
        started = time.perf_counter()
        step(n)
        found.append(1000 * (time.perf_counter() - started))
    return median(found)


def measure_commands(home: Path) -> Report:
    """Measure commands, with the start of Python: median wall seconds of three."""
    env = {**os.environ, "WORT_HOME": str(home), "WORT_S3_PRESET": "off"}
    report: Report = {}
    for words in COMMANDS:
        found = []
        for _ in range(3):
            started = time.monotonic()
            result = subprocess.run([WORT, *words], env=env, capture_output=True, check=False)
            found.append(time.monotonic() - started)
            if result.returncode not in (0, 1) and words[0] != "daemon":
                raise subprocess.CalledProcessError(result.returncode, words, result.stdout, result.stderr)
        report[f"wort {' '.join(words)}, s"] = median(found)
    return report


def measure_daemon(home: Path) -> Report:
    """Measure the start of the daemon, its turns, and one round of housekeeping."""
    with turning(home, 10.0) as process:
        assert process.stdout is not None
        ready, figures = (json.loads(process.stdout.readline()) for _ in range(2))
        process.kill()
    report = {
        "daemon: seconds to its first job": ready["seconds"],
        "daemon: jobs a second": figures["jobs"] / 10,
        "daemon: median turn, ms": figures["median"],
        "daemon: longest turn, ms": figures["longest"],
        "daemon: memory, MB": figures["megabytes"],
    }
    settings, ledger = load_settings({"WORT_HOME": str(home)}), Ledger(home / "ledger.db")
    longest, what = 0.0, "a round"
    started = before = time.monotonic()
    for _ in housekeeping_round(ledger, settings, frozenset):
        now = time.monotonic()
        longest, before = max(longest, now - before), now
        if now - started > LONGEST_ROUND:
            what = "a round, until it was stopped"
            break
    report[f"housekeeping: {what}, s"] = time.monotonic() - started
    report["housekeeping: longest step, ms"] = 1000 * longest
    ledger.close()
    return report


def measure_backup(home: Path) -> Report:
    """Measure a backup with its check."""
    ledger = Ledger(home / "ledger.db")
    report: Report = {}
    with timed(report, "backup, s"):
        make_backup(ledger, home / "backups", 1)
    shutil.rmtree(home / "backups")
    ledger.close()
    report["peak memory of this process, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return report


if __name__ == "__main__":
    main()
