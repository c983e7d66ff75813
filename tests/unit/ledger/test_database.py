"""The ledger's file: permissions, concurrent creation, and refusal of files that are not ledgers."""

import os
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.errors import LedgerDamaged, LedgerTooNew, StorageProblem, WortError
from wort_cli.ledger import database
from wort_cli.ledger.database import QUERY_NAME, Storage, queries
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.migrations import latest_version, scripts

OPENERS = """
import multiprocessing, sys
from pathlib import Path
import sqlite_utils
from wort_cli.model.accession import parse_name
from wort_cli.model.job import JobRequest, Source
from wort_cli.ledger.ledger import Ledger

def open_all(number, barrier):
    requests = [JobRequest(Source(parse_name(name)), "sra-v1") for name in (f"SRR00000{number}", "SRR999999")]
    for trial in range(30):
        ledger = Ledger(Path(sys.argv[1]) / f"{trial}.db")
        barrier.wait(30)
        try:
            ledger.jobs.enqueue(requests) if trial < 5 else ledger.counts.by_state()
        except Exception as error:
            print(trial, number, repr(error), flush=True)
        ledger.close()

context = multiprocessing.get_context("fork")
barrier = context.Barrier(6)
processes = [context.Process(target=open_all, args=(number, barrier)) for number in range(6)]
for process in processes:
    process.start()
for process in processes:
    process.join()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def filled(path: Path, jobs: int = 300) -> Path:
    """Make a ledger with jobs and close it."""
    ledger = Ledger(path)
    ledger.jobs.enqueue([request(f"SRR{number:06d}") for number in range(jobs)])
    ledger.close()
    return path


def refusal_of(path: Path) -> WortError:
    """Return the error with which a ledger refuses to open, at the second try."""
    ledger = Ledger(path)
    with pytest.raises((WortError, OSError)):
        ledger.counts.by_state()
    with pytest.raises((WortError, OSError)) as refusal:
        ledger.jobs.enqueue([request()])
    ledger.close()
    assert isinstance(refusal.value, WortError)
    return refusal.value


def test_ledger_and_its_wal_files_have_mode_0600(path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = Ledger(path)
        ledger.jobs.enqueue([request()])
        files = sorted(path.parent.iterdir())
        assert [file.name for file in files] == ["ledger.db", "ledger.db-shm", "ledger.db-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    finally:
        os.umask(before)
        ledger.close()


def test_file_is_created_at_first_use(path: Path) -> None:
    Ledger(path).close()
    assert not path.exists()


def test_closed_ledger_opens_again(ledger: Ledger) -> None:
    ledger.jobs.enqueue([request()])
    ledger.close()
    ledger.close()
    assert sum(ledger.counts.by_state().values()) == 1


def test_connection_settings_make_commits_durable(path: Path) -> None:
    storage = Storage(path)
    connection = storage.connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert connection.execute("PRAGMA user_version").fetchone() == (latest_version(),)
    storage.close()


def test_ledger_of_a_later_version_is_refused_and_unchanged(path: Path) -> None:
    connection = sqlite3.connect(filled(path), isolation_level=None)
    connection.execute(f"PRAGMA user_version = {latest_version() + 1}")
    connection.close()
    before = path.read_bytes()
    error = refusal_of(path)
    assert isinstance(error, LedgerTooNew)
    assert (error.found, error.known) == (latest_version() + 1, latest_version())
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"hello\n", b"jobs = 3\n" * 1000, bytes(5000), b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 5000],
    ids=lambda content: ascii(content[:20]),
)
def test_file_that_is_not_a_ledger_is_refused_and_unchanged(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert isinstance(refusal_of(path), LedgerDamaged)
    assert path.read_bytes() == content


@pytest.mark.parametrize("keep", [100, 4096, 5000, 20_000, 0.5, 0.9])
def test_truncated_ledger_is_refused_and_unchanged(path: Path, keep: float) -> None:
    whole = filled(path).read_bytes()
    path.write_bytes(whole[: int(keep if keep > 1 else len(whole) * keep)])
    before = path.read_bytes()
    assert isinstance(refusal_of(path), LedgerDamaged)
    assert path.read_bytes() == before


def test_overwritten_ledger_is_reported_as_damaged(path: Path) -> None:
    data = bytearray(filled(path).read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    assert isinstance(refusal_of(path), LedgerDamaged)


@pytest.mark.parametrize("table", ["jobs", "other"])
def test_database_of_another_program_is_refused_and_unchanged(path: Path, table: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE {table} (x)")
    connection.close()
    before = path.read_bytes()
    assert isinstance(refusal_of(path), LedgerDamaged)
    assert path.read_bytes() == before


def test_directory_in_place_of_the_ledger_is_refused(path: Path) -> None:
    path.mkdir()
    assert isinstance(refusal_of(path), LedgerDamaged)


def test_ledger_below_a_file_is_a_storage_problem(path: Path) -> None:
    path.write_bytes(b"")
    assert isinstance(refusal_of(path / "ledger.db"), StorageProblem)


def test_concurrent_first_openings_create_each_ledger_once(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", OPENERS, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    for trial in range(30):
        ledger = Ledger(tmp_path / f"{trial}.db")
        jobs = 7 if trial < 5 else 0  # one of each process, and one that all processes request
        assert (sum(ledger.counts.by_state().values()), ledger.check()) == (jobs, "ok")
        ledger.close()


def test_failed_transaction_is_rolled_back(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.storage.transaction():
            ledger.storage.change("set_control", key="a", value="b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert ledger.storage.row("control", key="a") is None
    ledger.storage.change("set_control", key="a", value="c")
    assert ledger.storage.row("control", key="a") == {"value": "c"}


def test_every_migration_ends_with_a_whole_statement() -> None:
    assert scripts()
    assert all(sqlite3.complete_statement(script) for script in scripts())


def test_queries_are_found_by_their_names() -> None:
    assert {"add_job", "claim_job", "end_attempt", "cancel_job", "retry_job", "signature"} <= set(queries())
    assert not any("-- name:" in text for text in queries().values())


def test_no_query_numbers_its_parameters() -> None:
    """Python 3.14 takes no sequence of values for them."""
    assert [name for name, text in queries().items() if re.search(r"\?\d", text)] == []


def test_queries_have_different_names_in_all_files() -> None:
    folder = Path(database.__file__).with_name("sql")
    named = [name for file in folder.glob("*.sql") for name in QUERY_NAME.findall(file.read_text(encoding="utf-8"))]
    assert sorted(named) == sorted(queries())
