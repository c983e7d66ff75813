"""The daemon and the commands around it, as they are typed."""

import csv
import io
import json
import os
import signal
import sqlite3
import stat
import subprocess
from contextlib import closing

import pytest

from tests.support.gate import Gate
from tests.support.homes import FASTQ_DUMP, WORT, Home
from tests.support.polling import until
from tests.support.shelf import Shelf, gunzipped

RUNS = ("SRR000001", "ERR000002", "DRR000003")


@pytest.fixture
def runs(home: Home, shelf: Shelf) -> tuple[str, ...]:
    """Three runs in the repository."""
    for run, layout in zip(RUNS, ("paired_illumina", "single_illumina", "clipped"), strict=True):
        home.keep(run, shelf.archive(layout))
    return RUNS


# ---- The whole way


def test_start_compute_view_stop(home: Home, shelf: Shelf, runs: tuple[str, ...]) -> None:
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
    assert again.seconds < 5
    assert home("compute", *runs, "--wait").expect(0).seconds < 5
    assert len(home.jobs()) == 3
    assert all(job.attempt == 1 for job in home.jobs())
    assert "has stopped" in home("daemon", "stop").expect(0).out
    home.until_idle(0.5)
    home("daemon", "status").expect(3)


def test_start_and_stop_twice_and_restart(home: Home) -> None:
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


def test_many_starts_at_once_make_one_daemon(home: Home) -> None:
    starts = [
        subprocess.Popen(
            [WORT, "daemon", "start"], env=home.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(5)
    ]
    ends = [(start.communicate(timeout=60)[1], start.returncode) for start in starts]
    assert [code for _, code in ends] == [0] * 5, ends
    daemon = home.daemon_pid()
    assert {os.getsid(process.pid) for process in home.processes()} == {daemon}
    assert all(not said or f"process {daemon}" in said for said, _ in ends), ends


def test_stale_and_damaged_lock_files_do_not_matter(home: Home) -> None:
    home.path.mkdir(mode=0o700)
    (home.path / "daemon.lock").write_text('{"pid": 1, "started_at": 0, "version": "9", "host": "x"}')
    home("daemon", "status").expect(3)
    home("daemon", "start").expect(0)
    home("daemon", "stop").expect(0)
    (home.path / "daemon.lock").write_bytes(b"\xff\0 no JSON")
    home("daemon", "start").expect(0)
    assert home.daemon_pid() > 1


# ---- Steering


def test_pause_and_resume(home: Home, runs: tuple[str, ...]) -> None:
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


def test_pausing_lets_running_jobs_go_on(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", runs[0]).expect(0)
    gate.until_reached()
    home("daemon", "pause").expect(0)
    gate.open()
    home("wait", runs[0]).expect(0)
    assert home.job(runs[0]).attempt == 1


def test_number_of_jobs(home: Home, shelf: Shelf) -> None:
    """As many run at once as was said last, before or after the daemon started."""
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
    until(lambda: decoding() == 1, "one decodes")
    assert running() == 1
    home("daemon", "jobs", "3").expect(0)
    until(lambda: decoding() == 3, "three decode")
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


def test_asking_again_with_a_higher_priority(home: Home, runs: tuple[str, ...]) -> None:
    home("compute", runs[0]).expect(0)
    assert home("compute", runs[0], "--priority", "7").expect(0).rows()[0][1] == "already queued"
    assert len(home.jobs()) == 1


def test_groups(home: Home, runs: tuple[str, ...]) -> None:
    home("compute", *runs[:2], "-g", "pilot").expect(0)
    home("compute", runs[2]).expect(0)
    assert {row[1] for row in home("status", "-g", "pilot").expect(0).rows()} == set(runs[:2])
    assert home("cancel", "-g", "pilot").expect(0).out == "2 jobs cancelled\n"
    assert [job.state for job in home.jobs()] == ["cancelled", "cancelled", "queued"]
    assert home("retry", "-g", "pilot").expect(0).out == "2 jobs queued again\n"
    home("daemon", "start").expect(0)
    home("wait", "-g", "pilot").expect(0)
    assert {home.job(run).state for run in runs[:2]} == {"done"}


# ---- Cancel, retry, wait


def test_cancel_of_a_running_and_a_queued_job(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("daemon", "start", env={**gate.env, "WORT_JOBS": "1"}).expect(0)
    home("compute", runs[0], runs[1]).expect(0)
    gate.until_reached()
    assert home("cancel", "2").expect(0).out == "1 job cancelled\n"
    assert home("cancel", runs[0], "--json").expect(0).json() == {"cancelled": 1}
    until(lambda: not [p for p in home.processes() if "--fasta" in p.argv], "the decoder has ended", 5)
    assert [job.state for job in home.jobs()] == ["cancelled", "cancelled"]
    assert home("cancel", "1", "2").expect(0).out == "0 jobs cancelled\n"
    home("wait", runs[0]).expect(1, "cancelled")
    assert not home.signature_files()
    home("retry", "1", "2").expect(0)
    home("wait", "1", "2").expect(0)
    assert {job.state for job in home.jobs()} == {"done"}


def test_cancel_of_a_job_that_computes_now(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    with home.running("compute", runs[0], "--now", env=gate.env) as command:
        gate.until_reached()
        home("cancel", runs[0]).expect(0)
        done = command.wait(10)
    assert done.code == 1, str(done)
    assert "cancelled" in done.err
    home.until_idle(5)
    assert home.job(runs[0]).state == "cancelled"


def test_cancelled_and_retried_while_it_runs(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    """The second attempt may begin before the first has ended; its result is the one that counts."""
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", runs[0]).expect(0)
    gate.until_reached()
    home("cancel", runs[0]).expect(0)
    home("retry", runs[0]).expect(0)
    home("wait", runs[0]).expect(0)
    assert home.job(runs[0]).attempt == 2
    states = [state for state, _ in home.events(runs[0])]
    assert states == ["queued", "running", "cancelled", "queued", "running", "done"]


def test_wait(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("compute", runs[0]).expect(0, "no daemon is running")
    home("wait", runs[0]).expect(4, "wort daemon start")
    home("wait").expect(2)
    home("wait", runs[0], "--all").expect(2)
    home("wait", "SRR999999").expect(2, "is unknown")
    home("daemon", "start", env=gate.env).expect(0)
    gate.until_reached()
    home("wait", runs[0], "--timeout", "0.5").expect(75, "1 of 1 jobs", "they go on")
    gate.open()
    assert home("wait", runs[0], "--json").expect(0).json()[0]["state"] == "done"
    assert home("wait", runs[0]).expect(0).seconds < 5
    assert home("wait", "--all").expect(0).out == ""


def test_wait_without_a_daemon_queues_nothing(home: Home, runs: tuple[str, ...]) -> None:
    home("compute", runs[0], "--wait").expect(4, "nothing was queued", "wort daemon start", "--now")
    assert not home.jobs()


def test_daemon_that_ends_while_somebody_waits(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    """Who waits goes on when the daemon is started again."""
    home("daemon", "start", env=gate.env).expect(0)
    with home.running("compute", runs[0], "--wait", env=gate.env) as command:
        gate.until_reached()
        home("daemon", "restart", env=gate.env).expect(0)
        command.wait().expect(0)
    assert home.job(runs[0]).attempt == 2


# ---- What is asked for


def test_dry_run_changes_nothing(home: Home, runs: tuple[str, ...]) -> None:
    for flags in ((), ("--now",), ("--wait",)):
        done = home("compute", *runs, "--dry-run", *flags).expect(0)
        assert [row[:2] for row in done.rows()] == [[run, "would be queued"] for run in runs]
    assert not home.jobs()
    assert not home.select("SELECT * FROM events")
    assert not home.signature_files()
    home("compute", runs[0], "--now").expect(0)
    done = home("compute", *runs, "-n", "--force", "--json").expect(0)
    assert [row["state"] for row in done.json()] == ["would be queued"] * 3
    assert len(home.jobs()) == 1


def test_from_a_file_and_from_standard_input(home: Home) -> None:
    (home.cwd / "list.txt").write_text("# runs\n\nSRR000001\n  SRR000002  # the second\nSRR000001\n")
    done = home("compute", "--from-file", "list.txt", "-", "SRR000004", stdin="SRR000003\r\nSRR000002\n").expect(0)
    assert sorted(row[0] for row in done.rows()) == [f"SRR00000{number}" for number in range(1, 5)]
    assert len(home.jobs()) == 4
    bad = "SRR000008\n-h\nSRR000009\nSRP000001\n"
    done = home("compute", "-", stdin=bad).expect(2, "line 2", "line 4", "nothing was queued")
    assert len(home.jobs()) == 4
    home("compute", "-", stdin="").expect(2, "nothing to compute")
    home("compute", "--from-file", "no-such-file").expect(2, "no-such-file")
    (home.cwd / "binary").write_bytes(bytes(range(256)))
    home("compute", "--from-file", "binary").expect(2)


def test_archive_of_the_same_name(home: Home, shelf: Shelf) -> None:
    for place in ("a", "b"):
        (home.cwd / place).mkdir()
        os.link(shelf.archive(), home.cwd / place / "x.sra")
    home("compute", "a/x.sra").expect(0)
    home("compute", "b/x.sra").expect(2, "another --name")
    home("compute", "b/x.sra", "--name", "y").expect(0)
    assert [job.name for job in home.jobs()] == ["x", "y"]


# ---- What is shown


def test_every_document_parses(home: Home, runs: tuple[str, ...]) -> None:
    home("daemon", "start").expect(0)
    home("compute", runs[0], "SRR999999", "--wait", "--json").expect(1).json()
    for command in (
        ("status",),
        ("status", runs[0]),
        ("status", "--state", "done"),
        ("status", "--reason", "not-found"),
        ("daemon", "status"),
        ("view", runs[0]),
        ("logs", runs[0]),
        ("logs", "SRR999999"),
        ("wait", runs[0]),
        ("config", "show"),
        ("config", "path"),
        ("doctor",),
        ("compute", runs[0]),
        ("compute", runs[1], "--dry-run"),
        ("cancel", "--all"),
        ("retry", "--reason", "not-found"),
    ):
        done = home(*command, "--json")
        assert done.code in (0, 1), str(done)
        json.loads(done.out)


def test_status_tables(home: Home, runs: tuple[str, ...]) -> None:
    assert home().expect(0).out == home("status").expect(0).out
    home("compute", *runs).expect(0)
    for flag, delimiter in (("--csv", ","), ("--tsv", "\t")):
        rows = list(csv.DictReader(io.StringIO(home("status", flag).expect(0).out), delimiter=delimiter))
        assert sorted(row["name"] for row in rows) == sorted(runs)
        assert {row["state"] for row in rows} == {"queued"}
    home("status", "--csv", "--json").expect(2)
    assert len(home("status", "--state", "queued", "-n", "2").expect(0).rows()) == 2
    home("status", "--state", "nonsense").expect(2, "queued, running")
    home("status", "--reason", "nonsense").expect(2, "not-found")
    home("status", "SRR999999").expect(2, "is unknown")
    summary = home("status", "--json").expect(0).json()
    assert summary["jobs"]["queued"] == 3
    assert summary["daemon"] is None
    assert "wort daemon start" in home("status").err


def test_view(home: Home, shelf: Shelf, runs: tuple[str, ...]) -> None:
    home("view", runs[0]).expect(2, "is unknown")
    home("compute", runs[0]).expect(0)
    home("view", runs[0]).expect(2, "is queued")
    home("compute", runs[0], "--now").expect(0)
    wanted = shelf.reference(shelf.archive(), runs[0])
    assert home("view", runs[0], "--raw").expect(0).out.encode() == wanted
    home("view", runs[0], "-o", "copy.sig").expect(0)
    assert gunzipped(home.cwd / "copy.sig") == wanted
    assert home("view", "copy.sig", "--raw").expect(0).out.encode() == wanted
    seen = home("view", runs[0], "-k", "31", "--json").expect(0).json()
    assert [sketch["k"] for sketch in seen["sketches"]] == [31]
    home("view", runs[0], "-k", "32").expect(2, "21, 31, 51")
    assert "fastq-dump" in home("view", runs[0], "--provenance").expect(0).out
    (home.cwd / "broken.sig").write_bytes(home.signature_file(runs[0]).read_bytes()[:500])
    home("view", "broken.sig").expect(6, "is not a signature")
    home("view", "absent.sig").expect(2)
    assert home("view", runs[0], "-o", "no/such/directory/x.sig").code in (2, 75)
    assert not (home.cwd / "no").exists()


def test_logs(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("logs", "--daemon").expect(2, "no daemon has run")
    home("logs").expect(2)
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", runs[0]).expect(0)
    gate.until_reached()
    assert "running" in home("logs", runs[0]).expect(0).out
    with home.running("logs", "1", "-f") as following:
        until(lambda: "running" in following.out.read_text(), "the log is followed")
        gate.open()
        done = following.wait(20).expect(0)
    assert "fastq-dump" in done.out
    home("wait", "1").expect(0)
    assert "Written 2000 spots" in home("logs", "1").expect(0).out
    assert "Written 2000 spots" in home("logs", runs[0], "-n", "3").expect(0).out
    assert "job 1, attempt 1: done" in home("logs", "--daemon").expect(0).out
    assert len(home("logs", "--daemon", "-n", "1").expect(0).out.splitlines()) == 1
    home("logs", "77").expect(2, "is unknown")


def test_watched_status_ends_by_ctrl_c(home: Home) -> None:
    with home.running("status", "--watch") as watching:
        until(lambda: watching.out.stat().st_size > 0, "it has shown something")
        watching.signal(signal.SIGINT)
        watching.wait(5).expect(130)


def test_closed_pipe_is_no_error(home: Home, runs: tuple[str, ...]) -> None:
    """`wort status --tsv | head -n 0`: nobody reads on."""
    home("compute", *runs).expect(0)
    done = home("status", "--tsv", before=("bash", "-c", '"$@" | head -n 0; exit "${PIPESTATUS[0]}"', "bash"))
    assert done.err == ""
    assert done.code in (0, 141), str(done)


def test_doctor(home: Home) -> None:
    """No problem on this machine; a missing tool is one."""
    assert home("doctor").expect(0).out
    done = home("doctor", "--json", env={"PATH": str(home.root / "bin")}).expect(1)
    assert {row["what"] for row in done.json() if row["state"] == "problem"} >= {"fastq-dump", "vdb-validate"}


# ---- Files


def test_permissions(home: Home, runs: tuple[str, ...]) -> None:
    """Nobody else may read along, whatever the umask."""
    unmasked = ("bash", "-c", 'umask 0; exec "$@"', "bash")
    home("daemon", "start", before=unmasked).expect(0)
    home("compute", runs[0], "--wait", before=unmasked).expect(0)
    home("daemon", "pause", before=unmasked).expect(0)
    home("compute", runs[1], "--now", before=unmasked).expect(0)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (home.path, *home.path.rglob("*"))}
    for name in ("ledger.db", "queue.db", "daemon.lock"):
        assert modes[home.path / name] == 0o600
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_queue_that_is_deleted_loses_nothing(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("daemon", "start", env={**gate.env, "WORT_JOBS": "1"}).expect(0)
    home("compute", *runs).expect(0)
    gate.until_reached()
    home("daemon", "stop").expect(0)
    for file in home.path.glob("queue.db*"):
        file.unlink()
    home("daemon", "start").expect(0)
    home("wait", *runs).expect(0)
    assert [job.state for job in home.jobs()] == ["done"] * 3


def test_queue_full_of_garbage_is_made_anew(home: Home, runs: tuple[str, ...]) -> None:
    home.path.mkdir(mode=0o700)
    (home.path / "queue.db").write_bytes(os.urandom(100_000))
    home("daemon", "start").expect(0)
    home("compute", runs[0], "--wait").expect(0)


def test_ledger_of_a_later_version_or_damaged(home: Home) -> None:
    """It is not touched."""
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
