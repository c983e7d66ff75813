"""Several jobs end in one exit code, and each that did not end well is explained."""

from dataclasses import replace

import pytest

from tests.support.builders import request
from wort_cli.commands.shared.outcome import exit_code, explain_unsuccessful, explanation
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
        ("unavailable done", 1),
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
def test_the_exit_code_follows_from_the_states(states: str, code: int) -> None:
    assert exit_code([JobState(state) for state in states.split()]) == code


@pytest.mark.parametrize("reason", [Reason.NOT_FOUND, Reason.NETWORK])
def test_a_job_that_did_not_end_well_is_explained_with_its_hint(job: Job, reason: Reason) -> None:
    said = explanation(replace(job, state=JobState.FAILED, reason=reason, message="it said\x1b[2J no"))
    assert said == f"failed, {reason}: {reason.sentence} (it said\\x1b[2J no)\n  {reason.hint}"


def test_of_a_job_that_waits_it_is_said_until_when(job: Job) -> None:
    assert explanation(replace(job, state=JobState.WAITING, reason=Reason.NETWORK, wait_until=0.0)).startswith(
        "waiting until 19"
    )


def test_a_job_without_a_reason_is_just_in_its_state(job: Job) -> None:
    assert explanation(replace(job, state=JobState.CANCELLED)) == "cancelled"


def test_many_are_explained_in_part(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    failed = replace(job, state=JobState.FAILED, reason=Reason.CORRUPT)
    explain_unsuccessful([failed] * 3 + [replace(job, state=JobState.DONE)] * 5, most=2)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("SRR139146: failed, corrupt") == 2
    assert "and 1 more" in said.err
