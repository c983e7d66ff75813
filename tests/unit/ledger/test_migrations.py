"""Migrations of the ledger: each runs once, all of them or none, and each is recorded."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from wort_cli.errors import LedgerTooNew, MigrationFailed
from wort_cli.ledger import database, migrations
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.migrations import latest_version, migrate, scripts, version_of

LATEST = latest_version()
WORKING = (
    "CREATE TABLE news (x); INSERT INTO news VALUES (1); CREATE TRIGGER t AFTER INSERT ON news BEGIN SELECT 1; END;"
)
BROKEN = "CREATE TABLE later (x); INSERT INTO nowhere VALUES (1);"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def with_script(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that adds migrations to those that the code knows."""

    def add(*further: str) -> None:
        everything = (*scripts(), *further)
        monkeypatch.setattr(migrations, "scripts", lambda: everything)

    return add


def opened(path: Path) -> None:
    ledger = Ledger(path)
    try:
        ledger.open()
    finally:
        ledger.close()


def select(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def recorded(path: Path) -> list[str]:
    """Return the recorded migrations in the order in which they were applied."""
    return [str(name) for (name,) in select(path, "SELECT name FROM _sqlite_migrations ORDER BY id")]


def create_recorded(path: Path) -> None:
    """Create a ledger as sqlite-utils creates one: wort did so before it applied the scripts to new files itself."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    migrations.upgrade(connection)
    connection.execute(f"PRAGMA user_version = {LATEST}")
    connection.close()


def test_new_ledger_has_the_schema_that_sqlite_utils_would_give_it(path: Path, tmp_path: Path) -> None:
    schema = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> '_sqlite_migrations' ORDER BY type, name"
    opened(path)
    create_recorded(tmp_path / "recorded.db")
    assert select(path, schema) == select(tmp_path / "recorded.db", schema)
    assert select(path, "PRAGMA user_version") == [(LATEST,)]


@pytest.mark.parametrize("create", [create_recorded, opened], ids=["recorded", "version-only"])
def test_second_opening_migrates_nothing(path: Path, create: Callable[[Path], None]) -> None:
    create(path)
    before = path.read_bytes()
    opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("create", [create_recorded, opened], ids=["recorded", "version-only"])
def test_new_migration_runs_once_and_earlier_ones_are_not_repeated(
    path: Path, with_script: Callable[..., None], create: Callable[[Path], None]
) -> None:
    create(path)
    with_script(WORKING)
    opened(path)
    opened(path)
    assert select(path, "SELECT x FROM news") == [(1,)]
    assert recorded(path) == [str(version) for version in range(1, LATEST + 2)]
    assert select(path, "SELECT DISTINCT migration_set FROM _sqlite_migrations") == [("wort",)]
    assert select(path, "PRAGMA user_version") == [(LATEST + 1,)]


@pytest.mark.parametrize(
    "script",
    ["CREATE TABLE a (x); -- one; two\nINSERT INTO a VALUES ('b;c');", "CREATE TABLE a (x);\n-- the end; of it", ""],
    ids=["semicolons", "comment-at-the-end", "empty"],
)
def test_statements_of_a_script_are_those_that_sqlite_finds(script: str) -> None:
    found = [sqlite3.connect(":memory:") for _ in range(2)]
    found[0].executescript(script)
    for statement in migrations.statements(script):
        found[1].execute(statement)
    assert [list(connection.iterdump()) for connection in found[:1]] == [list(found[1].iterdump())]
    for connection in found:
        connection.close()


@pytest.mark.parametrize("new", [True, False], ids=["new", "existing"])
def test_failed_migration_leaves_the_ledger_unchanged(path: Path, with_script: Callable[..., None], new: bool) -> None:
    """The migrations before it are rolled back too."""
    if not new:
        opened(path)
    version = 0 if new else LATEST
    schema = select(path, "SELECT * FROM sqlite_master") if not new else []
    with_script(WORKING, BROKEN)
    with pytest.raises(MigrationFailed, match=rf"from version {version} to {LATEST + 2}: .*nowhere"):
        opened(path)
    assert [copy.name.endswith(f"-version-{LATEST}.db") for copy in path.parent.glob("backups/*")] == [True] * (not new)
    assert select(path, "SELECT * FROM sqlite_master") == schema
    assert select(path, "PRAGMA user_version") == [(version,)]


def test_migrating_changes_no_setting_of_the_connection(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    before = connection.execute("PRAGMA recursive_triggers").fetchone()
    migrate(connection, path, timeout=10)
    assert connection.execute("PRAGMA recursive_triggers").fetchone() == before
    assert not connection.in_transaction
    assert connection.isolation_level is None
    assert version_of(connection) == LATEST
    connection.close()


def test_ledger_that_a_later_version_migrates_meanwhile_is_refused_and_unchanged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later version gets the write lock after this one has read version 0 and before it migrates."""

    def migrate_too_late(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE jobs (of_a_later_version)")
        other.execute(f"PRAGMA user_version = {LATEST + 1}")
        other.close()
        migrate(connection, path, timeout)

    monkeypatch.setattr(database, "migrate", migrate_too_late)
    with pytest.raises(LedgerTooNew):
        opened(path)
    assert select(path, "PRAGMA user_version") == [(LATEST + 1,)]
    assert select(path, "SELECT name FROM sqlite_master") == [("jobs",)]
