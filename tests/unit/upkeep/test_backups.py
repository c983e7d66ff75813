"""Backups of the ledger are complete and sound, and damaged ones are skipped."""

import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.builders import published, request
from wort_cli.errors import LedgerDamaged, StorageProblem
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.upkeep.backups import back_up, list_backups, make_backup, newest_sound_backup, read_backup


def test_backup_has_the_contents_of_the_ledger_in_one_file(ledger: Ledger, tmp_path: Path) -> None:
    ledger.jobs.enqueue([request(f"SRR{n:06d}") for n in range(100)])
    ledger.jobs.cancel([1, 2])
    ledger.catalog.record(published("SRR139146"))
    made = back_up(ledger, tmp_path / "here" / "copy.db")
    assert (made.jobs, made.live, made.signatures, made.submissions) == (100, 98, 1, 0)
    assert made == read_backup(made.path)
    assert [path.name for path in made.path.parent.iterdir()] == ["copy.db"]
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    copy = Ledger(made.path)
    assert [(job.id, job.state) for job in copy.jobs.named(request("SRR000005").source.name)] == [(6, "queued")]
    assert copy.check() == "ok"
    assert copy.storage.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    copy.close()


def test_backup_does_not_wait_for_an_open_transaction(ledger: Ledger, tmp_path: Path) -> None:
    """The changes of the open transaction are not in the backup."""
    ledger.jobs.enqueue([request()])
    with closing(sqlite3.connect(ledger.storage.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE jobs SET priority = 9")
        assert back_up(ledger, tmp_path / "copy.db").jobs == 1
        other.execute("COMMIT")
    copy = Ledger(tmp_path / "copy.db")
    assert copy.jobs.get(1).priority == 0
    copy.close()


def test_backup_that_cannot_be_written_raises_storage_problem(ledger: Ledger, tmp_path: Path) -> None:
    ledger.jobs.enqueue([request()])
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageProblem):
        back_up(ledger, tmp_path / "file" / "copy.db")


def test_newest_sound_backup_is_found_and_oldest_are_removed(ledger: Ledger, settings: Settings) -> None:
    directory = settings.backup_dir
    assert newest_sound_backup(directory) is None
    directory.mkdir()
    for day in range(1, 4):
        ledger.jobs.enqueue([request(f"SRR{day:06d}")])
        back_up(ledger, directory / f"ledger-2020010{day}-000000.db")
    made = make_backup(ledger, directory, 3)
    names = [path.name for path in list_backups(directory)]
    assert names[1:] == [
        "ledger-20200103-000000.db",
        "ledger-20200102-000000.db",
    ]
    assert newest_sound_backup(directory) == made
    made.path.write_bytes(b"no database" * 1000)
    os.truncate(directory / "ledger-20200103-000000.db", 10_000)
    good = newest_sound_backup(directory)
    assert good is not None
    assert (good.path.name, good.jobs) == ("ledger-20200102-000000.db", 2)


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + bytes(5000), b"x" * 9000])
def test_file_that_is_no_ledger_is_not_a_backup(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "copy.db").write_bytes(content)
    with pytest.raises(LedgerDamaged):
        read_backup(tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]


def test_backup_completes_while_another_process_writes(ledger: Ledger, tmp_path: Path) -> None:
    """SQLite does not restart the copy when the ledger changes."""
    ledger.jobs.enqueue([request(f"SRR{n:06d}") for n in range(3000)])
    with closing(sqlite3.connect(ledger.storage.path, isolation_level=None)) as other:
        started = time.monotonic()
        for number in range(20):
            other.execute("UPDATE jobs SET priority = ? WHERE id = 1", (number,))
            back_up(ledger, tmp_path / "copy.db")
        assert time.monotonic() - started < 60
    assert read_backup(tmp_path / "copy.db").jobs == 3000
