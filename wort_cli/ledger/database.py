"""Opens the ledger's SQLite file: permissions, WAL, migrations, transactions, named queries.

The queries are documents of their own, in sql/*.sql.  A file that was written by a later version of wort, or that is
no database, is refused and not touched.  sqlite-utils makes and migrates the file; a query, of which every command has
some, goes to Python's sqlite3 itself, for importing sqlite-utils takes longer than `wort status` does.
"""

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wort_cli.errors import LedgerDamaged, LedgerTooNew, StorageProblem, WortError
from wort_cli.ledger.migrations import latest_version, migrate, version_of

BUSY_TIMEOUT = 60.0
"""Seconds that a writer waits for another one."""
QUERY_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)

MIN_DATABASE_SIZE = 512
"""Bytes of the smallest database (sqlite.org/fileformat2.html)."""

Row = dict[str, Any]


@cache
def queries() -> Mapping[str, str]:
    """All named queries of sql/*.sql."""
    found: dict[str, str] = {}
    for document in ("jobs.sql", "catalog.sql", "submissions.sql", "upkeep.sql", "health.sql"):
        text = (files("wort_cli.ledger") / "sql" / document).read_text(encoding="utf-8")
        _, *parts = QUERY_NAME.split(text)
        found.update(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    return found


class Storage:
    """A connection to one SQLite file, opened when first used; safe beside other processes' connections.

    Not safe to carry over a fork: `close` before, the next use opens it anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The open database, of the version that this code knows."""
        if self._connection is None:
            with self.explained():
                self._connection = self._open()
        return self._connection

    def open(self) -> None:
        """Open the file now; raise WortError if it cannot be used."""
        _ = self.connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self, query: str, **values: object) -> list[Row]:
        """The rows that a named query gives."""
        return self.select(queries()[query], values)

    def select(self, sql: str, values: Mapping[str, object]) -> list[Row]:
        """The rows that a SELECT gives."""
        with self.explained():
            cursor = self.connection.execute(sql, dict(values))
            columns = [column[0] for column in cursor.description]
            return [dict(zip(columns, row, strict=True)) for row in cursor]

    def row(self, query: str, **values: object) -> Row | None:
        """The first row that a named query gives."""
        rows = self.rows(query, **values)
        return rows[0] if rows else None

    def change(self, query: str, **values: object) -> int:
        """Carry out a named query that changes rows; return how many it changed."""
        with self.explained():
            return self.connection.execute(queries()[query], values).rowcount

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Everything inside happens, durably, or nothing does; other writers wait, unless it only reads."""
        with self.explained():
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
            except BaseException:
                connection.rollback()
                raise
            connection.execute("COMMIT")

    def copy_to(self, path: Path) -> None:
        """Copy the database, as it is at one moment, into an empty file; nobody waits meanwhile."""
        connection = self.connection
        try:
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy:
                copy.execute("PRAGMA journal_mode = OFF")  # whoever called us throws an unfinished copy away
                connection.backup(copy)
        except sqlite3.Error as error:
            raise explanation(error, path) from error

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turns SQLite's errors into sentences."""
        try:
            yield
        except sqlite3.Error as error:
            raise explanation(error, self.path) from error

    def _open(self) -> sqlite3.Connection:
        create_or_check(self.path)
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT, isolation_level=None)
        try:
            tables = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            version = version_of(connection)  # after the tables: another process may be making them just now
            if version == 0 and tables:
                raise LedgerDamaged(self.path, "it is the database of another program")
            if version > latest_version():
                raise LedgerTooNew(self.path, version, latest_version())
            if version < latest_version():
                migrate(connection, BUSY_TIMEOUT)
            # A commit that was answered for must survive a power cut, which WAL promises at FULL only.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def open_read_only(path: Path) -> Iterator[Callable[[str], list[Row]]]:
    """A function that gives the rows of a SELECT to a file that nobody writes to; leaves no file beside it.

    LedgerDamaged, also later, if it is no sound database.
    """
    try:
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            yield lambda sql: [dict(row) for row in connection.execute(sql)]
    except sqlite3.Error as error:
        raise LedgerDamaged(path, str(error)) from error


def salvage_rows(path: Path, sql: str) -> list[Row]:
    """The rows of a SELECT to a damaged database, as many as can be read."""
    found: list[Row] = []
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection,
    ):
        connection.row_factory = sqlite3.Row
        for row in connection.execute(sql):
            found.append(dict(row))
    return found


def create_or_check(path: Path) -> None:
    """See that there is a file that SQLite may open: made by us, so that it is 0600 from its first moment, or its own.

    SQLite takes a file of a few bytes for an empty database and writes over it.  A file that is there is not opened
    here, for closing it again would drop the locks of this process's other connections (sqlite.org/howtocorrupt.html).
    """
    try:
        if not path.exists():
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        size = path.stat().st_size
    except OSError as error:
        raise StorageProblem(
            f"{path} can't be opened for writing: {error.strerror}", "check its permissions, or set WORT_HOME"
        ) from error
    if 0 < size < MIN_DATABASE_SIZE or not path.is_file():
        raise LedgerDamaged(path, "it is not a database")


def explanation(error: sqlite3.Error, path: Path) -> WortError:
    """What an error of SQLite means for a person."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StorageProblem(f"{path} can't be written: {error}", "is the disk full? see `wort doctor`")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StorageProblem(f"{path} can't be opened for writing: {error}", "check its permissions, or set WORT_HOME")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageProblem(f"{path} is in use by another process: {error}", "try again later")
    return LedgerDamaged(path, str(error))
