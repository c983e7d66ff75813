"""Tests of waiting for jobs, and of the display of their progress."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.api.waiting import LONG_WAIT, TimedOut, ends_soon
from wort_cli.commands.shared.showing import follow as follow_module
from wort_cli.commands.shared.showing.follow import DaemonWatch, follow
from wort_cli.commands.shared.showing.progress_display import PlainLines
from wort_cli.errors import ExitCode
from wort_cli.health import status
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Job, JobState
from wort_cli.model.job_result import JobResult
from wort_cli.settings import load_settings
from wort_cli.system.daemon_lock import DaemonInfo


@pytest.fixture
def job(ledger: Ledger) -> Job:
    """Enqueue a run; return its job."""
    (answer,) = ledger.jobs.enqueue([request()])
    return ledger.jobs.get(answer.job_id or 0)


def test_follow_returns_ended_jobs_in_the_given_order(ledger: Ledger, job: Job) -> None:
    (answer,) = ledger.jobs.enqueue([request("SRR100001")])
    other = answer.job_id or 0
    ledger.jobs.cancel([job.id, other])
    assert [(found.id, found.state) for found in follow(ledger, [other, job.id])] == [
        (other, JobState.CANCELLED), (job.id, JobState.CANCELLED),
    ]  # fmt: skip


def test_follow_times_out_while_a_job_is_queued(ledger: Ledger, job: Job) -> None:
    with pytest.raises(TimedOut) as error:
        follow(ledger, [job.id], timeout=0)
    assert error.value.exit_code is ExitCode.TEMPORARY
    assert error.value.sentence == "1 of 1 jobs have not ended"


@pytest.mark.parametrize(
    ("state", "seconds", "expected"),
    [
        (JobState.QUEUED, None, True),
        (JobState.RUNNING, None, True),
        (JobState.WAITING, LONG_WAIT - 5, True),
        (JobState.WAITING, LONG_WAIT + 5, False),
        (JobState.DONE, None, False),
        (JobState.CANCELLED, None, False),
    ],
)
def test_job_is_waited_for_unless_its_next_attempt_is_far_away(
    job: Job, state: JobState, seconds: float | None, expected: bool
) -> None:
    wait_until = None if seconds is None else time.time() + seconds
    assert ends_soon(replace(job, state=state, wait_until=wait_until)) is expected


def test_job_that_waits_for_long_is_not_counted_as_ended(
    ledger: Ledger, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.jobs.enqueue([request("SRR100001")])
    attempt = ledger.attempts.claim(job.id, "me", 60)
    assert attempt is not None
    failure = Failure(Reason.NETWORK, "no answer")
    ledger.attempts.finish(JobResult(job.id, attempt.attempt, failure=failure), RetryPolicy(delay=1000))
    seen = list[int]()

    def update(jobs: object, ended: int) -> None:
        seen.append(ended)
        ledger.jobs.cancel([job.id + 1])

    display = PlainLines(2)
    monkeypatch.setattr(display, "update", update)
    monkeypatch.setattr(follow_module, "make_display", lambda total: display)
    assert [found.state for found in follow(ledger, [job.id, job.id + 1])] == [JobState.WAITING, JobState.CANCELLED]
    assert seen == [0, 1]


def test_nothing_is_displayed_if_no_job_is_waited_for(
    ledger: Ledger, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.jobs.cancel([job.id])
    monkeypatch.delattr(follow_module, "make_display")
    assert [found.state for found in follow(ledger, [job.id])] == [JobState.CANCELLED]


def test_pipe_gets_one_line_for_each_of_several_ended_jobs(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    failed = replace(job, state=JobState.FAILED, reason=Reason.CORRUPT)
    with PlainLines(2) as display:
        display.update([job], 0)
        display.update([failed], 1)
        display.update([failed], 1)
    with PlainLines(1) as display:
        display.update([failed], 1)
    assert capsys.readouterr() == ("", "SRR139146: failed, corrupt\n")


def test_waiting_says_once_when_the_daemon_starts_no_jobs(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings({"WORT_HOME": str(tmp_path)})
    watch = DaemonWatch(ledger, settings)
    monkeypatch.setattr(follow_module, "LOOK_EVERY", 0.0)

    def said() -> str:
        watch.look()
        watch.look()
        return capsys.readouterr().err

    assert said() == "the daemon has stopped; the jobs stay in the queue until `wort daemon start`\n"
    running = DaemonInfo(pid=1, started_at=time.time(), version="x", host="here")
    monkeypatch.setattr(status, "running_daemon", lambda _: running)
    assert said() == "the daemon starts jobs again\n"
    ledger.controls.pause()
    assert said() == "the queue is paused: `wort daemon resume`\n"
    ledger.controls.resume()
    ledger.controls.pause_group("soil")
    assert said() == "these groups are paused: soil\n"
    ledger.controls.resume_group("soil")
    monkeypatch.setattr(status, "problems", lambda *_: ["a disk is full"])
    assert said() == "the daemon is unhealthy: a disk is full (`wort daemon status`)\n"
