"""Jobs may not start while a disk is low or cannot be written."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.daemon.conftest import Clock
from wort_cli.daemon.admission_watch import CHECK_EVERY, WRITE_DAMAGED_EVERY, AdmissionWatch
from wort_cli.settings import Settings

UNWRITABLE = Path("/proc/self/home")
"""A place where not even root can create a file."""


def test_jobs_may_start_while_the_disks_are_good(settings: Settings, clock: Clock) -> None:
    watch = AdmissionWatch(clock)
    assert watch.check(settings) == ""
    assert watch.disk_damage == ""


def test_answer_is_reused_for_a_second(settings: Settings, clock: Clock) -> None:
    watch = AdmissionWatch(clock)
    low = replace(settings, disk_reserve=10**18)
    assert watch.check(low)
    assert watch.check(settings), "the first answer"
    clock.advance(CHECK_EVERY)
    assert watch.check(settings) == ""


def test_changes_are_logged_once(settings: Settings, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    watch = AdmissionWatch(clock)
    for reserve in (1, 10**18, 10**18, 1, 1):
        watch.check(replace(settings, disk_reserve=reserve))
        clock.advance(CHECK_EVERY)
    assert len(caplog.messages) == 2
    assert "reserve" in caplog.messages[0]
    assert caplog.messages[1] == "jobs may start again"


def test_disk_that_cannot_be_written_is_checked_more_often(settings: Settings, clock: Clock) -> None:
    watch = AdmissionWatch(clock)
    damaged = replace(settings, data_dir=UNWRITABLE)
    assert str(UNWRITABLE.parent) in watch.check(damaged)
    assert watch.disk_damage.startswith("nothing can be written to")
    clock.advance(WRITE_DAMAGED_EVERY)
    assert watch.check(settings) == ""
    assert watch.disk_damage == ""


def test_good_disk_is_not_written_to_each_second_unless_a_job_met_an_error(settings: Settings, clock: Clock) -> None:
    watch = AdmissionWatch(clock)
    watch.check(settings)
    damaged = replace(settings, data_dir=UNWRITABLE)
    clock.advance(CHECK_EVERY)
    watch.check(damaged)
    assert watch.disk_damage == ""
    watch.check_disks_now()
    watch.check(damaged)
    assert watch.disk_damage


def test_disk_that_cannot_be_examined_blocks_jobs(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OSError("Stale file handle")

    monkeypatch.setattr("os.statvfs", fail)
    monkeypatch.setattr("shutil.disk_usage", fail)
    assert "Stale file handle" in AdmissionWatch(clock).check(settings)
