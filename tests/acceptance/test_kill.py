"""Whatever is killed, and whenever: no signature is wrong, no job is lost or done twice, no process outlives its job.

The gate (tests/support.py) holds the real decoder in the midst of its stream, so that what is killed is killed there.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.gate import Gate
from tests.support.homes import FASTQ_DUMP, Home
from tests.support.polling import until
from tests.support.processes import Process, is_decoder, is_wrapper
from tests.support.shelf import Shelf, link

RUN = "SRR000001"
NUMBERS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: signal.Signals(n).name)


@pytest.fixture
def wanted(home: Home, shelf: Shelf) -> bytes:
    """The right signature of RUN, which is in the repository."""
    home.keep(RUN, shelf.archive())
    return shelf.reference(shelf.archive(), RUN)


def of_the_job(home: Home) -> list[Process]:
    """The tools of the job that runs: decoders, wrappers, the gate and the guard."""
    return [p for p in home.processes() if not any("wort" in Path(word).name for word in p.argv[:3])]


def worker_of(home: Home) -> int:
    """The worker process that has the job: the parent of the guard."""
    guard = next(p for p in home.processes() if any(word.endswith("guard.py") for word in p.argv))
    stat = Path(f"/proc/{guard.pid}/stat").read_text(encoding="utf-8")
    return int(stat.rsplit(")", 1)[1].split()[1])


def only_good(home: Home, wanted: bytes) -> None:
    """That there is one job, which ended well, and the right signature."""
    (job,) = home.jobs()
    assert (job.state, job.reason) == ("done", "")
    assert home.signature(RUN) == wanted
    assert not home.leftovers()
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
def test_decoder_is_ended(
    which: Callable[[Process], bool], number: int, how: str, home: Home, gate: Gate, wanted: bytes
) -> None:
    """SIGTERM ends the real decoder cleanly at the end of a record."""
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
    only_good(home, wanted)


def test_decoder_is_killed_without_a_gate(home: Home, shelf: Shelf) -> None:
    """The same with nothing but the toolkit: 50,000 spots, killed as soon as a part has been written."""
    archive = link(shelf.large(50_000), home.cwd / "large.sra")
    with home.running("compute", "large.sra", "--now", env={"WORT_DECODER": "fastq-dump"}) as command:
        decoder = until(home.decoders, "the decoder runs", pause=0.002)[0]
        until(lambda: decoder.written() > 500_000, "it has written", pause=0.001)
        decoder.kill()
        command.wait().expect(0)
    assert home.job("large").attempt == 2
    assert home.signature("large") == shelf.reference(archive, "large")


# ---- The worker and the daemon


def test_worker_is_killed(home: Home, gate: Gate, wanted: bytes) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", RUN).expect(0)
    gate.until_reached()
    tools = [p.pid for p in of_the_job(home)]
    os.kill(worker_of(home), signal.SIGKILL)
    until(lambda: not {p.pid for p in home.processes()} & set(tools), "its tools have ended", 5)
    home("wait", RUN).expect(0)
    assert ("waiting", "interrupted") in home.events(RUN)
    only_good(home, wanted)


def test_idle_worker_is_killed(home: Home, wanted: bytes) -> None:
    home("daemon", "start").expect(0)
    daemon = home.daemon_pid()
    for process in home.processes():
        if process.pid != daemon:
            process.kill()
    home("compute", RUN, "--wait").expect(0)
    only_good(home, wanted)


@pytest.mark.parametrize("by", ["kill -9", "stop --now"])
def test_daemon_is_killed(by: str, home: Home, gate: Gate, wanted: bytes) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", RUN).expect(0)
    gate.until_reached()
    if by == "kill -9":
        os.kill(home.daemon_pid(), signal.SIGKILL)
    else:
        home("daemon", "stop", "--now").expect(0)
    home.until_idle(5)
    home("daemon", "status").expect(3)
    assert not home.signature_files()
    assert home.job(RUN).state == "running"
    home("daemon", "start", env=gate.env).expect(0)
    home("wait", RUN).expect(0)
    assert ("queued", "interrupted") in home.events(RUN)
    only_good(home, wanted)


def test_killed_daemon_leaves_the_job_to_now(home: Home, gate: Gate, wanted: bytes) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", RUN).expect(0)
    gate.until_reached()
    home("compute", RUN, "--now", env=gate.env).expect(1, "is being computed by")
    home("daemon", "stop", "--now").expect(0)
    home("compute", RUN, "--now", env=gate.env).expect(0)
    only_good(home, wanted)


def test_daemon_is_killed_again_and_again(home: Home, shelf: Shelf) -> None:
    """At whatever moment: five runs, two kills; each run is right in the end, and none was given up."""
    runs = [f"SRR0000{number}" for number in range(10, 15)]
    for run in runs:
        home.keep(run, shelf.archive())
    home("compute", *runs).expect(0)
    for kills in range(1, 3):
        home("daemon", "start").expect(0)

        def enough(least: int = kills) -> bool:
            jobs = home.jobs()
            return sum(job.state == "done" for job in jobs) >= least and any(job.state == "running" for job in jobs)

        until(enough, "some are done, and some run", 60, pause=0.005)
        os.kill(home.daemon_pid(), signal.SIGKILL)
        home.until_idle(5)
    home("daemon", "start").expect(0)
    home("wait", *runs).expect(0)
    assert [job.name for job in home.jobs()] == runs
    assert {job.state for job in home.jobs()} == {"done"}
    for run in runs:
        assert home.signature(run) == shelf.reference(shelf.archive(), run)


# ---- A process that computes by itself


def test_now_is_killed(home: Home, gate: Gate, wanted: bytes) -> None:
    with home.running("compute", RUN, "--now", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGKILL)
        assert command.wait().code == -signal.SIGKILL
        home.until_idle(5)
    assert home.job(RUN).state == "running"
    home("compute", RUN, "--now", env=gate.env).expect(0)
    assert ("queued", "interrupted") in home.events(RUN)
    only_good(home, wanted)


def test_now_is_terminated(home: Home, gate: Gate, wanted: bytes) -> None:
    with home.running("compute", RUN, "--now", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGTERM)
        done = command.wait(10)
    home.until_idle(5)
    assert done.code in (75, 128 + signal.SIGTERM, -signal.SIGTERM), str(done)
    assert home.job(RUN).state == "queued"
    home("daemon", "start", env=gate.env).expect(0)
    home("wait", RUN).expect(0)
    only_good(home, wanted)


def test_now_is_interrupted(home: Home, gate: Gate, wanted: bytes) -> None:
    with home.running("compute", RUN, "--now", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGINT)
        command.wait(10).expect(130)
    home.until_idle(5)
    assert home.job(RUN).state == "cancelled"
    assert not home.signature_files()
    home("compute", RUN, "--now", env=gate.env).expect(0)
    only_good(home, wanted)


def test_interrupted_now_cancels_all_that_it_queued(home: Home, shelf: Shelf, gate: Gate, wanted: bytes) -> None:
    assert wanted
    home.keep("SRR000002", shelf.archive())
    with home.running("compute", RUN, "SRR000002", "--now", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGINT)
        command.wait(10).expect(130)
    assert [(job.state, job.attempt) for job in home.jobs()] == [("cancelled", 1), ("cancelled", 0)]


def test_interrupted_while_waiting_for_the_next_try(home: Home, shelf: Shelf) -> None:
    """Between two tries there is no decoder to end, but the job is still this process's."""
    link(shelf.archive(), home.cwd / "x.sra")
    env = home.with_tool("fastq-dump", f'case " $* " in *" --fasta "*) exit 9;; *) exec {FASTQ_DUMP} "$@";; esac')
    with home.running("compute", "x.sra", "--now", env=env) as command:
        home.until_job("x", "waiting")
        command.signal(signal.SIGINT)
        command.wait(10).expect(130)
    assert home.job("x").state == "cancelled"


# ---- Ends in order


@NUMBERS
def test_foreground_daemon_ends_on_signals(number: int, home: Home, gate: Gate, wanted: bytes) -> None:
    with home.running("daemon", "start", "--foreground", env=gate.env) as daemon:
        until(lambda: home("daemon", "status").code == 0, "the daemon runs")
        home("compute", RUN).expect(0)
        gate.until_reached()
        daemon.signal(number)
        done = daemon.wait(10).expect(0)
    home.until_idle(1)
    assert "the daemon has stopped" in done.err
    job = home.job(RUN)
    assert (job.state, job.reason, job.attempt) == ("queued", "interrupted", 1)
    assert not home.leftovers()
    home("daemon", "start", env=gate.env).expect(0)
    home("wait", RUN).expect(0)
    only_good(home, wanted)


def test_daemon_outlives_its_terminal(home: Home, wanted: bytes) -> None:
    home("daemon", "start").expect(0)
    os.kill(home.daemon_pid(), signal.SIGHUP)
    home("compute", RUN, "--wait").expect(0)
    only_good(home, wanted)


def test_detaching_leaves_the_job_running(home: Home, gate: Gate, wanted: bytes) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    with home.running("compute", RUN, "--wait", env=gate.env) as command:
        gate.until_reached()
        command.signal(signal.SIGINT)
        command.wait(10).expect(130)
    assert home.job(RUN).state == "running"
    gate.open()
    home("wait", RUN).expect(0)
    assert home.job(RUN).attempt == 1
    only_good(home, wanted)


# ---- A decoder that lies


# By the name of the run: what a stream of which only the first 200 reads came says of itself.  `head` closes the pipe,
# by which the real decoder ends without its two lines; so those of a whole run are made apart.
LIARS = {
    "SRR000001": "true",
    "SRR000002": '{real} "$@" 2>&1 > /dev/null | cat >&2',
    "SRR000003": 'echo "Read 100 spots for x" >&2; echo "Written 100 spots for x" >&2',
    "SRR000004": 'for _ in 1 2; do {real} "$@" 2>&1 > /dev/null | cat >&2; done',
    "SRR000005": 'echo "Read 2000 spots for x" >&2',
    "SRR000006": 'echo "Read 2000 spots for x" >&2; echo "Written 99 spots for x" >&2',
}


def test_clean_stop_at_a_record_is_not_taken_for_the_end(home: Home, shelf: Shelf) -> None:
    """The stream ends cleanly and the exit code is 0; all of them at once, for each is tried three times."""
    cases = "\n".join(f"*{run}.sra) {said.format(real=FASTQ_DUMP)} ;;" for run, said in LIARS.items())
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


def test_archive_that_changes_while_it_is_read(home: Home, shelf: Shelf, gate: Gate) -> None:
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
