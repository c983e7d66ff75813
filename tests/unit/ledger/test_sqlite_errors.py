"""SQLite's errors become sentences, and only two of them are evidence of damage."""

import sqlite3
from pathlib import Path

import pytest

from wort_cli.errors import ExitCode, LedgerDamaged, StorageProblem
from wort_cli.ledger.sqlite_errors import CAUSES, as_wort_error, cause_of

PATH = Path("/home/wort/ledger.db")
LOCK, READ, WRITE, OPEN, BUSY = (
    "is on a file system that cannot lock it",
    "cannot be read from its disk",
    "cannot be written",
    "cannot be opened for writing",
    "is in use by another process",
)
# What SQLite 3.40 says with each code, and our sentence.
SENTENCES = [
    (sqlite3.SQLITE_PROTOCOL, "locking protocol", LOCK),
    (sqlite3.SQLITE_NOLFS, "large file support is disabled", LOCK),
    (sqlite3.SQLITE_IOERR_LOCK, "disk I/O error", LOCK),
    (sqlite3.SQLITE_IOERR_RDLOCK, "disk I/O error", LOCK),
    (sqlite3.SQLITE_IOERR_UNLOCK, "disk I/O error", LOCK),
    (sqlite3.SQLITE_IOERR_SHMLOCK, "disk I/O error", LOCK),
    (sqlite3.SQLITE_IOERR_SHMOPEN, "disk I/O error", WRITE),  # on a full disk
    (sqlite3.SQLITE_IOERR_SHMSIZE, "disk I/O error", WRITE),
    (sqlite3.SQLITE_IOERR_SHMMAP, "disk I/O error", WRITE),
    (sqlite3.SQLITE_IOERR_READ, "disk I/O error", READ),
    (sqlite3.SQLITE_IOERR_SHORT_READ, "disk I/O error", READ),
    (sqlite3.SQLITE_IOERR_WRITE, "disk I/O error", WRITE),
    (sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error", WRITE),
    (sqlite3.SQLITE_FULL, "database or disk is full", WRITE),
    (sqlite3.SQLITE_READONLY, "attempt to write a readonly database", OPEN),
    (sqlite3.SQLITE_CANTOPEN, "unable to open database file", OPEN),
    (sqlite3.SQLITE_BUSY, "database is locked", BUSY),
    (sqlite3.SQLITE_BUSY_RECOVERY, "database is locked", BUSY),
    (sqlite3.SQLITE_LOCKED, "database table is locked", BUSY),
    (sqlite3.SQLITE_NOMEM, "out of memory", "cannot be used: there is too little memory"),
    (sqlite3.SQLITE_ERROR, "no such table: jobs", "cannot be used"),
]


def error_with(code: int, text: str) -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(("code", "text", "sentence"), SENTENCES)
def test_error_that_is_no_damage_has_a_sentence_and_is_temporary(code: int, text: str, sentence: str) -> None:
    explained = as_wort_error(error_with(code, text), PATH)
    assert type(explained) is StorageProblem
    assert explained.exit_code is ExitCode.TEMPORARY
    assert explained.sentence == f"{PATH} {sentence}: {text}"
    assert explained.hint


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (sqlite3.SQLITE_CORRUPT, "database disk image is malformed"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "database disk image is malformed"),
        (sqlite3.SQLITE_NOTADB, "file is not a database"),
    ],
)
def test_corrupt_file_is_damaged(code: int, text: str) -> None:
    explained = as_wort_error(error_with(code, text), PATH)
    assert type(explained) is LedgerDamaged
    assert explained.exit_code is ExitCode.SOME_FAILED
    assert text in explained.sentence


def test_every_cause_has_a_recorded_example() -> None:
    assert {cause_of(code) for code, _, _ in SENTENCES} >= set(CAUSES)
