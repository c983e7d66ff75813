"""The ledger and the queue survive a killed writer, locks, deletion and damage.

`python -m tests.faults.ledger_kills` repeats the first test for longer.
"""

import random
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.ledger_kills import kill_while_writing
from tests.support.gate import Gate
from tests.support.homes import FASTQ_DUMP, WORT, Home
from tests.support.polling import until
from tests.support.shelf import Shelf

RUNS = ("SRR000001", "SRR000002", "SRR000003")


@pytest.mark.parametrize("seed", range(5))
def test_acknowledged_writes_survive_kill_9(tmp_path: Path, seed: int) -> None:
    assert kill_while_writing(tmp_path / "round", 600, random.Random(seed)) > 0


def queue_files(home: Home) -> list[Path]:
    return sorted(home.path.glob("queue.db*"))


def test_no_job_is_lost_when_the_queue_is_deleted_while_jobs_run(home: Home, shelf: Shelf, gate: Gate) -> None:
    for run in RUNS:
        home.keep(run, shelf.archive())
    home("daemon", "start", env={**gate.env, "WORT_JOBS": "1"}).expect(0)
    daemon = home.daemon_pid()
    home("compute", *RUNS).expect(0)
    gate.until_reached()
    for file in queue_files(home):
        file.unlink()
    home("wait", *RUNS).expect(0)
    assert home.daemon_pid() == daemon
    assert [job.state for job in home.jobs()] == ["done"] * 3
    for run in RUNS:
        assert home.signature(run) == shelf.reference(shelf.archive(), run)
    assert "was deleted or damaged" in home("logs", "--daemon").expect(0).out
    home("daemon", "stop").expect(0)  # the daemon still handles signals


@pytest.mark.parametrize("damage", ["overwritten", "emptied", "replaced"])
def test_damaged_queue_is_created_again_while_the_daemon_runs(home: Home, shelf: Shelf, damage: str) -> None:
    home.keep(RUNS[0], shelf.archive("one_read"))
    home("daemon", "start").expect(0)
    queue = home.path / "queue.db"
    if damage == "overwritten":
        with queue.open("r+b") as file:
            file.write(b"\xa5" * queue.stat().st_size)
    elif damage == "emptied":
        with closing(sqlite3.connect(queue, timeout=30, isolation_level=None)) as connection:
            for table in ("kv", "task", "schedule"):
                connection.execute(f"DROP TABLE {table}")
    else:
        (home.root / "other").write_bytes(b"")
        (home.root / "other").replace(queue)
    home("compute", RUNS[0], "--wait").expect(0)
    assert home.job(RUNS[0]).state == "done"


@pytest.mark.parametrize("which", ["ledger.db", "queue.db"])
def test_nothing_fails_when_a_database_is_locked_for_ten_seconds(home: Home, shelf: Shelf, which: str) -> None:
    for run in RUNS:
        home.keep(run, shelf.archive())
    env = home.with_tool(
        "fastq-dump", f'case " $* " in *" --fasta "*) : > {home.root}/decoding ;; esac; exec {FASTQ_DUMP} "$@"'
    )
    home("daemon", "start", env=env).expect(0)
    home("compute", *RUNS[:2]).expect(0)
    until((home.root / "decoding").exists, "a job runs")
    with closing(sqlite3.connect(home.path / which, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        released = time.monotonic() + 10
        asking = subprocess.Popen([WORT, "compute", RUNS[2]], env=home.env, stdout=subprocess.PIPE, text=True)
        assert home("status").expect(0).out  # readers do not wait
        until(lambda: time.monotonic() > released, "ten seconds", 20, 0.1)
        other.execute("ROLLBACK")
    assert f"\n{RUNS[2]}\t" in asking.communicate(timeout=300)[0]
    assert asking.returncode in (0, 75)
    home("compute", RUNS[2]).expect(0)
    home("wait", *RUNS).expect(0)
    assert [job.state for job in home.jobs()] == ["done"] * 3
    assert {reason for run in RUNS for _, reason in home.events(run)} == {""}
