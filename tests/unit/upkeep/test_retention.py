"""What is kept of jobs is decided by how they ended, and when."""

import pytest

from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.upkeep.retention import (
    ATTEMPT_GRACE,
    DAY,
    GRACE,
    Standing,
    attempt_verdict,
    copies_to_remove,
    copy_is_due,
    log_verdict,
    workspace_verdict,
)

NOW = 1_800_000_000.0
LIVE = [state for state in JobState if state.is_live]
ENDED = [state for state in JobState if not state.is_live]


def standing(state: JobState, reason: Reason | None = None, ended: float = DAY, attempt: int = 2) -> Standing:
    return Standing(1, state, reason, attempt, None if state.is_live else NOW - ended)


def goes(job: Standing | None, *, has_sealed: bool = False) -> bool:
    return bool(workspace_verdict(job, NOW, has_sealed=has_sealed, keep_sealed=30))


@pytest.mark.parametrize("state", LIVE)
def test_the_workspace_of_a_live_job_stays(state: JobState) -> None:
    assert not goes(standing(state))


@pytest.mark.parametrize("state", ENDED)
def test_the_workspace_of_a_job_that_has_ended_goes_once_nobody_can_be_at_work_in_it(state: JobState) -> None:
    assert goes(standing(state, ended=GRACE + 1))
    assert not goes(standing(state, ended=GRACE - 1))
    assert not goes(standing(state, ended=-DAY))  # the clock was set back


def test_the_workspace_of_a_job_that_is_not_known_goes() -> None:
    assert goes(None)


@pytest.mark.parametrize("reason", [Reason.STORAGE_DOWN, Reason.STORAGE_DENIED, Reason.CONFLICT])
def test_a_signature_that_could_not_be_published_stays_for_a_while(reason: Reason) -> None:
    failed = standing(JobState.FAILED, reason)
    assert not goes(failed, has_sealed=True)
    assert goes(failed, has_sealed=False)
    assert goes(standing(JobState.FAILED, reason, ended=31 * DAY), has_sealed=True)
    assert goes(standing(JobState.FAILED, Reason.CORRUPT), has_sealed=True)
    assert goes(standing(JobState.CANCELLED, reason), has_sealed=True)


def test_of_a_live_job_only_the_running_attempt_has_a_directory() -> None:
    running, queued = standing(JobState.RUNNING, attempt=2), standing(JobState.QUEUED, attempt=2)
    old = ATTEMPT_GRACE + 1
    assert not attempt_verdict(running, 2, old)
    assert not attempt_verdict(running, 3, old)
    assert attempt_verdict(running, 1, old)
    assert not attempt_verdict(running, 1, ATTEMPT_GRACE - 1)
    assert attempt_verdict(queued, 2, old)


def test_a_log_stays_as_long_as_was_said() -> None:
    assert not log_verdict(standing(JobState.DONE, ended=29 * DAY), NOW, 0, 30)
    assert log_verdict(standing(JobState.DONE, ended=31 * DAY), NOW, 0, 30)
    assert not log_verdict(standing(JobState.QUEUED), NOW, 99 * DAY, 30)
    assert not log_verdict(None, NOW, 29 * DAY, 30)
    assert log_verdict(None, NOW, 31 * DAY, 30)


def test_the_oldest_copies_go_and_one_stays() -> None:
    names = ["ledger-3.db", "ledger-1.db", "ledger-2.db"]
    assert copies_to_remove(names, 2) == ["ledger-1.db"]
    assert copies_to_remove(names, 3) == []
    assert copies_to_remove(names, 0) == ["ledger-1.db", "ledger-2.db"]


def test_a_copy_is_due_when_the_newest_is_old_or_of_the_future() -> None:
    assert copy_is_due(None, NOW, 24)
    assert copy_is_due(NOW - DAY, NOW, 24)
    assert not copy_is_due(NOW - DAY + 1, NOW, 24)
    assert copy_is_due(NOW + DAY, NOW, 24)
