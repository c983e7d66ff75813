"""The ledger's SQLite file: opening it, transactions, named queries, and SQLite's errors as messages.

The SQL is in sql/*.sql, and each query has a name.  migrations.py creates and upgrades the schema, with sqlite-utils.
Queries use Python's sqlite3, because importing sqlite-utils takes longer than all of `wort status`.

A file that is not a ledger, or that a later version of wort has written, is refused and left unchanged.
"""

import contextlib
import os
import re
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wort_cli.errors import LedgerDamaged, LedgerTooNew, StorageProblem
from wort_cli.ledger.migrations import copy_database, latest_version, migrate, version_of
from wort_cli.ledger.sqlite_errors import as_wort_error, check_can_lock, is_damage, is_unwritable
from wort_cli.model.failure import Disposition, Reason
from wort_cli.system.temporary import roomiest, temporary_places

BUSY_TIMEOUT = 60.0
"""Seconds that a writer waits for another writer."""
QUERY_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)

MIN_DATABASE_SIZE = 512
"""Bytes of the smallest possible database (sqlite.org/fileformat2.html)."""

CHECK_PERMISSIONS = "check its permissions, or set WORT_HOME"

Row = dict[str, Any]


PROFILES = "(:profile, iif(:profile = 'sra-v1', 'genomes-v1', :profile))"
"""SQL in place of {profiles}: the profiles whose signatures a command about one of them has (model/profile.py)."""
UNAVAILABLE = "({})".format(
    ", ".join(f"'{reason}'" for reason in Reason if reason.disposition is Disposition.UNAVAILABLE)
)
"""SQL in place of {unavailable}: the reasons for which a run is unavailable."""


@cache
def queries() -> Mapping[str, str]:
    """Return the SQL of each named query in sql/*.sql."""
    found: dict[str, str] = {}
    for document in (
        "jobs.sql",
        "groups.sql",
        "catalog.sql",
        "submissions.sql",
        "runs.sql",
        "upkeep.sql",
        "health.sql",
        "sketches.sql",
        "profiles.sql",
        "catalog_rows.sql",
        "absences.sql",
        "served.sql",
        "follows.sql",
        "kept_counts.sql",
    ):
        text = (Path(__file__).with_name("sql") / document).read_text(encoding="utf-8")
        _, *parts = QUERY_NAME.split(text.replace("{profiles}", PROFILES).replace("{unavailable}", UNAVAILABLE))
        found.update(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    return found


class Storage:
    """A connection to one SQLite file, opened at first use.  Other processes may use the file at the same time.

    A connection must not be carried over a fork: call `close` before the fork, and the next use opens a new one.

    `reading` is for commands that change nothing: if the disk is full or read-only, they read a copy.
    """

    def __init__(self, path: Path, *, reading: bool = False) -> None:
        self.path = path
        self._reading = reading
        self._connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The open database, at the latest version of the schema."""
        if self._connection is None:
            with self.translated_errors():
                self._connection = self._open()
            # The last connection that is closed empties the write-ahead log; Python does not close it at its end.
            weakref.finalize(self, close_in_process, self._connection, os.getpid())
        return self._connection

    def open(self) -> None:
        """Open the file now; raise WortError if it cannot be used."""
        _ = self.connection

    def close(self) -> None:
        """Close the connection if it is open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self, query: str, **values: object) -> list[Row]:
        """Return the rows of a named query."""
        return self.select(queries()[query], values)

    def select(self, sql: str, values: Mapping[str, object]) -> list[Row]:
        """Return the rows of a SELECT."""
        with self.translated_errors():
            cursor = self.connection.execute(sql, dict(values))
            columns = [column[0] for column in cursor.description]
            return [dict(zip(columns, row, strict=True)) for row in cursor]

    def tuples(self, sql: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT as tuples: of many rows, dicts would take most of the time."""
        with self.translated_errors():
            return self.connection.execute(sql, dict(values)).fetchall()

    def row(self, query: str, **values: object) -> Row | None:
        """Return the first row of a named query, or None."""
        rows = self.rows(query, **values)
        return rows[0] if rows else None

    def change(self, query: str, **values: object) -> int:
        """Execute a named query that changes rows; return the number of changed rows."""
        with self.translated_errors():
            return self.connection.execute(queries()[query], values).rowcount

    def change_many(self, query: str, values: Iterable[Sequence[object]]) -> int:
        """Execute a named query once for each sequence of values; return the number of changed rows."""
        with self.translated_errors():
            return self.connection.executemany(queries()[query], values).rowcount

    def put_row(self, table: str, key: str, row: Row) -> bool:
        """Insert a row, or replace the values of the row with the same `key`, which is a list of columns.

        Returns False, without a change, if that would break a rule of the schema, whose names the row has.
        """
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        updates = ", ".join(f"{name} = excluded.{name}" for name in row)
        sql = f"INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {updates}"  # noqa: S608
        with self.translated_errors():
            try:
                self.connection.execute(sql, row)
            except sqlite3.IntegrityError:
                return False
        return True

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Run the body in a transaction: commit it durably, or roll it back if the body raises.

        A writing transaction makes other writers wait from its start; a reading one sees one state of the database.
        Inside of another transaction, the body is part of that one.
        """
        with self.translated_errors():
            connection = self.connection
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield
            except BaseException:
                connection.rollback()
                raise
            connection.execute("COMMIT")

    def mark(self, number: int) -> None:
        """Write a number into the header of the file (open_file.py); SQLite itself does not use it."""
        with self.translated_errors():
            self.connection.execute(f"PRAGMA application_id = {number:d}")
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write what is in the log to the file, as far as no reader needs the log."""
        with self.translated_errors():
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def copy_to(self, path: Path) -> None:
        """Copy one consistent state of the database into an empty file, without blocking readers or writers.

        The copy has no mark.
        """
        connection = self.connection
        try:
            copy_database(connection, path)
        except sqlite3.Error as error:
            raise as_wort_error(error, path) from error

    @contextmanager
    def translated_errors(self) -> Iterator[None]:
        """Raise SQLite's errors as WortError."""
        try:
            yield
        except sqlite3.Error as error:
            raise as_wort_error(error, self.path) from error

    def _open(self) -> sqlite3.Connection:
        try:
            return self._open_file()
        except sqlite3.OperationalError as error:
            if not self._reading or not is_unwritable(error) or not self.path.is_file():
                raise
            try:
                return open_copy(self.path)
            except OSError as failed:
                why = f"{self.path} cannot be written, nor copied to be read: {failed.strerror}"
                raise StorageProblem(why, CHECK_PERMISSIONS) from failed

    def _open_file(self) -> sqlite3.Connection:
        create_or_check(self.path)
        check_can_lock(self.path)
        # Sorting and new indexes need much space, and TMPDIR may be small (sqlite.org/tempfiles.html, section 5).
        with contextlib.suppress(OSError):
            os.environ["SQLITE_TMPDIR"] = str(roomiest((self.path.parent, *temporary_places())))
        connection = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT, isolation_level=None)
        try:
            tables = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            version = version_of(connection)  # read last: another process may be creating the tables now
            if version == 0 and tables:
                raise LedgerDamaged(self.path, "it is the database of another program")
            if version < latest_version():
                migrate(connection, self.path, BUSY_TIMEOUT)
                version = version_of(connection)  # a later version of wort may have migrated it at the same time
            if version > latest_version():
                raise LedgerTooNew(self.path, version, latest_version())
            # A reported commit must survive a power failure.  With WAL, only FULL guarantees that.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def open_read_only(path: Path) -> Iterator[Callable[[str], list[Row]]]:
    """Open a database that no process writes to; yield a function that returns the rows of a SELECT.

    Creates no -wal or -shm file.  Raises, at opening or in a SELECT, LedgerDamaged if the file is not a sound database,
    and StorageProblem if it cannot be read.
    """
    try:
        address = f"file:{quote(str(path))}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            yield lambda sql: [dict(row) for row in connection.execute(sql)]
    except sqlite3.Error as error:
        raise as_wort_error(error, path) from error


def close_in_process(connection: sqlite3.Connection, pid: int) -> None:
    """Close a connection, unless this process is a fork of the one that opened it, or this is another thread."""
    if os.getpid() == pid:
        with contextlib.suppress(sqlite3.ProgrammingError):
            connection.close()


def open_copy(path: Path) -> sqlite3.Connection:
    """Return a copy in memory of a database that cannot be opened, because its disk is full or read-only.

    The copy cannot be changed.  Raises OSError if the file cannot be copied, sqlite3.Error if it cannot be read.
    """
    import shutil
    import tempfile

    copy = sqlite3.connect(":memory:", isolation_level=None)
    files = [Path(f"{path}{end}") for end in ("", "-wal")]
    size = sum(file.stat().st_size for file in files if file.exists())
    with tempfile.TemporaryDirectory(prefix="wort-", dir=roomiest(temporary_places(), size)) as directory:
        place = Path(directory) / path.name
        for end in ("", "-wal"):  # the newest changes may be in the write-ahead log only
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{end}", f"{place}{end}")
        with contextlib.closing(sqlite3.connect(place, isolation_level=None)) as connection:
            if version_of(connection) < latest_version():
                migrate(connection, place, BUSY_TIMEOUT)
            if version_of(connection) > latest_version():
                raise LedgerTooNew(path, version_of(connection), latest_version())
            connection.backup(copy)
    copy.execute("PRAGMA query_only = ON")
    return copy


def salvage_rows(path: Path, sql: str) -> tuple[list[Row], str]:
    """Return as many rows of a SELECT as can be read from a damaged database.

    Also returns the error at which the reading ended; empty if all rows were read.
    """
    found: list[Row] = []
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            for row in connection.execute(sql):
                found.append(dict(row))
    except sqlite3.Error as error:
        return found, str(error)
    return found, ""


def check_unused(path: Path) -> None:
    """Raise StorageProblem if a process has a database open, or if it cannot be locked.

    Does nothing if the file does not exist or is damaged.
    """
    if not path.exists():
        return
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            if not is_damage(error):
                raise as_wort_error(error, path) from error


def create_or_check(path: Path) -> None:
    """Create the file with mode 0600 if it does not exist; else check that it can be a database.

    The check is needed because SQLite treats a file of a few bytes as an empty database and overwrites it.  An existing
    file is not opened here: closing it would drop the locks of this process's other connections to it
    (sqlite.org/howtocorrupt.html).
    """
    try:
        if not path.exists():
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        size = path.stat().st_size
    except OSError as error:
        raise StorageProblem(f"{path} cannot be opened for writing: {error.strerror}", CHECK_PERMISSIONS) from error
    if 0 < size < MIN_DATABASE_SIZE or not path.is_file():
        raise LedgerDamaged(path, "it is not a database")
