"""The steps that the page of a submission shows, for each state of its intake and its verification."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.served_home import SUBMITTED, ServedHome
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.intake import Intake, IntakeState
from wort_cli.model.job import JobState, Progress, Source
from wort_cli.model.verdict import Depth
from wort_cli.reading.checks import IN_THE_SANDBOX, Check
from wort_cli.web.pages.submission_page import FAILED, NOW, OPEN, PASSED, STOPPED, checks_of, submission_page

DIGEST = "e" * 64


def intake(state: IntakeState, step: str = "") -> Intake:
    return Intake("A" * 16, "ann", "x.sig", 0.0, state, step, why="it is wrong", place="byte 7")


def test_checks_of_the_reader_are_under_way_together() -> None:
    found = {step.name: step.state for step in checks_of(intake(IntakeState.CHECKING, Check.LIMITS), None)}
    assert found.pop(Check.RECEIVED) == PASSED
    assert {name for name, state in found.items() if state == NOW} == IN_THE_SANDBOX
    assert {found[check] for check in (Check.NAME, Check.PUBLIC, Check.STORED)} == {OPEN}


@pytest.mark.parametrize("check", Check)
def test_checks_before_the_one_that_failed_have_passed(check: Check) -> None:
    steps = checks_of(intake(IntakeState.REFUSED, check), None)
    at = list(Check).index(check)
    assert [step.state for step in steps] == [PASSED] * at + [FAILED] + [OPEN] * (len(Check) - at - 1)
    assert steps[at].detail == "it is wrong (byte 7)"


def test_first_check_is_under_way_before_any_is_recorded() -> None:
    assert [step.state for step in checks_of(intake(IntakeState.CHECKING), None)][:2] == [NOW, OPEN]


def test_every_check_says_what_it_is_about() -> None:
    assert all(check.sentence for check in Check)


# ---- the course of a verification


@pytest.fixture
def home(tmp_path: Path) -> Iterator[ServedHome]:
    ledger = Ledger(tmp_path / "ledger.db")
    yield ServedHome(tmp_path, ledger)
    ledger.close()


def verification(home: ServedHome) -> int:
    home.submit(SUBMITTED)
    [one] = home.ledger.submissions.named(Accession(SUBMITTED))
    request = VerifyRequest(Source(Accession(SUBMITTED)), one.profile, one.path, one.digest, Depth.FULL)
    return home.ledger.submissions.enqueue_verifications([request])[0]


def course(home: ServedHome) -> list[str]:
    page = submission_page(home.ledger, DIGEST, is_checked_here=False)
    assert page is not None
    assert page.is_live is (page.job is not None and JobState(page.job.state).is_live)
    return [step.state for step in page.course]


@pytest.mark.parametrize(
    ("stage", "states"),
    [
        ("looking", [PASSED, NOW, OPEN, OPEN]),
        ("fetching", [PASSED, NOW, OPEN, OPEN]),
        ("sketching", [PASSED, PASSED, NOW, OPEN]),
        ("comparing", [PASSED, PASSED, PASSED, NOW]),
    ],
)
def test_course_follows_the_stages_of_the_job(home: ServedHome, stage: str, states: list[str]) -> None:
    job = verification(home)
    assert course(home) == [NOW, OPEN, OPEN, OPEN]
    attempt = home.claim(job)
    home.ledger.attempts.report_progress(job, attempt, Progress(stage, 1, 2, 3, time.time()))
    assert course(home) == states


def test_course_ends_where_the_job_failed(home: ServedHome) -> None:
    home.finish(verification(home), failure=Failure(Reason.CORRUPT, "the md5 is wrong"))
    assert course(home) == [PASSED, FAILED, OPEN, OPEN]


def test_course_begins_again_while_the_job_waits(home: ServedHome) -> None:
    home.finish(verification(home), failure=Failure(Reason.NETWORK, "no answer"))
    page = submission_page(home.ledger, DIGEST, is_checked_here=False)
    assert page is not None and page.course[0].detail == f"it is tried again: {Reason.NETWORK.sentence}"


def test_submission_without_a_verification_has_no_course(home: ServedHome) -> None:
    home.submit(SUBMITTED)
    assert course(home) == []


@pytest.mark.parametrize(
    ("age", "is_checked_here", "heading", "is_live"),
    [
        (STOPPED + 1, False, "Interrupted", False),
        (STOPPED + 1, True, "Being checked", True),
        (0.0, False, "Being checked", True),
    ],
)
def test_intake_of_a_server_that_stopped_is_interrupted(
    home: ServedHome, age: float, is_checked_here: bool, heading: str, is_live: bool
) -> None:
    home.ledger.intakes.add(Intake("A" * 16, "ann", "x.sig", time.time() - age))
    page = submission_page(home.ledger, "A" * 16, is_checked_here=is_checked_here)
    assert page is not None
    assert (page.heading, page.is_live) == (heading, is_live)


def test_intake_that_has_ended_does_not_change(home: ServedHome) -> None:
    intakes, made = home.ledger.intakes, Intake("A" * 16, "ann", "x.sig", time.time())
    intakes.add(made)
    intakes.end(replace(made, state=IntakeState.REFUSED, step="md5", why="it is wrong", ended_at=time.time()))
    intakes.end(replace(made, state=IntakeState.ACCEPTED))
    intakes.step(made.id, "name")
    found = intakes.get(made.id)
    assert found is not None and (found.state, found.step) == (IntakeState.REFUSED, "md5")


def test_newest_intakes_that_were_not_accepted_are_kept(home: ServedHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.ledger.intakes.KEPT", 2)
    intakes = home.ledger.intakes
    for n in range(5):
        made = Intake(f"{n:016}", "ann", "x.sig", time.time())
        intakes.add(made)
        intakes.end(replace(made, state=IntakeState.ACCEPTED if n == 1 else IntakeState.REFUSED))
    assert [one.id[-1] for one in intakes.newest("ann", 10)] == ["4", "3", "1"]
    assert intakes.newest("eve", 10) == []
