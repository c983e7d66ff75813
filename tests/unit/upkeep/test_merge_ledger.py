"""Valid rows that are newer than the backup are copied from a damaged ledger, and no others."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import published, request
from wort_cli.errors import StorageProblem
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.provenance import Trust
from wort_cli.settings import Settings
from wort_cli.upkeep.backups import make_backup, newest_sound_backup
from wort_cli.upkeep.merge_ledger import merge_ledger
from wort_cli.upkeep.replace_ledger import find_damage, replace_ledger

OLD, NEW = "SRR000001", "SRR000002"


@pytest.fixture
def damaged(ledger: Ledger, settings: Settings) -> Path:
    """A ledger with a backup, changed afterwards; a page of its index of events is overwritten."""
    ledger.jobs.enqueue([request(OLD)])
    make_backup(ledger, settings.backup_dir, 1)
    ledger.jobs.cancel([1])
    ledger.jobs.enqueue([request(NEW)])
    ledger.catalog.record(published(NEW))
    ledger.controls.pause()
    connection = ledger.storage.connection
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'events_of_job'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    ledger.close()
    with settings.ledger_file.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)
    assert find_damage(settings)
    return settings.ledger_file


def rows(path: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY 1").fetchall()


def test_rows_newer_than_the_backup_are_kept(damaged: Path, settings: Settings) -> None:
    tables = ("jobs", "events", "signatures", "control")
    before = {table: rows(damaged, table) for table in tables}
    sentences = list(replace_ledger(settings))
    assert "from the damaged ledger, jobs: copied 2" in sentences
    assert "from the damaged ledger, signatures: copied 1" in sentences
    assert {table: rows(settings.ledger_file, table) for table in tables} == before
    with closing(Ledger(settings.ledger_file)) as ledger:
        assert ledger.check() == "ok"
        assert [(str(job.source.name), job.state) for job in (ledger.jobs.get(1), ledger.jobs.get(2))] == [
            (OLD, "cancelled"),
            (NEW, "queued"),
        ]
        counted = [(row["state"], row["n"]) for row in ledger.storage.rows("count_states")]
        assert counted == [("cancelled", 1), ("queued", 1)]
        record = ledger.catalog.get(Accession(NEW), "sra-v1")
        assert record is not None
        assert record.trust is Trust.COMPUTED
        with pytest.raises(StorageProblem, match="illegal move of a job"), ledger.storage.transaction():
            ledger.storage.connection.execute("UPDATE jobs SET state = 'done' WHERE id = 2")


CORRUPTIONS = {
    "jobs": "UPDATE jobs SET state = 'asleep' WHERE id = 2",
    "signatures": "UPDATE signatures SET provenance = '{'",
    "events": "UPDATE events SET after = 'asleep' WHERE id = 2",
}


@pytest.mark.parametrize("table", CORRUPTIONS)
def test_row_that_is_not_valid_is_left_out_and_counted(table: str, damaged: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(damaged)) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        assert connection.execute(CORRUPTIONS[table]).rowcount == 1
        connection.commit()
    with closing(Ledger(tmp_path / "new.db")) as ledger:
        merged = {done.name: done for done in merge_ledger(damaged, ledger.storage)}
    assert merged[table].left_out == 1


def test_sound_ledger_is_not_replaced(ledger: Ledger, settings: Settings) -> None:
    ledger.jobs.enqueue([request(OLD)])
    ledger.close()
    assert list(replace_ledger(settings)) == []
    assert ledger.jobs.get(1).state == "queued"


def test_backup_that_cannot_be_read_now_is_not_passed_over(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_backup(ledger, settings.backup_dir, 1)
    shutil.copy(made.path, made.path.with_name("ledger-19990101-000000.db"))

    def fail(*_: object, **__: object) -> sqlite3.Connection:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
        raise error

    connect: Callable[..., sqlite3.Connection] = fail
    monkeypatch.setattr("wort_cli.ledger.database.sqlite3.connect", connect)
    with pytest.raises(StorageProblem, match="cannot be read from its disk"):
        newest_sound_backup(settings.backup_dir)
