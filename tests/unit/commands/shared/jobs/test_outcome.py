"""Tests of the exit code of several jobs, and of the explanations of unsuccessful ones."""

from dataclasses import replace

import pytest

from tests.support.builders import request
from wort_cli.commands.shared.jobs.outcome import exit_code, explain_unsuccessful, explanation, hint
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import Job, JobState


@pytest.fixture
def job(ledger: Ledger) -> Job:
    (answer,) = ledger.jobs.enqueue([request()])
    assert answer.job_id is not None
    return ledger.jobs.get(answer.job_id)


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ("", 0),
        ("done", 0),
        ("done done", 0),
        ("unavailable", 3),
        ("unavailable unavailable", 3),
        ("unavailable done", 0),
        ("unavailable cancelled", 1),
        ("waiting cancelled", 75),
        ("failed", 1),
        ("failed waiting", 1),
        ("failed unavailable", 1),
        ("cancelled", 1),
        ("cancelled done", 1),
        ("waiting", 75),
        ("waiting done", 75),
        ("waiting unavailable", 75),
        ("queued", 75),
        ("running done", 75),
    ],
)
def test_exit_code_follows_from_the_states_of_the_jobs(states: str, code: int) -> None:
    assert exit_code([JobState(state) for state in states.split()]) == code


@pytest.mark.parametrize(("states", "code"), [("unavailable done", 3), ("done", 0), ("failed unavailable", 1)])
def test_strict_exit_code_says_that_one_run_is_unavailable(states: str, code: int) -> None:
    assert exit_code([JobState(state) for state in states.split()], strict=True) == code


def test_failures_and_absences_are_counted_apart_and_failures_come_first(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    states = [JobState.UNAVAILABLE, JobState.DONE, JobState.FAILED, JobState.UNAVAILABLE]
    explain_unsuccessful([replace(job, state=state) for state in states], most=1)
    assert capsys.readouterr().err.splitlines() == [
        f"{job.name}: failed",
        "and 2 more: `wort status --state unavailable`",
        "of 4 jobs: 1 done, 1 failed, 2 unavailable",
    ]


@pytest.mark.parametrize("reason", [Reason.NOT_FOUND, Reason.NETWORK])
def test_explanation_has_the_reason_and_the_message(job: Job, reason: Reason) -> None:
    job_of = replace(job, state=JobState.FAILED, reason=reason, message="exit\x1b[2J no")
    output = explanation(job_of)
    assert output == f"failed, {reason}: {reason.sentence} (exit\\x1b[2J no)"


def test_explanation_of_a_waiting_job_has_the_time_of_the_next_attempt(job: Job) -> None:
    assert explanation(replace(job, state=JobState.WAITING, reason=Reason.NETWORK, wait_until=0.0)).startswith(
        "waiting until 19"
    )


@pytest.mark.parametrize("reason", Reason)
def test_hint_promises_a_retry_only_if_one_will_follow(job: Job, reason: Reason) -> None:
    waiting, failed = (replace(job, state=state, reason=reason) for state in (JobState.WAITING, JobState.FAILED))
    assert hint(waiting, daemon_runs=True) == reason.hint
    for text in (hint(waiting, daemon_runs=False), hint(failed, daemon_runs=True), hint(failed, daemon_runs=False)):
        assert text
        assert "automatically" not in text


def test_explanation_without_a_reason_is_the_state(job: Job) -> None:
    assert explanation(replace(job, state=JobState.CANCELLED)) == "cancelled"


def test_long_explanations_are_cut_off_with_a_count(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    failed = replace(job, state=JobState.FAILED, reason=Reason.CORRUPT)
    explain_unsuccessful([failed] * 3 + [replace(job, state=JobState.DONE)] * 5, most=2)
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("SRR139146: failed, corrupt") == 2
    assert output.err.count(Reason.CORRUPT.hint) == 1
    assert "and 1 more" in output.err
