"""No orphans: whichever process is killed or stopped, no process of the job is left after five seconds.

A process that is stopped (SIGSTOP) handles no signals and stops no other process; the process that notices kills it.
"""

import contextlib
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.gate import Gate
from tests.support.homes import FASTQ_DUMP, Home
from tests.support.polling import until, until_soon
from tests.support.processes import Process
from tests.support.shelf import Shelf, copy_archive

RUN = "SRR000001"
WITHIN = 5.0
LEASE = 4.0
"""Seconds without a heartbeat after which a worker is lost; not shorter, because a busy machine delays heartbeats."""


@pytest.fixture
def wanted(home: Home, shelf: Shelf) -> bytes:
    """Put RUN into the repository and return its correct signature."""
    home.keep(RUN, shelf.archive())
    return shelf.reference(shelf.archive(), RUN)


def is_guard(process: Process) -> bool:
    return any(word.endswith("guard.py") for word in process.argv)


def stat_of(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()


def guard_of(home: Home) -> Process:
    return next(process for process in home.processes() if is_guard(process))


def group_of(home: Home) -> list[Process]:
    """Return all tools of the running job, including its guard."""
    leader, found = guard_of(home).pid, []
    for process in home.processes():
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            if os.getpgid(process.pid) == leader:
                found.append(process)
    return found


def worker_of(home: Home) -> int:
    """Return the worker process of the job, which is the parent of the guard."""
    return int(stat_of(guard_of(home).pid)[1])


def until_ended(pids: list[int], within: float = WITHIN) -> None:
    def left() -> list[int]:
        return [pid for pid in pids if not Process(pid, "", ()).is_zombie()]

    until_soon(lambda: not left(), f"all of {pids} have ended", within)


def assert_done(home: Home, wanted: bytes) -> None:
    """Assert that there is one job, that it is done, and that its signature is correct."""
    (job,) = home.jobs()
    assert (job.state, job.reason) == ("done", "")
    assert home.signature(RUN) == wanted
    home.until_nothing_left()


def start_run(home: Home, gate: Gate, **env: str) -> list[int]:
    """Start a daemon, wait until it is halfway through RUN, and return the process numbers of the job's tools."""
    home("daemon", "start", env={**gate.env, **env}).expect(0)
    home("compute", RUN).expect(0)
    gate.until_reached()
    return [process.pid for process in group_of(home)]


# ---- Killed


def test_tools_end_when_their_guard_is_killed(home: Home, gate: Gate, wanted: bytes) -> None:
    """Otherwise nothing would kill them if the worker were killed next; the job is done in the next attempt."""
    tools = start_run(home, gate)
    guard_of(home).kill()
    until_ended(tools)
    home("wait", RUN).expect(0)
    assert ("waiting", "tool-crash") in home.events(RUN)
    assert_done(home, wanted)


def test_tools_end_when_guard_and_worker_are_killed(home: Home, gate: Gate, wanted: bytes) -> None:
    tools, worker = start_run(home, gate), worker_of(home)
    guard_of(home).kill()
    os.kill(worker, signal.SIGKILL)
    until_ended([*tools, worker])
    home("wait", RUN).expect(0)
    assert_done(home, wanted)


def test_stopped_tools_are_killed_when_their_worker_is_killed(home: Home, gate: Gate, wanted: bytes) -> None:
    """The guard, which would kill them, is stopped, too."""
    tools, worker = start_run(home, gate), worker_of(home)
    os.killpg(guard_of(home).pid, signal.SIGSTOP)
    os.kill(worker, signal.SIGKILL)
    until_ended([*tools, worker])
    home("wait", RUN).expect(0)
    assert ("waiting", "interrupted") in home.events(RUN)
    assert_done(home, wanted)


def test_next_daemon_kills_stopped_processes_of_a_killed_daemon(home: Home, gate: Gate, wanted: bytes) -> None:
    """It identifies them by start time and boot, so that a process with a reused number is not killed."""
    tools, worker = start_run(home, gate), worker_of(home)
    os.killpg(guard_of(home).pid, signal.SIGSTOP)
    os.kill(worker, signal.SIGSTOP)
    os.kill(home.daemon_pid(), signal.SIGKILL)
    home("daemon", "start", env=gate.env).expect(0)
    until_ended([*tools, worker])
    home("wait", RUN).expect(0)
    assert ("queued", "interrupted") in home.events(RUN)
    assert_done(home, wanted)


def test_daemon_kills_stopped_tools_of_a_killed_now(home: Home, gate: Gate, wanted: bytes) -> None:
    """The daemon requeues the job and kills the remaining processes."""
    with home.running("compute", RUN, "--now", env=gate.env) as command:
        gate.until_reached()
        tools = [process.pid for process in group_of(home)]
        os.killpg(guard_of(home).pid, signal.SIGSTOP)
        command.signal(signal.SIGKILL)
        command.wait()
    home("daemon", "start", env=gate.env).expect(0)
    until_ended(tools)
    home("wait", RUN).expect(0)
    assert_done(home, wanted)


# ---- Stopped and hung


def test_stopped_worker_is_killed_and_replaced(home: Home, gate: Gate, wanted: bytes) -> None:
    tools, worker = start_run(home, gate, WORT_LEASE=f"{LEASE}", WORT_JOBS="1"), worker_of(home)
    os.kill(worker, signal.SIGSTOP)
    until_ended([*tools, worker], LEASE + WITHIN)
    home("wait", RUN).expect(0)
    assert ("waiting", "interrupted") in home.events(RUN)
    assert "sent no heartbeat" in home.select("SELECT message FROM events WHERE after = 'waiting'")[0][0]
    assert_done(home, wanted)


def test_stopped_idle_workers_are_replaced(home: Home, wanted: bytes) -> None:
    """For the job that they did not start, this does not count as an attempt that failed."""
    home("daemon", "start", env={"WORT_LEASE": f"{LEASE}", "WORT_JOBS": "1"}).expect(0)
    daemon = home.daemon_pid()
    idle = [process for process in home.processes() if process.pid != daemon]
    for process in idle:
        process.kill(signal.SIGSTOP)
    home("compute", RUN, "--wait").expect(0)
    until_ended([process.pid for process in idle])
    assert not [reason for state, reason in home.events(RUN) if state == "waiting"]
    assert_done(home, wanted)


def test_job_that_hangs_in_its_worker_is_quarantined_at_the_third_time(home: Home, shelf: Shelf) -> None:
    """The worker sends heartbeats, but the job waits for a read that never ends."""
    archive = copy_archive(shelf.archive(), home.cwd / "x.sra")
    home("daemon", "start", env={"WORT_HANG_TIMEOUT": "1", "WORT_JOBS": "1"}).expect(0)
    home("daemon", "pause").expect(0)
    home("compute", "x.sra").expect(0)
    archive.unlink()
    os.mkfifo(archive)
    home("daemon", "resume").expect(0)
    done = home("wait", "x").expect(1, "set-aside", "the worker died repeatedly while it ran the job", "tried 3 times")
    assert "hung" in done.err
    assert (home.job("x").state, home.job("x").reason, home.job("x").attempt) == ("failed", "set-aside", 3)
    archive.unlink()
    shutil.copy(shelf.archive(), archive)
    home("daemon", "restart").expect(0)  # without the short limit: what is to be done may take long
    home("retry", "--reason", "set-aside").expect(0)
    home("wait", "x").expect(0)
    assert home.signature("x") == shelf.reference(shelf.archive(), "x")


def test_hanging_job_can_be_cancelled(home: Home, shelf: Shelf) -> None:
    """The worker is killed."""
    archive = copy_archive(shelf.archive(), home.cwd / "x.sra")
    home("daemon", "start", env={"WORT_JOBS": "1"}).expect(0)
    home("daemon", "pause").expect(0)
    home("compute", "x.sra").expect(0)
    archive.unlink()
    os.mkfifo(archive)
    home("daemon", "resume").expect(0)
    worker = home.worker_of(1, 1)
    home("cancel", "x").expect(0)
    until(lambda: not Path(f"/proc/{worker}").exists(), "the worker has ended")
    until(lambda: not (home.path / "work" / "1").exists(), "nothing is left")
    home.keep(RUN, shelf.archive())
    home("compute", RUN, "--wait").expect(0)


# ---- Crashes of the daemon


def end_busy_daemon(home: Home, env: Mapping[str, str], by: str) -> None:
    """Start a daemon, and kill or stop it while it runs a job."""
    home("daemon", "start", env={**env, "WORT_JOBS": "1", "WORT_DAEMON_CRASHES": "2"}).expect(0)
    until(lambda: [process for process in home.processes() if is_guard(process)], "the job has started")
    if by == "kill -9":
        os.kill(home.daemon_pid(), signal.SIGKILL)
    else:
        home("daemon", *by.split()).expect(0)
    until_soon(lambda: not home.processes(), "no process is left", WITHIN)


def test_job_that_was_running_when_daemons_were_killed_is_done_later(home: Home, wanted: bytes) -> None:
    """It is tried alone, and never set aside: the kernel killed nothing for memory."""
    held = home.root / "held"
    held.touch()
    env = home.with_tool(
        "fastq-dump",
        f'case " $* " in *" --fasta "*) while test -e {held}; do sleep 0.05; done;; esac\nexec {FASTQ_DUMP} "$@"',
    )
    home("compute", RUN).expect(0)
    for by in ("kill -9", "stop --now", "stop", "kill -9", "kill -9"):
        end_busy_daemon(home, env, by)
    held.unlink()
    home("daemon", "start", env={"WORT_DAEMON_CRASHES": "2"}).expect(0)
    home("wait", RUN).expect(0)
    assert home.job(RUN).attempt == 6
    assert_done(home, wanted)
