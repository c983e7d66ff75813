"""Load: many processes that enqueue, accessions in a file, jobs in the ledger, and reads in an archive."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.support.homes import WORT, Done, Home
from tests.support.shelf import Shelf, copy_archive


def test_ten_processes_enqueue_overlapping_runs(home: Home) -> None:
    """Each enqueues 1,000 runs, of which the next process enqueues half, too; every run gets one job."""
    for number in range(10):
        runs = [f"SRR{100_000 + number * 500 + n}" for n in range(1_000)]
        (home.cwd / f"{number}.txt").write_text("\n".join(runs))
    started = time.monotonic()
    commands = [
        subprocess.Popen(
            [WORT, "compute", "--from-file", f"{number}.txt", "--json"],
            env=home.env,
            cwd=home.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(10)
    ]
    ends = [Done((), command.returncode or 0, *command.communicate(timeout=300)) for command in commands]
    print(f"10 processes of 1,000 runs: {time.monotonic() - started:.1f} s")
    assert [command.returncode for command in commands] == [0] * 10
    accepted: dict[str, int] = {}
    for end in ends:
        assert end.err.count("\n") == 1, end.err
        rows = end.records()
        assert len(rows) == 1_000
        for row in rows:
            assert accepted.setdefault(row["name"], row["job"]) == row["job"]
    jobs = home.select("SELECT name, id, state FROM jobs")
    assert len(jobs) == len({name for name, _, _ in jobs}) == 5_500
    assert {name: number for name, number, _ in jobs} == accepted
    assert {state for _, _, state in jobs} == {"queued"}
    assert home.select("SELECT count(*) FROM events") == [(5_500,)]
    assert home.select("PRAGMA integrity_check") == [("ok",)]


def test_hundred_thousand_runs_are_enqueued_from_a_file(home: Home) -> None:
    (home.cwd / "runs").write_text("".join(f"ERR{n}\n" for n in range(1_000_000, 1_100_000)))
    done = home("compute", "--from-file", "runs").expect(0, "100,000 jobs in the queue")
    print(f"100,000 runs queued in {done.seconds:.1f} s")
    assert home.select("SELECT count(*), count(DISTINCT name) FROM jobs WHERE state = 'queued'") == [(100_000, 100_000)]
    done = home("cancel", "--all").expect(0)
    print(f"cancelled in {done.seconds:.1f} s")
    assert home.select("SELECT count(*) FROM jobs WHERE state = 'cancelled'") == [(100_000,)]


def test_status_is_quick_with_a_million_jobs(home: Home, shelf: Shelf) -> None:
    """The triggers are dropped while the rows are inserted, because they would write three million events."""
    home("status").expect(0)
    million, failed, unavailable, queued = 1_000_000, 20_000, 10_000, 5_000
    with closing(sqlite3.connect(home.ledger, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        connection.execute("BEGIN")
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            """
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :million)
            INSERT INTO jobs (name, profile, state, reason, created_at, priority)
            SELECT 'SRR' || (1000000 + i), 'sra-v1',
                   CASE WHEN i < :failed THEN 'failed' WHEN i < :failed + :unavailable THEN 'unavailable'
                        WHEN i < :failed + :unavailable + :queued THEN 'queued' ELSE 'done' END,
                   CASE WHEN i < :failed THEN 'corrupt' WHEN i < :failed + :unavailable THEN 'no-reads' ELSE '' END,
                   1700000000.0 + i, i % 7
            FROM n
            """,
            {"million": million, "failed": failed, "unavailable": unavailable, "queued": queued},
        )
        connection.execute(
            "INSERT OR REPLACE INTO job_counts SELECT state, reason, count(*) FROM jobs GROUP BY state, reason"
        )
        connection.execute(
            "INSERT INTO group_members SELECT 'odd', name, profile, '', id, created_at FROM jobs WHERE id % 2 = 0"
        )
        connection.execute(
            "INSERT INTO group_counts SELECT 'odd', state, reason, count(*) FROM jobs WHERE id % 2 = 0 GROUP BY 2, 3"
        )
        for _, sql in triggers:
            connection.execute(sql)
        connection.execute("COMMIT")
    seen = home("status", "--json").expect(0)
    print(f"status of 1,000,000 jobs in {seen.seconds:.2f} s")
    done = million - failed - unavailable - queued
    assert {state: n for state, n in seen.json()["counts"].items() if n} == {
        "done": done,
        "failed": failed,
        "unavailable": unavailable,
        "queued": queued,
    }
    assert seen.json()["reasons"] == [
        {"state": "failed", "reason": "corrupt", "jobs": failed},
        {"state": "unavailable", "reason": "no-reads", "jobs": unavailable},
    ]
    assert f"{done:,}" in home("status").expect(0).out
    for command in (
        ("status", "--state", "failed", "-n", "5", "--tsv"),
        ("status", "-g", "odd", "-n", "5", "--tsv"),
        ("status", "SRR1000001", "--tsv"),
    ):
        listed = home(*command).expect(0)
        print(f"{' '.join(command)} in {listed.seconds:.2f} s")
        assert len(listed.rows()) == (1 if "SRR1000001" in command else 5)
    # The daemon finds the next job at once.
    home.keep("DRR000001", shelf.archive("one_read"))
    home("daemon", "start").expect(0)
    home("compute", "DRR000001", "--priority", "9", "--wait").expect(0)


def peak_of(home: Home, archive: Path) -> int:
    """Return the peak memory of `wort compute --now` in kB: that of wort or of one of its tools, the larger."""
    program = """
import os, subprocess, sys
_, code, usage = os.wait4(subprocess.Popen(sys.argv[1:]).pid, 0)
print(code, usage.ru_maxrss)
"""
    before = (sys.executable, "-c", program)
    # Popen would warn that its process is still running, because wait4 has reaped it.
    quiet = {"PYTHONWARNINGS": "ignore"}
    done = home("compute", archive, "--now", "--json", before=before, env=quiet).expect(0)
    code, peak = done.out.splitlines()[-1].split()
    assert code == "0"
    return int(peak)


def test_memory_does_not_grow_with_the_reads(home: Home, shelf: Shelf) -> None:
    """Ten times the reads of the same genome have as many hashes, so only buffers of the stream could grow."""
    peaks = {
        spots: peak_of(home, copy_archive(shelf.large(spots), home.cwd / f"{spots}.sra")) for spots in (20_000, 200_000)
    }
    print(f"peak memory in MB: { {spots: round(peak / 1000) for spots, peak in peaks.items()} }")
    assert peaks[200_000] < 1.3 * peaks[20_000]


def test_daemons_of_two_homes_are_independent(home: Home, shelf: Shelf, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    try:
        for place in (home, other):
            place.keep("SRR000001", shelf.archive())
            place("daemon", "start").expect(0)
        assert home.daemon_pid() != other.daemon_pid()
        home("compute", "SRR000001", "--wait").expect(0)
        assert not other.jobs()
        other("daemon", "stop").expect(0)
        home("daemon", "status").expect(0)
    finally:
        other.end()


def test_simple_commands_import_no_large_packages(home: Home) -> None:
    """Commands that only read do not import sourmash, scipy, huey, boto3 or numba."""
    for command in (["--help"], ["status"], ["compute", "SRR000001"]):
        done = home(*command, env={"PYTHONPROFILEIMPORTTIME": "1"})
        assert done.code == 0
        lines = [line for line in done.err.splitlines() if line.startswith("import time:")]
        loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}
        assert loaded, "the list of imports is there"
        assert not loaded & {"sourmash", "scipy", "huey", "boto3", "numba"}, command
