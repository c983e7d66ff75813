"""Tests of the decisions on which files of jobs are kept."""

import pytest

from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.upkeep.retention import (
    ATTEMPT_GRACE,
    DAY,
    GRACE,
    JobSummary,
    backup_is_due,
    backups_to_remove,
    why_remove_attempt,
    why_remove_log,
    why_remove_workspace,
)

NOW = 1_800_000_000.0
LIVE = [state for state in JobState if state.is_live]
ENDED = [state for state in JobState if not state.is_live]


def job(state: JobState, reason: Reason | None = None, ended: float = DAY, attempt: int = 2) -> JobSummary:
    return JobSummary(1, state, reason, attempt, None if state.is_live else NOW - ended)


def is_removed(summary: JobSummary | None, *, has_sealed: bool = False) -> bool:
    return bool(why_remove_workspace(summary, NOW, has_sealed=has_sealed, keep_sealed=30))


@pytest.mark.parametrize("state", LIVE)
def test_workspace_of_a_live_job_is_kept(state: JobState) -> None:
    assert not is_removed(job(state))


@pytest.mark.parametrize("state", ENDED)
def test_workspace_of_an_ended_job_is_removed_after_a_grace_period(state: JobState) -> None:
    assert is_removed(job(state, ended=GRACE + 1))
    assert not is_removed(job(state, ended=GRACE - 1))
    assert not is_removed(job(state, ended=-DAY))  # the clock was set back


def test_workspace_of_an_unknown_job_is_removed() -> None:
    assert is_removed(None)


@pytest.mark.parametrize("reason", [Reason.STORAGE_DOWN, Reason.STORAGE_DENIED, Reason.CONFLICT])
def test_unpublished_sealed_signature_is_kept_for_some_days(reason: Reason) -> None:
    failed = job(JobState.FAILED, reason)
    assert not is_removed(failed, has_sealed=True)
    assert is_removed(failed, has_sealed=False)
    assert is_removed(job(JobState.FAILED, reason, ended=31 * DAY), has_sealed=True)
    assert is_removed(job(JobState.FAILED, Reason.CORRUPT), has_sealed=True)
    assert is_removed(job(JobState.CANCELLED, reason), has_sealed=True)


def test_only_the_running_attempt_of_a_live_job_keeps_its_directory() -> None:
    running, queued = job(JobState.RUNNING, attempt=2), job(JobState.QUEUED, attempt=2)
    old = ATTEMPT_GRACE + 1
    assert not why_remove_attempt(running, 2, old)
    assert not why_remove_attempt(running, 3, old)
    assert why_remove_attempt(running, 1, old)
    assert not why_remove_attempt(running, 1, ATTEMPT_GRACE - 1)
    assert why_remove_attempt(queued, 2, old)


def test_log_is_kept_for_the_configured_days() -> None:
    assert not why_remove_log(job(JobState.DONE, ended=29 * DAY), NOW, 0, 30)
    assert why_remove_log(job(JobState.DONE, ended=31 * DAY), NOW, 0, 30)
    assert not why_remove_log(job(JobState.QUEUED), NOW, 99 * DAY, 30)
    assert not why_remove_log(None, NOW, 29 * DAY, 30)
    assert why_remove_log(None, NOW, 31 * DAY, 30)


def test_oldest_backups_are_removed_but_one_is_always_kept() -> None:
    names = ["ledger-3.db", "ledger-1.db", "ledger-2.db"]
    assert backups_to_remove(names, 2) == ["ledger-1.db"]
    assert backups_to_remove(names, 3) == []
    assert backups_to_remove(names, 0) == ["ledger-1.db", "ledger-2.db"]


def test_backup_is_due_if_the_newest_is_old_or_from_the_future() -> None:
    assert backup_is_due(None, NOW, 24)
    assert backup_is_due(NOW - DAY, NOW, 24)
    assert not backup_is_due(NOW - DAY + 1, NOW, 24)
    assert backup_is_due(NOW + DAY, NOW, 24)
