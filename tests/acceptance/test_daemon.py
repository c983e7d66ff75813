"""The daemon: starting, stopping and controlling it, and its files."""

import os
import sqlite3
import stat
import subprocess
from contextlib import closing, suppress

from tests.support.gate import Gate
from tests.support.homes import FASTQ_DUMP, WORT, Home
from tests.support.polling import until
from tests.support.shelf import Shelf

# ---- Start and stop


def test_runs_are_computed_by_the_daemon_once(home: Home, shelf: Shelf, runs: tuple[str, ...]) -> None:
    home("daemon", "status").expect(3)
    assert "the daemon is running" in home("daemon", "start").expect(0).out
    done = home("compute", *runs, "--wait").expect(0)
    assert {row[0]: row[1] for row in done.rows()} == dict.fromkeys(runs, "done")
    assert runs[0] in home("view", runs[0]).expect(0).out
    layouts = ("paired_illumina", "single_illumina", "clipped")
    for run, layout in zip(runs, layouts, strict=True):
        assert home.signature(run) == shelf.reference(shelf.archive(layout), run)
    again = home("compute", runs[0]).expect(0)
    assert again.rows() == [[runs[0], "already there", "1", ""]]
    home("compute", *runs, "--wait").expect(0)
    assert len(home.jobs()) == 3
    assert all(job.attempt == 1 for job in home.jobs())
    assert "has stopped" in home("daemon", "stop").expect(0).out
    home.until_idle()
    home("daemon", "status").expect(3)


def test_start_stop_and_restart_can_be_repeated(home: Home) -> None:
    home("daemon", "stop").expect(0)
    home("daemon", "start").expect(0)
    first = home.daemon_pid()
    assert f"process {first}" in home("daemon", "start").expect(0).out
    assert home.daemon_pid() == first
    home("daemon", "start", "--foreground").expect(0, "is already running")
    home("daemon", "restart").expect(0)
    second = home.daemon_pid()
    assert second != first
    assert first not in [process.pid for process in home.processes()]
    assert f"process {second}" in home("daemon", "stop").expect(0).out
    assert "no daemon was running" in home("daemon", "stop").expect(0).out
    home("daemon", "restart").expect(0)
    assert home("daemon", "status", "--json").expect(0).json()["state"] == "running"


def test_simultaneous_starts_start_one_daemon(home: Home) -> None:
    starts = [
        subprocess.Popen(
            [WORT, "daemon", "start"], env=home.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(5)
    ]
    ends = [(start.communicate(timeout=300)[1], start.returncode) for start in starts]
    assert [code for _, code in ends] == [0] * 5, ends
    daemon = home.daemon_pid()
    assert sessions(home) == {daemon}
    assert all(not error or f"process {daemon}" in error for error, _ in ends), ends


def sessions(home: Home) -> set[int]:
    """Return the sessions of all processes of a home."""
    found = set()
    for process in home.processes():
        with suppress(ProcessLookupError):  # it has just ended
            found.add(os.getsid(process.pid))
    return found


def test_stale_and_damaged_lock_files_are_ignored(home: Home) -> None:
    home.path.mkdir(mode=0o700)
    (home.path / "daemon.lock").write_text('{"pid": 1, "started_at": 0, "version": "9", "host": "x"}')
    home("daemon", "status").expect(3)
    home("daemon", "start").expect(0)
    home("daemon", "stop").expect(0)
    (home.path / "daemon.lock").write_bytes(b"\xff\0 no JSON")
    home("daemon", "start").expect(0)
    assert home.daemon_pid() > 1


# ---- Pause, jobs, priorities and groups


def test_no_job_starts_while_the_queue_is_paused(home: Home, runs: tuple[str, ...]) -> None:
    home("daemon", "start").expect(0)
    home("daemon", "pause").expect(0)
    assert home("daemon", "status", "--json").expect(0).json()["state"] == "paused"
    home("compute", runs[0]).expect(0)
    home("wait", runs[0], "--timeout", "1").expect(75, "have not ended")
    assert home.job(runs[0]).attempt == 0
    home("daemon", "restart").expect(0, "the queue is paused")
    assert home.job(runs[0]).attempt == 0
    home("daemon", "resume").expect(0)
    home("wait", runs[0]).expect(0)


def test_running_jobs_continue_while_the_queue_is_paused(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", runs[0]).expect(0)
    gate.until_reached()
    home("daemon", "pause").expect(0)
    gate.open()
    home("wait", runs[0]).expect(0)
    assert home.job(runs[0]).attempt == 1


def test_job_limit_can_be_changed_before_and_after_the_start(home: Home, shelf: Shelf) -> None:
    """The last `wort daemon jobs` determines how many jobs run at the same time."""
    runs = [f"SRR00001{number}" for number in range(6)]
    for run in runs:
        home.keep(run, shelf.archive("one_read"))
    held, fifo = home.root / "held", home.root / "fifo"
    held.touch()
    os.mkfifo(fifo)
    env = home.with_tool(
        "fastq-dump",
        f"""
case " $* " in *" --fasta "*) while [ -e {held} ]; do read -r -t 0.05 _ <> {fifo}; done ;; esac
exec {FASTQ_DUMP} "$@"
""",
    )
    home("daemon", "jobs", "1").expect(0)
    home("daemon", "start", env=env).expect(0)
    assert home("daemon", "status", "--json").expect(0).json()["jobs"] == 1

    def decoding() -> int:
        return sum("--fasta" in process.argv for process in home.processes())

    def running() -> int:
        return sum(job.state == "running" for job in home.jobs())

    home("compute", *runs).expect(0)
    until(lambda: decoding() == 1, "one job decodes")
    assert running() == 1
    home("daemon", "jobs", "3").expect(0)
    until(lambda: decoding() == 3, "three jobs decode")
    assert running() == 3
    home("daemon", "jobs", "2").expect(0)
    held.unlink()
    home("wait", *runs).expect(0)
    home("daemon", "jobs", "0").expect(2)
    assert {job.state for job in home.jobs()} == {"done"}
    now, most = 0, 0
    for before, after in home.select("SELECT before, after FROM events ORDER BY id"):
        now += (after == "running") - (before == "running")
        most = max(most, now)
    assert most == 3


def test_priorities_order_the_queue(home: Home, shelf: Shelf) -> None:
    wanted = {"SRR000001": 0, "SRR000002": 5, "SRR000003": -5, "SRR000004": 5, "SRR000005": 100}
    home("daemon", "start", env={"WORT_JOBS": "1"}).expect(0)
    home("daemon", "pause").expect(0)
    for run, priority in wanted.items():
        home.keep(run, shelf.archive("one_read"))
        home("compute", run, "--priority", str(priority)).expect(0)
    home("daemon", "resume").expect(0)
    home("wait", "--all").expect(0)
    started = home.select("SELECT name FROM jobs ORDER BY started_at")
    assert [name for (name,) in started] == ["SRR000005", "SRR000002", "SRR000004", "SRR000001", "SRR000003"]


def test_second_request_with_a_higher_priority_adds_no_job(home: Home, runs: tuple[str, ...]) -> None:
    home("compute", runs[0]).expect(0)
    assert home("compute", runs[0], "--priority", "7").expect(0).rows()[0][1] == "already queued"
    assert len(home.jobs()) == 1


def test_commands_select_the_jobs_of_a_group(home: Home, runs: tuple[str, ...]) -> None:
    home("compute", *runs[:2], "-g", "pilot").expect(0)
    home("compute", runs[2]).expect(0)
    assert {row[1] for row in home("status", "-g", "pilot").expect(0).rows()} == set(runs[:2])
    assert home("cancel", "-g", "pilot").expect(0).out == "2 jobs cancelled\n"
    assert [job.state for job in home.jobs()] == ["cancelled", "cancelled", "queued"]
    assert home("retry", "-g", "pilot").expect(0).out == "2 jobs queued again\n"
    home("daemon", "start").expect(0)
    home("wait", "-g", "pilot").expect(0)
    assert {home.job(run).state for run in runs[:2]} == {"done"}


# ---- Files


def test_files_are_private_whatever_the_umask(home: Home, runs: tuple[str, ...]) -> None:
    """No other user may read or write the home."""
    unmasked = ("bash", "-c", 'umask 0; exec "$@"', "bash")
    home("daemon", "start", before=unmasked).expect(0)
    home("compute", runs[0], "--wait", before=unmasked).expect(0)
    home("daemon", "pause", before=unmasked).expect(0)
    home("compute", runs[1], "--now", before=unmasked).expect(0)
    home("daemon", "stop", before=unmasked).expect(0)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (home.path, *home.path.rglob("*"))}
    for name in ("ledger.db", "queue.db", "daemon.lock"):
        assert modes[home.path / name] == 0o600
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_deleted_queue_loses_no_job(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("daemon", "start", env={**gate.env, "WORT_JOBS": "1"}).expect(0)
    home("compute", *runs).expect(0)
    gate.until_reached()
    home("daemon", "stop").expect(0)
    for file in home.path.glob("queue.db*"):
        file.unlink()
    home("daemon", "start").expect(0)
    home("wait", *runs).expect(0)
    assert [job.state for job in home.jobs()] == ["done"] * 3


def test_queue_full_of_garbage_is_created_again(home: Home, runs: tuple[str, ...]) -> None:
    home.path.mkdir(mode=0o700)
    (home.path / "queue.db").write_bytes(os.urandom(100_000))
    home("daemon", "start").expect(0)
    home("compute", runs[0], "--wait").expect(0)


def test_ledger_that_is_damaged_or_of_a_later_version_is_refused(home: Home) -> None:
    """Its file is not changed."""
    home("status").expect(0)
    with closing(sqlite3.connect(home.ledger, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 999")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = home.ledger.read_bytes()
    for command in (("status",), ("compute", "SRR000001"), ("daemon", "start")):
        home(*command).expect(1, "version 999")
    assert home.ledger.read_bytes() == before
    for file in home.path.glob("ledger.db*"):
        file.unlink()
    home.ledger.write_bytes(b"not a database, but long enough to be read as one" * 100)
    for command in (("status",), ("compute", "SRR000001"), ("daemon", "start")):
        home(*command).expect(1, "cannot be read")
    home.ledger.unlink()
