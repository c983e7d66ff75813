"""The daemon obeys commands at once, limits all waiting, and tolerates wrong clocks and invalid settings."""

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.gate import Gate
from tests.support.homes import FASTQ_DUMP, Home
from tests.support.polling import until
from tests.support.shelf import Shelf, copy_archive
from wort_cli.ledger.migrations import latest_version

RUN, OTHER = "SRR000001", "SRR000002"
TOOL = Path(FASTQ_DUMP).parent
SPLIT = {"WORT_SLICE_BASES": "50000", "WORT_JOBS": "1", "WORT_THREADS": "1"}


def change(home: Home, sql: str) -> None:
    """Change the ledger in a way that no command does."""
    with closing(sqlite3.connect(home.ledger, timeout=30, isolation_level=None)) as connection:
        connection.execute(sql)


def is_logged(home: Home, words: str) -> bool:
    return words in (home.path / "logs" / "daemon.log").read_text()


# ---- Pause and resume


def test_group_is_paused_and_resumed(home: Home, shelf: Shelf) -> None:
    """Neither earlier nor later jobs of the group start; other jobs do."""
    for run in (RUN, OTHER, "SRR000003"):
        home.keep(run, shelf.archive("one_read"))
    home("compute", RUN, "-g", "pilot", "--priority", "9").expect(0)
    home("daemon", "pause", "-g", "pilot").expect(0)
    home("compute", OTHER, "-g", "pilot").expect(0)
    home("daemon", "start").expect(0)
    home("compute", "SRR000003", "--wait").expect(0)
    assert [home.job(run).attempt for run in (RUN, OTHER)] == [0, 0]
    assert home("daemon", "status", "--json").expect(0).json()["paused_groups"] == ["pilot"]
    home("daemon", "restart").expect(0)
    home("daemon", "resume").expect(0, "pilot")
    assert [home.job(run).attempt for run in (RUN, OTHER)] == [0, 0]
    assert home("daemon", "resume", "-g", "pilot").expect(0).out == "resumed group pilot\n"
    home("wait", "-g", "pilot").expect(0)
    assert {job.state for job in home.jobs()} == {"done"}
    assert home("daemon", "resume", "-g", "pilot").expect(0).out == "group pilot was not paused\n"


# ---- Cancel


@pytest.mark.parametrize("tool", ["srapath", "sra-stat", "vdb-validate", "fastq-dump"])
def test_cancel_kills_every_tool_that_ignores_signals(tool: str, home: Home, shelf: Shelf) -> None:
    if tool != "srapath":  # an archive that only the toolkit can count, or prove
        home.keep(RUN, shelf.archive("aligned") if tool == "sra-stat" else shelf.without_sums())
    asks = '*" --version "*)' if tool != "fastq-dump" else '*" --version "*|*" -X 1 "*)'
    script = f'case " $* " in {asks} exec {TOOL / tool} "$@";; esac\ntrap "" TERM INT\nsleep 1000'
    decoder = {"WORT_DECODER": "fastq-dump"} if tool == "sra-stat" else {}
    home("daemon", "start", env={**home.with_tool(tool, script), **decoder}).expect(0)
    home("compute", RUN, "--accept-unproved").expect(0)
    until(lambda: [p for p in home.processes() if p.argv[:2] == ("sleep", "1000")], "the tool runs")
    home("cancel", RUN).expect(0)
    until(lambda: not [p for p in home.processes() if p.argv[:2] == ("sleep", "1000")], "it has ended")
    until(lambda: not (home.path / "work" / "1").exists(), "nothing is left")
    assert home.job(RUN).state == "cancelled"


# ---- Time-outs


def test_tools_that_exceed_their_time_limit_are_killed(home: Home, shelf: Shelf) -> None:
    """Each job has its own message; the children of the tools are killed, too."""
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    copy_archive(shelf.without_sums(), home.cwd / "y.sra")
    drip = 'echo ">1.1"; while :; do printf N; sleep 0.1; done'
    drips = f'case " $* " in *" --fasta "*) {drip};; esac\nexec {FASTQ_DUMP} "$@"'
    env = home.with_tool("fastq-dump", drips)
    done = home("compute", "x.sra", "--now", env={**env, "WORT_SLICE_TIMEOUT": "1"})
    done.expect(75, "timeout", "took longer than 1 seconds", "slice_timeout")
    home.until_idle()
    (home.root / "bin" / "fastq-dump").unlink()
    hangs = f'case " $* " in *" --version "*) exec {TOOL}/vdb-validate "$@";; esac\nsleep 1000'
    done = home("compute", "y.sra", "--now", env={**home.with_tool("vdb-validate", hangs), "WORT_STALL_TIMEOUT": "1"})
    done.expect(75, "timeout", "vdb-validate did not finish within 1 seconds")
    home.until_idle()
    assert [(job.state, job.reason, job.attempt) for job in home.jobs()] == [("waiting", "timeout", 1)] * 2


# ---- Rate limits


def test_all_jobs_pause_when_a_host_limits_the_request_rate(home: Home, shelf: Shelf) -> None:
    """One job receives a 429, the other sends no request; a job whose archive is on disk is not affected."""
    home.keep("SRR000003", shelf.archive("one_read"))
    error = "error unexpected while resolving query - Too Many Requests ( 429 )"
    home.with_tool("fastq-dump", f'case " $* " in *{RUN}*) echo "{error}" >&2; exit 3;; esac\nexec {FASTQ_DUMP} "$@"')
    env = home.with_tool(
        "srapath",
        f'case "$1" in {RUN}) exit 1;; {OTHER}) echo https://example.invalid/x;; *) exec {TOOL}/srapath "$@";; esac',
    )
    home("compute", RUN, "--now", env=env).expect(75, "rate-limited", "Too Many Requests")
    home("compute", OTHER, "--now", env=env).expect(75, "rate-limited", "they are paused for")
    home("compute", "SRR000003", "--now", env=env).expect(0)


# ---- Clocks


def test_setting_the_clock_affects_no_job(home: Home, shelf: Shelf, gate: Gate) -> None:
    """The clock is set back by ten days while a job waits, and forward by ten days while another one runs."""
    home.keep(RUN, shelf.archive())
    home("compute", OTHER, "--now", env={**home.with_tool("srapath", "sleep 9"), "WORT_RESOLVE_TIMEOUT": "0.5"})
    assert home.job(OTHER).state == "waiting"
    (home.root / "bin" / "srapath").unlink()
    with home.running("compute", RUN, "--now", env=gate.env) as command:
        gate.until_reached()
        home("daemon", "start").expect(0)
        for _ in range(3):
            change(
                home, "UPDATE jobs SET lease_until = lease_until - 864000 WHERE state = 'running' AND owner <> 'daemon'"
            )
            until(
                lambda: not home.select("SELECT 1 FROM jobs WHERE name = ? AND lease_until < 1e9", RUN), "it is renewed"
            )
        change(home, f"UPDATE jobs SET wait_until = wait_until + 864000 WHERE name = '{OTHER}' AND state = 'waiting'")
        home.until_job(OTHER, "unavailable")
        assert (home.job(RUN).state, home.job(RUN).attempt) == ("running", 1)
        assert " (started " in home.job(RUN).owner
        gate.open()
        command.wait().expect(0)
    assert home.job(RUN).attempt == 1


# ---- Stop, reload, restart


def test_finished_slices_are_kept_when_the_daemon_stops(home: Home, shelf: Shelf) -> None:
    home.keep(RUN, shelf.archive())
    held = home.root / "held"
    held.touch()
    started = home.root / "started"
    waits = f"""
case " $* " in
*" -N 501 "*) while test -e {held}; do sleep 0.05; done;;
*" --fasta "*) echo "$*" >> {started};;
esac
exec {FASTQ_DUMP} "$@"
"""
    env = {**home.with_tool("fastq-dump", waits), **SPLIT}
    home("daemon", "start", env=env).expect(0)
    home("compute", RUN).expect(0)
    slices = home.path / "work" / "1" / "slices"
    until(lambda: slices.exists() and len(list(slices.glob("*.slice"))) == 2, "two slices are finished")
    home("daemon", "stop").expect(0)
    assert sorted(path.name for path in slices.iterdir()) == ["1-250.slice", "251-500.slice"]
    held.unlink()
    home("daemon", "start", env=env).expect(0)
    home("wait", RUN).expect(0)
    assert home.signature(RUN) == shelf.reference(shelf.archive(), RUN)
    first = [line for line in started.read_text().splitlines() if " -N 1 " in line]
    assert len(first) == 1


def test_settings_are_reloaded(home: Home, shelf: Shelf) -> None:
    """SIGHUP and `wort daemon reload` do it; invalid settings are logged and change nothing."""
    home("daemon", "reload").expect(4, "no daemon is running")
    home("daemon", "start").expect(0)
    daemon = home.daemon_pid()
    shelved = home.root / "shelf"
    copy_archive(shelf.archive("one_read"), shelved / f"{RUN}.sra")
    config = home.path / "config.toml"
    config.write_text(f'archives = ["{shelved}"]\n')
    os.kill(daemon, signal.SIGHUP)
    until(lambda: is_logged(home, "the settings were reloaded"), "they are reloaded")
    home("compute", RUN, "--wait").expect(0)
    config.write_text("archives = 7\n")
    home("daemon", "reload").expect(2, "archives")
    os.kill(daemon, signal.SIGHUP)
    until(lambda: is_logged(home, "the settings are invalid"), "they are rejected")
    config.unlink()
    copy_archive(shelf.archive("one_read"), shelved / f"{OTHER}.sra")
    home("compute", OTHER, "--wait").expect(0)
    assert home.daemon_pid() == daemon


def test_other_values_of_the_daemon_are_named(home: Home) -> None:
    """A unit that `daemon install` wrote in another shell has such values."""
    home("daemon", "start").expect(0)
    here = {"AWS_PROFILE": "lab", "WORT_QUALITY": "lite"}
    findings = home("doctor", "--json", env=here).records()
    said = [found["message"] for found in findings if found["what"] == "daemon"]
    assert "quality is prefer-normalized in the daemon, and lite here" in said
    assert "AWS_PROFILE is not set in the daemon, and lab here" in said
    sentence = "the daemon has other values than this shell of: "
    home("status", env=here).expect(0, sentence, "quality", "AWS_PROFILE")
    assert sentence not in home("status").expect(0).err


def test_invalid_settings_do_not_stop_the_running_daemon(home: Home) -> None:
    home("daemon", "start").expect(0)
    daemon = home.daemon_pid()
    home("daemon", "restart", env={"WORT_LEASE": "-1"}).expect(2, "lease")
    home("daemon", "start", env={"WORT_LEASE": "-1"}).expect(2, "lease")
    assert home.daemon_pid() == daemon
    change(home, "PRAGMA user_version = 999")
    try:
        home("daemon", "restart").expect(1, "version 999")
        assert [process for process in home.processes() if process.pid == daemon]
    finally:
        change(home, f"PRAGMA user_version = {latest_version()}")
    assert home.daemon_pid() == daemon
