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
        clock.now += open_file.MARK_EVERY + 1
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


def test_raw_copy_from_earlier_is_noticed(ledger: Ledger, file: OpenLedgerFile, tmp_path: Path, clock: Clock) -> None:
    file.check()
    copy = Path(shutil.copyfile(ledger.storage.path, tmp_path / "copy.db"))
    clock.now += open_file.MARK_EVERY + 1
    file.check()  # marks it
    file.check()
    overwrite(ledger, copy)
    with pytest.raises(LedgerReplaced, match="overwritten"):
        file.check()


def test_emptied_file_is_noticed(ledger: Ledger, file: OpenLedgerFile) -> None:
    ledger.storage.path.write_bytes(b"")
    with pytest.raises(LedgerReplaced):
        file.check()


def test_second_daemon_cannot_serve_the_ledger(ledger: Ledger, file: OpenLedgerFile) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SECOND, ledger.storage.path], capture_output=True, text=True, check=False
    )
    assert DaemonAlreadyRunning.__name__ in done.stderr
