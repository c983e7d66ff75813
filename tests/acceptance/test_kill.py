"""Whichever process is killed: no signature is wrong, no job is lost or done twice, no process outlives its job.

The gate (tests/support/gate.py) stops the real decoder halfway through its stream, so that processes are killed there.
"""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.gate import Gate
from tests.support.homes import FASTQ_DUMP, Home
from tests.support.polling import until
from tests.support.processes import Process, is_decoder, is_wrapper
from tests.support.shelf import Shelf, copy_archive

RUN = "SRR000001"
NUMBERS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: signal.Signals(n).name)


@pytest.fixture
def wanted(home: Home, shelf: Shelf) -> bytes:
    """Put RUN into the repository and return its correct signature."""
    home.keep(RUN, shelf.archive())
    return shelf.reference(shelf.archive(), RUN)


def tools_of(home: Home) -> list[Process]:
    """Return the tools of the running job: decoders, wrappers, the gate and the guard."""
    return [p for p in home.processes() if not any("wort" in Path(word).name for word in p.argv[:3])]


def worker_of(home: Home) -> int:
    """Return the worker process of the job, which is the parent of the guard."""
    guard = next(p for p in home.processes() if any(word.endswith("guard.py") for word in p.argv))
    stat = Path(f"/proc/{guard.pid}/stat").read_text(encoding="utf-8")
    return int(stat.rsplit(")", 1)[1].split()[1])


def assert_done(home: Home, wanted: bytes) -> None:
    """Assert that there is one job, that it is done, and that its signature is correct."""
    (job,) = home.jobs()
    assert (job.state, job.reason) == ("done", "")
    assert home.signature(RUN) == wanted
    home.until_nothing_left()
    assert home.select("SELECT count(*) FROM signatures") == [(1,)]


# ---- The decoder


@pytest.mark.parametrize(
    ("which", "number", "how"),
    [
        (is_decoder, signal.SIGKILL, "--now"),
        (is_decoder, signal.SIGTERM, "--wait"),
        (is_wrapper, signal.SIGKILL, "--wait"),
        (is_wrapper, signal.SIGTERM, "--now"),
    ],
    ids=["fastq-dump-orig, KILL", "fastq-dump-orig, TERM", "wrapper, KILL", "wrapper, TERM"],
)
def test_job_is_retried_after_its_decoder_is_killed(
    which: Callable[[Process], bool], number: int, how: str, home: Home, gate: Gate, wanted: bytes
) -> None:
    """SIGTERM makes the real decoder end cleanly at the end of a record."""
    if how == "--wait":
        home("daemon", "start", env=gate.env).expect(0)
    with home.running("compute", RUN, how, env=gate.env) as command:
        gate.until_reached()
        until(lambda: [p for p in home.processes() if which(p)])[0].kill(number)
        assert not home.signature_files()
        gate.open()
        command.wait().expect(0)
    states = home.events(RUN)
    assert [state for state, _ in states] == ["queued", "running", "waiting", "queued", "running", "done"]
    assert states[2][1] in ("tool-crash", "incomplete")
    assert_done(home, wanted)


def test_job_is_retried_after_its_decoder_is_killed_without_a_gate(home: Home, shelf: Shelf) -> None:
    """The same with the unmodified toolkit: the decoder is killed when it has written a part.

    Nothing reads its pipe meanwhile, so that it cannot end before.
    """
    archive = copy_archive(shelf.large(50_000), home.cwd / "large.sra")
    with home.running("compute", "large.sra", "--now", env={"WORT_DECODER": "fastq-dump"}) as command:
        decoder = until(home.decoders, "the decoder runs", pause=0.002)[0]
        command.signal(signal.SIGSTOP)
        until(lambda: decoder.written() > 50_000, "it has written")
        decoder.kill()
        command.signal(signal.SIGCONT)
        command.wait().expect(0)
    assert home.job("large").attempt == 2
    assert home.signature("large") == shelf.reference(archive, "large")


# ---- The worker and the daemon


def test_job_is_retried_after_its_worker_is_killed(home: Home, gate: Gate, wanted: bytes) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", RUN).expect(0)
    gate.until_reached()
    tools = [p.pid for p in tools_of(home)]
    os.kill(worker_of(home), signal.SIGKILL)
    until(lambda: not {p.pid for p in home.processes()} & set(tools), "its tools have ended")
    home("wait", RUN).expect(0)
    assert ("waiting", "interrupted") in home.events(RUN)
    assert_done(home, wanted)


def test_killed_idle_worker_is_replaced(home: Home, wanted: bytes) -> None:
    home("daemon", "start").expect(0)
    daemon = home.daemon_pid()
    for process in home.processes():
        if process.pid != daemon:
            process.kill()
    home("compute", RUN, "--wait").expect(0)
    assert_done(home, wanted)


@pytest.mark.parametrize("by", ["kill -9", "stop --now"])
def test_job_is_requeued_after_the_daemon_is_killed(by: str, home: Home, gate: Gate, wanted: bytes) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", RUN).expect(0)
    gate.until_reached()
    if by == "kill -9":
        os.kill(home.daemon_pid(), signal.SIGKILL)
    else:
        home("daemon", "stop", "--now").expect(0)
    home.until_idle()
    home("daemon", "status").expect(3)
    assert not home.signature_files()
    assert home.job(RUN).state == "running"
    home("daemon", "start", env=gate.env).expect(0)
    home("wait", RUN).expect(0)
    assert ("queued", "interrupted") in home.events(RUN)
    assert_done(home, wanted)


def test_now_takes_over_the_job_of_a_killed_daemon(home: Home, gate: Gate, wanted: bytes) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", RUN).expect(0)
    gate.until_reached()
    with home.running("compute", RUN, "--now") as now:
        until(lambda: "the daemon is running job 1; waiting for it" in now.err.read_text(), "--now follows the daemon")
        home("daemon", "stop", "--now").expect(0)
        now.wait().expect(0)
    assert ("queued", "interrupted") in home.events(RUN)
    assert_done(home, wanted)


def test_now_runs_its_job_itself_beside_an_idle_daemon(home: Home, wanted: bytes) -> None:
    home("daemon", "start").expect(0)
    assert "waiting for it" not in home("compute", RUN, "--now").expect(0).err
    assert "waiting for it" not in home("verify", RUN, "--now").expect(0).err
    assert home.signature(RUN) == wanted


def test_now_waits_for_a_job_that_it_has_queued_and_the_daemon_has_started_first(
    home: Home, gate: Gate, shelf: Shelf, wanted: bytes
) -> None:
    """The first job keeps `--now` busy until the daemon has started the second one."""
    second = "SRR000002"
    home.keep(second, shelf.archive())
    with home.running("compute", RUN, second, "--now", env=gate.env) as now:
        gate.until_reached()
        home("daemon", "start").expect(0)
        home.until_job(second, "running", "done")
        gate.open()
        now.wait().expect(0)
    assert [home.job(name).state for name in (RUN, second)] == ["done", "done"]
    assert home.signature(RUN) == wanted


def test_all_jobs_are_done_after_the_daemon_is_killed_repeatedly(home: Home, shelf: Shelf) -> None:
    """Ten runs, two kills at arbitrary moments: all signatures are correct, and no job has failed."""
    runs = [f"SRR0000{number}" for number in range(10, 20)]
    for run in runs:
        home.keep(run, shelf.archive())
    home("compute", *runs).expect(0)
    for kills in range(1, 3):
        home("daemon", "start", env={"WORT_DECODER": "fastq-dump"}).expect(0)  # slow enough to be seen running
        daemon = home.daemon_pid()

        def enough(least: int = kills) -> bool:
            jobs = home.jobs()
            return sum(job.state == "done" for job in jobs) >= least and any(job.state == "running" for job in jobs)

        until(enough, "some are done, and some run", pause=0.005)
        os.kill(daemon, signal.SIGKILL)
        home.until_idle()
    home("daemon", "start").expect(0)
    home("wait", *runs).expect(0)
    assert [job.name for job in home.jobs()] == runs
    assert {job.state for job in home.jobs()} == {"done"}
    for run in runs:
        assert home.signature(run) == shelf.reference(shelf.archive(), run)


# ---- A process that runs with --now


def test_killed_now_leaves_a_job_that_can_be_run_again(home: Home, gate: Gate, wanted: bytes) -> None:
    with home.running("compute", RUN, "--now", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGKILL)
        assert command.wait().code == -signal.SIGKILL
        home.until_idle()
    assert home.job(RUN).state == "running"
    home("compute", RUN, "--now", env=gate.env).expect(0)
    assert ("queued", "interrupted") in home.events(RUN)
    assert_done(home, wanted)


@pytest.mark.parametrize("number", ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_task_that_is_asked_to_end_reports_what_it_has_not_computed(
    number: str, home: Home, gate: Gate, wanted: bytes
) -> None:
    """Its exit code is that of a passing failure, and a second signal does not keep it from reporting."""
    report = home.root / "report.jsonl"
    env = {**gate.env, "WORT_FETCH_AHEAD": "0"}
    with home.running("compute", RUN, "SRR000002", "--now", "--report", str(report), env=env) as command:
        gate.until_reached()
        command.signal(signal.Signals[number])
        command.signal(signal.SIGTERM)
        command.wait().expect(75, "terminated by SIG")
    home.until_idle()
    lines = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    assert [(line["name"], line["state"], line["reason"]) for line in lines] == [
        (RUN, "queued", "interrupted"),
        ("SRR000002", "queued", None),
    ]
    elsewhere = home("import", str(report))
    assert "2 queued" in elsewhere.err


def test_terminated_now_requeues_its_job(home: Home, gate: Gate, wanted: bytes) -> None:
    with home.running("compute", RUN, "--now", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGTERM)
        done = command.wait()
    home.until_idle()
    assert done.code in (75, 128 + signal.SIGTERM, -signal.SIGTERM), str(done)
    assert home.job(RUN).state == "queued"
    home("daemon", "start", env=gate.env).expect(0)
    home("wait", RUN).expect(0)
    assert_done(home, wanted)


def test_interrupted_now_cancels_its_job(home: Home, gate: Gate, wanted: bytes) -> None:
    with home.running("compute", RUN, "--now", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGINT)
        command.wait().expect(130)
    home.until_idle()
    assert home.job(RUN).state == "cancelled"
    assert not home.signature_files()
    home("compute", RUN, "--now", env=gate.env).expect(0)
    assert_done(home, wanted)


def test_interrupted_now_cancels_all_jobs_that_it_queued(home: Home, shelf: Shelf, gate: Gate, wanted: bytes) -> None:
    assert wanted
    home.keep("SRR000002", shelf.archive())
    with home.running("compute", RUN, "SRR000002", "--now", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGINT)
        command.wait().expect(130)
    assert [(job.state, job.attempt) for job in home.jobs()] == [("cancelled", 1), ("cancelled", 0)]


def test_now_can_be_interrupted_while_it_waits_for_a_retry(home: Home, shelf: Shelf) -> None:
    """Between two attempts there is no decoder, but the process still owns the job."""
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    env = home.with_tool("fastq-dump", f'case " $* " in *" --fasta "*) exit 9;; *) exec {FASTQ_DUMP} "$@";; esac')
    with home.running("compute", "x.sra", "--now", env=env) as command:
        home.until_job("x", "waiting")
        command.signal(signal.SIGINT)
        command.wait().expect(130)
    assert home.job("x").state == "cancelled"


# ---- Orderly ends


@NUMBERS
def test_foreground_daemon_stops_on_signals(number: int, home: Home, gate: Gate, wanted: bytes) -> None:
    with home.running("daemon", "start", "--foreground", env=gate.env) as daemon:
        until(lambda: home("daemon", "status").code == 0, "the daemon runs")
        home("compute", RUN).expect(0)
        gate.until_reached()
        daemon.signal(number)
        done = daemon.wait().expect(0)
    home.until_idle()
    assert "the daemon has stopped" in done.err
    job = home.job(RUN)
    assert (job.state, job.reason, job.attempt) == ("queued", "interrupted", 1)
    assert not home.leftovers()
    home("daemon", "start", env=gate.env).expect(0)
    home("wait", RUN).expect(0)
    assert_done(home, wanted)


def test_daemon_outlives_its_terminal(home: Home, wanted: bytes) -> None:
    home("daemon", "start").expect(0)
    os.kill(home.daemon_pid(), signal.SIGHUP)
    home("compute", RUN, "--wait").expect(0)
    assert_done(home, wanted)


def test_detaching_leaves_the_job_running(home: Home, gate: Gate, wanted: bytes) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    with home.running("compute", RUN, "--wait", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGINT)
        command.wait().expect(130)
    assert home.job(RUN).state == "running"
    gate.open()
    home("wait", RUN).expect(0)
    assert home.job(RUN).attempt == 1
    assert_done(home, wanted)


# ---- A decoder whose output is incomplete


# By the name of the run: the summary lines that follow a stream of only the first 200 reads.  `head` closes the pipe,
# so the real decoder ends without its two summary lines; therefore those of a whole run are made separately.
LIARS = {
    "SRR000001": "true",
    "SRR000002": '{real} "$@" 2>&1 > /dev/null | cat >&2',
    "SRR000003": 'echo "Read 100 spots for x" >&2; echo "Written 100 spots for x" >&2',
    "SRR000004": 'for _ in 1 2; do {real} "$@" 2>&1 > /dev/null | cat >&2; done',
    "SRR000005": 'echo "Read 2000 spots for x" >&2',
    "SRR000006": 'echo "Read 2000 spots for x" >&2; echo "Written 99 spots for x" >&2',
}


def test_stream_that_stops_cleanly_at_a_record_is_incomplete(home: Home, shelf: Shelf) -> None:
    """The stream ends cleanly and the exit code is 0.  All cases run at once, because each is tried three times."""
    cases = "\n".join(f"*{run}.sra) {summary.format(real=FASTQ_DUMP)} ;;" for run, summary in LIARS.items())
    liar = f"""
case " $* " in *" --fasta "*) ;; *) exec {FASTQ_DUMP} "$@" ;; esac
{FASTQ_DUMP} "$@" 2> /dev/null | head -n 400
case "${{@: -1}}" in
{cases}
esac
exit 0
"""
    for run in LIARS:
        home.keep(run, shelf.archive())
    home("daemon", "start", env={**home.with_tool("fastq-dump", liar), "WORT_JOBS": "3"}).expect(0)
    home("compute", *LIARS, "--wait").expect(1, "incomplete", "reads are missing", "prefetch")
    assert [(job.state, job.reason, job.attempt) for job in home.jobs()] == [("failed", "incomplete", 3)] * len(LIARS)
    assert not home.signature_files()
    home("daemon", "stop").expect(0)
    home("compute", "SRR000001", "--now").expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")


def test_archive_that_changes_while_it_is_read_is_read_again(home: Home, shelf: Shelf, gate: Gate) -> None:
    archive = home.cwd / "x.sra"
    archive.write_bytes(shelf.archive().read_bytes())
    with home.running("compute", "x.sra", "--now", env=gate.env) as command:
        gate.until_reached()
        archive.touch()
        gate.open()
        command.wait().expect(0)
    assert ("waiting", "incomplete") in home.events("x")
    assert home.job("x").attempt == 2
    assert home.signature("x") == shelf.reference(shelf.archive(), "x")
