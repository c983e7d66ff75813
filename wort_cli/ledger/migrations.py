"""Migrations: the versions of the ledger's schema, and how sqlite-utils brings a file to the latest one.

Migration N is the script sql/migrations/N.sql.  It leads from version N - 1 to version N, the number that the file
stores as `PRAGMA user_version`.

A new file gets all scripts at once.  sqlite-utils upgrades an earlier one: it applies the scripts that are missing, and
records each in the table `_sqlite_migrations`, the earlier ones too.  The version stays in use: it is read without
importing sqlite-utils, which takes longer than all scripts, and every release refuses a file with a higher one.

To change the schema, add a script with the next number.  A script never changes, not even its comments: a test has the
sha256 of each.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wort_cli.errors import LedgerDamaged, MigrationFailed
from wort_cli.ledger import executed_sql
from wort_cli.system.atomic_files import atomic_file

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

TEMPORARY = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
)
"""Errors of the disk or of other users, which say nothing about the scripts."""
NAME = "wort"
"""Name of the set of migrations in the table `_sqlite_migrations`."""


@cache
def scripts() -> tuple[str, ...]:
    """Return the scripts in order; script 0 leads to version 1."""
    folder = Path(__file__).with_name("sql") / "migrations"
    names = sorted((item.name for item in folder.iterdir() if item.name.endswith(".sql")), key=lambda n: int(n[:-4]))
    return tuple((folder / name).read_text(encoding="utf-8") for name in names)


def latest_version() -> int:
    """Return the version of the schema that this code uses."""
    return len(scripts())


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a database's schema; 0 if it has had no migration."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, path: Path, timeout: float) -> None:
    """Bring a database to the latest version, in one transaction, whatever other processes do at the same time.

    A copy of the earlier version is kept among the backups.  `timeout`: seconds to wait for other processes.  The
    connection must be in autocommit mode.  Raises MigrationFailed if a script fails, LedgerDamaged if the database has
    triggers that wort did not make; the database is then unchanged.
    """
    enable_wal(connection, timeout)
    # Without IMMEDIATE, two processes could both see an empty database before either has the write lock.
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = version_of(connection)
        if found < latest_version():  # else another process has migrated it in the meantime
            check_triggers(connection, path, found)
            copy = copy_earlier(path, found) if found else path
            try:
                upgrade(connection) if found else create(connection)
            except sqlite3.Error as error:
                if error.sqlite_errorcode & 0xFF in TEMPORARY:
                    raise
                raise MigrationFailed(path, found, latest_version(), copy, str(error)) from error
            connection.execute(f"PRAGMA user_version = {latest_version()}")
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def create(connection: sqlite3.Connection) -> None:
    """Apply all scripts to a new database, in the transaction of the caller."""
    for script in scripts():
        for statement in statements(script):
            connection.execute(statement)


def statements(script: str) -> Iterator[str]:
    """Yield the statements of a script.  Connection.executescript would commit the transaction of the caller."""
    statement = ""
    *ended, rest = script.split(";")
    for part in ended:
        statement += f"{part};"
        if sqlite3.complete_statement(statement):  # not inside a comment, a text or a trigger
            yield statement
            statement = ""
    yield statement + rest


def upgrade(connection: sqlite3.Connection) -> None:
    """Apply the scripts that an earlier database lacks, in the transaction of the caller, and record them."""
    from sqlite_utils import Database

    # Neither the user's plugins nor another setting of the connection may change what the scripts do.
    migrations().apply(Database(connection, recursive_triggers=False, execute_plugins=False))  # uses savepoints


def check_triggers(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Raise LedgerDamaged if a database has other triggers and views than wort gave it up to this version."""
    if answer := executed_sql.difference(connection.execute(executed_sql.QUERY), scripts()[:version]):
        raise LedgerDamaged(path, answer)


def copy_earlier(path: Path, version: int) -> Path:
    """Copy a database to the backups before it is migrated; return the path of the copy.

    The caller has the write lock, so the database does not change meanwhile.
    """
    now = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    copy = path.parent / "backups" / f"ledger-{now}-version-{version}.db"
    with atomic_file(copy) as file, contextlib.closing(sqlite3.connect(path)) as source:
        os.fchmod(file.fileno(), 0o600)
        copy_database(source, Path(file.name))
    return copy


def copy_database(source: sqlite3.Connection, path: Path) -> None:
    """Copy one consistent state of a database into an empty file, without blocking readers or writers.

    The copy has no mark (open_file.py).
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode = OFF")  # the caller deletes an unfinished copy
        source.backup(copy)
        copy.execute("PRAGMA application_id = 0")


def migrations() -> "Migrations":
    """Return the migrations as sqlite-utils applies them."""
    from sqlite_utils import Migrations

    found = Migrations(NAME)
    for version, script in enumerate(scripts(), start=1):
        add(found, version, script)
    return found


def add(migrations: "Migrations", version: int, script: str) -> None:
    """Add the migration that leads to `version`."""

    @migrations(name=str(version))
    def _(database: "Database") -> None:
        if version_of(database.conn) < version:  # else it was applied before migrations were recorded
            database.executescript(script)


def enable_wal(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch to write-ahead logging, so that readers and the writer do not block each other.

    SQLite does not wait for a lock here: it reports SQLITE_BUSY at once if another process is switching too.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
