"""Housekeeping runs rounds in small steps, and backs the ledger up when that is due."""

import os
import time
from dataclasses import replace

import pytest

from tests.support.builders import eventually, request
from tests.unit.daemon.conftest import Clock
from wort_cli.daemon.housekeeping import CHECK_BACKUP_EVERY, ROUND_EVERY, Housekeeper
from wort_cli.errors import StorageProblem
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.upkeep.backups import list_backups, read_backup


def housekeeper_of(ledger: Ledger, settings: Settings, clock: Clock, running_jobs: tuple[int, ...] = ()) -> Housekeeper:
    return Housekeeper(ledger, settings, lambda: running_jobs, ledger.close, clock=clock)


def run_steps(housekeeper: Housekeeper, number: int = 50) -> None:
    for _ in range(number):
        housekeeper.step()


def add_leftover(settings: Settings, job_id: int = 777) -> None:
    (settings.workspace(job_id) / "slices").mkdir(parents=True)


def test_round_removes_leftovers_when_the_daemon_starts_and_every_hour(
    ledger: Ledger, settings: Settings, clock: Clock
) -> None:
    housekeeper = housekeeper_of(ledger, settings, clock)
    add_leftover(settings)
    run_steps(housekeeper)
    assert not settings.workspace(777).exists()
    add_leftover(settings)
    run_steps(housekeeper)
    assert settings.workspace(777).exists()
    clock.advance(ROUND_EVERY)
    run_steps(housekeeper)
    assert not settings.workspace(777).exists()


def test_files_of_running_jobs_are_not_touched(ledger: Ledger, settings: Settings, clock: Clock) -> None:
    add_leftover(settings)
    run_steps(housekeeper_of(ledger, settings, clock, (777,)))
    assert settings.workspace(777).exists()


def test_step_ends_when_its_budget_is_used(ledger: Ledger, settings: Settings) -> None:
    """Every look at the clock takes as long as the whole budget."""

    class SlowClock(Clock):
        def __call__(self) -> float:
            self.advance(0.1)
            return self.now

    for job_id in range(900, 910):
        add_leftover(settings, job_id)
    housekeeper = housekeeper_of(ledger, settings, SlowClock())
    housekeeper.step()
    assert sum(path.name.startswith(".gone-") for path in settings.work_dir.iterdir()) == 1
    run_steps(housekeeper, 100)
    assert list(settings.work_dir.iterdir()) == []


def test_old_events_are_pruned(ledger: Ledger, settings: Settings, clock: Clock) -> None:
    job_id = ledger.jobs.enqueue([request()])[0].job_id or 0
    for attempt in range(1, 21):
        assert ledger.attempts.claim(job_id, "x", 60.0) is not None
        ledger.attempts.requeue(job_id, attempt, "test")
    run_steps(housekeeper_of(ledger, replace(settings, keep_events=10), clock))
    assert len(ledger.jobs.events(job_id)) < 15


def test_error_ends_the_round_and_not_the_daemon(
    ledger: Ledger, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StorageProblem("the ledger cannot be read", "")

    housekeeper = housekeeper_of(ledger, settings, clock)
    add_leftover(settings)
    with monkeypatch.context() as context:
        context.setattr(ledger.storage, "rows", fail)
        run_steps(housekeeper)
    assert settings.workspace(777).exists()
    clock.advance(ROUND_EVERY)
    run_steps(housekeeper)
    assert not settings.workspace(777).exists()


def test_backup_is_made_by_a_child_process_when_it_is_due(ledger: Ledger, settings: Settings, clock: Clock) -> None:
    ledger.jobs.enqueue([request()])
    housekeeper = housekeeper_of(ledger, settings, clock)
    housekeeper.step()
    assert list_backups(settings.backup_dir) == []
    clock.advance(CHECK_BACKUP_EVERY)
    housekeeper.step()
    assert eventually(lambda: len(list_backups(settings.backup_dir)) == 1)
    (backup,) = list_backups(settings.backup_dir)
    assert read_backup(backup).jobs == 1
    clock.advance(CHECK_BACKUP_EVERY)
    housekeeper.step()
    housekeeper.stop()
    assert list_backups(settings.backup_dir) == [backup], "the next one is due in a day"
    backup = backup.rename(backup.with_name("ledger-20200101-000000.db"))  # two backups of one second are one
    os.utime(backup, (time.time() - 2 * 86400,) * 2)
    clock.advance(CHECK_BACKUP_EVERY)
    housekeeper.step()
    assert eventually(lambda: len(list_backups(settings.backup_dir)) == 2)
    housekeeper.stop()


def test_no_backup_is_made_if_none_is_configured(ledger: Ledger, settings: Settings, clock: Clock) -> None:
    housekeeper = housekeeper_of(ledger, replace(settings, backups=0), clock)
    clock.advance(CHECK_BACKUP_EVERY)
    housekeeper.step()
    housekeeper.stop()
    assert list_backups(settings.backup_dir) == []
