"""Admission: no job starts while a disk is below its reserve or the load is too high."""

from pathlib import Path

from wort_cli.health.admission import disks_of, low_disks, unwritable_directory, why_blocked
from wort_cli.settings import load_settings
from wort_cli.system.machine import Disk

FULL, ROOMY = Disk(Path("/full"), 1, 5, 100), Disk(Path("/roomy"), 2, 6, 100)


def test_a_disk_is_low_at_its_reserve() -> None:
    assert [sentence for sentence in low_disks([FULL, ROOMY], 0) if "/full" in sentence] == low_disks([FULL, ROOMY], 0)
    assert len(low_disks([FULL, ROOMY], 6)) == 2
    assert low_disks([FULL, ROOMY], 4) == []


def test_directories_of_one_disk_are_reported_once() -> None:
    assert len(low_disks([FULL, Disk(Path("/full/too"), 1, 5, 100)], 0)) == 1


def test_low_disk_or_high_load_blocks_all_jobs() -> None:
    assert "/full" in why_blocked([ROOMY, FULL], 0, 0.0, 0.0)
    assert why_blocked([ROOMY], 0, 1000.0, 0.0) == ""
    assert why_blocked([ROOMY], 0, 3.9, 4.0) == ""
    assert "4.0" in why_blocked([ROOMY], 0, 4.0, 4.0)


def test_directories_that_do_not_exist_yet_have_a_disk(tmp_path: Path) -> None:
    disks = disks_of(load_settings({"WORT_HOME": str(tmp_path / "a" / "b")}))
    assert {disk.device for disk in disks} == {tmp_path.stat().st_dev}
    assert all(0 < disk.free <= disk.total for disk in disks)


def test_directory_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    good = Disk(tmp_path / "not" / "made" / "yet", 1, 5, 100)
    assert unwritable_directory([good, good]) == ""
    assert list(tmp_path.iterdir()) == []
    assert unwritable_directory([good, Disk(Path("/proc"), 2, 5, 100)]).startswith("nothing can be written to /proc: ")
