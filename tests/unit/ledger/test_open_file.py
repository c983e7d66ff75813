"""The daemon notices that another file took the place of the ledger, and that no other file did."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.errors import DaemonAlreadyRunning, LedgerReplaced
from wort_cli.ledger import open_file
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.open_file import OpenLedgerFile
from wort_cli.upkeep.backups import back_up

SECOND = """
import sys
from pathlib import Path
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.open_file import OpenLedgerFile
OpenLedgerFile(Ledger(Path(sys.argv[1])).storage)
"""


class Clock:
    """A clock that a test advances."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(ledger: Ledger, clock: Clock) -> Iterator[OpenLedgerFile]:
    opened = OpenLedgerFile(ledger.storage, clock)
    yield opened
    ledger.close()
    opened.close_in_child()


def overwrite(ledger: Ledger, copy: Path) -> None:
    """Do what `cp copy ledger.db` does."""
    ledger.storage.path.write_bytes(copy.read_bytes())


def test_ledger_in_use_is_the_same_file(ledger: Ledger, file: OpenLedgerFile, clock: Clock) -> None:
    for number in range(3):
        ledger.jobs.enqueue([request(f"SRR00000{number}")])
        clock.now += open_file.MARK_AGAIN + 1
        file.check()
        with closing(sqlite3.connect(ledger.storage.path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file.check()
        ledger.close()  # as before each fork
        file.check()


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_other_file_at_the_path_is_noticed(ledger: Ledger, file: OpenLedgerFile, tmp_path: Path, how: str) -> None:
    moved = ledger.storage.path.rename(tmp_path / "moved.db")
    if how == "replaced":
        shutil.copyfile(moved, ledger.storage.path)
    with pytest.raises(LedgerReplaced, match=f"was {how}"):
        file.check()
    moved.replace(ledger.storage.path)
    file.check()


def test_backup_that_was_copied_over_the_ledger_is_noticed(
    ledger: Ledger, file: OpenLedgerFile, tmp_path: Path
) -> None:
    backup = back_up(ledger, tmp_path / "backup.db")
    file.check()
    overwrite(ledger, backup.path)
    with pytest.raises(LedgerReplaced, match="overwritten"):
        file.check()


def test_backup_that_is_copied_over_the_ledger_during_a_check_gets_no_mark(
    ledger: Ledger, file: OpenLedgerFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = back_up(ledger, tmp_path / "backup.db")
    write_and_checkpoint(ledger.storage.path, "soil")  # the file has changed, so the check marks it
    monkeypatch.setattr(file, "_check_moves", lambda: overwrite(ledger, backup.path))
    with pytest.raises(LedgerReplaced, match="overwritten"):
        file.check()


def test_backup_that_is_copied_over_the_ledger_before_the_first_mark_is_there_is_noticed(
    ledger: Ledger, file: OpenLedgerFile, tmp_path: Path
) -> None:
    backup = back_up(ledger, tmp_path / "backup.db")
    ledger.close()
    file.close_in_child()
    with closing(sqlite3.connect(ledger.storage.path)) as reader:
        write_and_checkpoint(ledger.storage.path, "soil")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()  # from now on the log cannot be written to the file
        write_and_checkpoint(ledger.storage.path, "water")
        second = OpenLedgerFile(ledger.storage)
        second.check()
        overwrite(ledger, backup.path)
        with pytest.raises(LedgerReplaced, match="overwritten"):
            second.check()
        second.close_in_child()


def write_and_checkpoint(path: Path, name: str) -> None:
    """Do what a command does that writes to the ledger, and by whom the log is written to the file."""
    with closing(sqlite3.connect(path)) as other:
        other.execute("INSERT INTO paused_groups VALUES (?)", (name,))
        other.commit()
        other.execute("PRAGMA wal_checkpoint(PASSIVE)")


def test_raw_copy_from_a_moment_ago_is_noticed(ledger: Ledger, file: OpenLedgerFile, tmp_path: Path) -> None:
    file.check()
    copy = Path(shutil.copyfile(ledger.storage.path, tmp_path / "copy.db"))
    write_and_checkpoint(ledger.storage.path, "soil")
    file.check()  # marks it
    file.check()
    overwrite(ledger, copy)
    with pytest.raises(LedgerReplaced, match="overwritten"):
        file.check()


def test_raw_copy_with_its_log_is_noticed(ledger: Ledger, file: OpenLedgerFile, tmp_path: Path) -> None:
    file.check()
    ledger.jobs.enqueue([request("SRR000001")])
    file.check()
    files = [Path(f"{ledger.storage.path}{end}") for end in ("", "-wal", "-shm")]
    for path in files:
        shutil.copyfile(path, tmp_path / path.name.replace("ledger", "copy"))
    ledger.jobs.enqueue([request("SRR000002")])
    file.check()
    for path in files:
        path.write_bytes((tmp_path / path.name.replace("ledger", "copy")).read_bytes())
    with pytest.raises(LedgerReplaced):
        file.check()


@pytest.mark.parametrize("ends", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_removed_log_is_restored(ledger: Ledger, file: OpenLedgerFile, clock: Clock, ends: tuple[str, ...]) -> None:
    file.check()
    (job,) = ledger.jobs.enqueue([request("SRR000001")])
    for end in ends:
        Path(f"{ledger.storage.path}{end}").unlink()
    clock.now += open_file.LOOK_EVERY
    file.check()
    second = Ledger(ledger.storage.path)
    (other,) = second.jobs.enqueue([request("SRR000002")])
    for name in ("SRR000003", "SRR000004"):
        ledger.jobs.enqueue([request(name)])
    file.check()
    with closing(sqlite3.connect(ledger.storage.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (4,)
    assert (job.job_id, other.job_id) == (1, 2)
    second.close()


def test_log_of_another_process_is_not_taken_for_ours(ledger: Ledger, file: OpenLedgerFile, clock: Clock) -> None:
    file.check()
    ledger.jobs.enqueue([request("SRR000001")])
    log = Path(f"{ledger.storage.path}-wal")
    log.unlink()
    log.write_bytes(b"x" * 4096)
    clock.now += open_file.LOOK_EVERY
    with pytest.raises(LedgerReplaced, match="wal was replaced"):
        file.check()


def test_unchanged_ledger_is_not_written_to(ledger: Ledger, file: OpenLedgerFile, clock: Clock) -> None:
    for _ in range(3):
        file.check()
        clock.now += open_file.MARK_AGAIN + 1
    before = ledger.storage.path.stat(), Path(f"{ledger.storage.path}-wal").stat().st_mtime_ns
    for _ in range(3):
        file.check()
        clock.now += open_file.MARK_AGAIN + 1
    assert (ledger.storage.path.stat(), Path(f"{ledger.storage.path}-wal").stat().st_mtime_ns) == before


def test_emptied_file_is_noticed(ledger: Ledger, file: OpenLedgerFile) -> None:
    ledger.storage.path.write_bytes(b"")
    with pytest.raises(LedgerReplaced):
        file.check()


def test_second_daemon_cannot_serve_the_ledger(ledger: Ledger, file: OpenLedgerFile) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SECOND, ledger.storage.path], capture_output=True, text=True, check=False
    )
    assert DaemonAlreadyRunning.__name__ in done.stderr
