"""`wort cancel`, `wort retry` and `wort wait`, with and without a daemon."""

from tests.support.gate import Gate
from tests.support.homes import Home
from tests.support.polling import until


def test_running_and_queued_jobs_can_be_cancelled_and_retried(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("daemon", "start", env={**gate.env, "WORT_JOBS": "1"}).expect(0)
    home("compute", runs[0], runs[1]).expect(0)
    gate.until_reached()
    assert home("cancel", "2").expect(0).out == "1 job cancelled\n"
    assert home("cancel", runs[0], "--json").expect(0).json()["cancelled"] == 1
    until(lambda: not [p for p in home.processes() if "--fasta" in p.argv], "the decoder has ended")
    assert [job.state for job in home.jobs()] == ["cancelled", "cancelled"]
    assert home("cancel", "1", "2").expect(0).out == "0 jobs cancelled\n"
    home("wait", runs[0]).expect(1, "cancelled")
    assert not home.signature_files()
    home("retry", "1", "2").expect(0)
    home("wait", "1", "2").expect(0)
    assert {job.state for job in home.jobs()} == {"done"}


def test_job_of_a_now_process_can_be_cancelled(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    with home.running("compute", runs[0], "--now", env=gate.env) as command:
        gate.until_reached()
        home("cancel", runs[0]).expect(0)
        done = command.wait()
    assert done.code == 1, str(done)
    assert "cancelled" in done.err
    home.until_idle()
    assert home.job(runs[0]).state == "cancelled"


def test_job_can_be_cancelled_and_retried_while_it_runs(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    """The second attempt may be queued before the first has ended; the result of the second counts."""
    home("daemon", "start", env=gate.env).expect(0)
    home("compute", runs[0]).expect(0)
    gate.until_reached()
    home("cancel", runs[0]).expect(0)
    home("retry", runs[0]).expect(0)
    home("wait", runs[0]).expect(0)
    assert home.job(runs[0]).attempt == 2
    states = [state for state, _ in home.events(runs[0])]
    assert states == ["queued", "running", "cancelled", "queued", "running", "done"]


def test_wait_reports_states_and_limits(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("compute", runs[0]).expect(0, "no daemon is running")
    home("wait", runs[0]).expect(4, "wort daemon start")
    home("wait").expect(2)
    home("wait", runs[0], "--all").expect(2)
    home("wait", "SRR999999").expect(2, "is unknown")
    home("daemon", "start", env=gate.env).expect(0)
    gate.until_reached()
    home("wait", runs[0], "--timeout", "0.5").expect(75, "1 of 1 jobs", "they continue")
    gate.open()
    assert home("wait", runs[0], "--json").expect(0).records()[0]["state"] == "done"
    home("wait", runs[0]).expect(0)
    assert home("wait", "--all").expect(0, "no job is queued, running or waiting").rows() == []


def test_compute_and_wait_without_a_daemon_queues_nothing(home: Home, runs: tuple[str, ...]) -> None:
    home("compute", runs[0], "--wait").expect(4, "nothing was queued", "wort daemon start", "--now")
    assert not home.jobs()


def test_wait_continues_when_the_daemon_is_restarted(home: Home, gate: Gate, runs: tuple[str, ...]) -> None:
    home("daemon", "start", env=gate.env).expect(0)
    with home.running("compute", runs[0], "--wait", env=gate.env) as command:
        gate.until_reached()
        home("daemon", "restart", env=gate.env).expect(0)
        command.wait().expect(0)
    assert home.job(runs[0]).attempt == 2
