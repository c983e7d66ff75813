"""The steps that the page of a submission shows, for each state of its intake and its verification."""

import pytest

from wort_cli.model.intake import Intake, IntakeState
from wort_cli.reading.checks import IN_THE_SANDBOX, Check
from wort_cli.web.pages.submission_page import FAILED, NOW, OPEN, PASSED, checks_of


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
