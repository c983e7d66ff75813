"""Writes a catalog as an SQLite file, which sourmash takes as a manifest.

Source of the tables that sourmash reads: sourmash src/sourmash/index/sqlite_index.py and sqlite_utils.py.  It selects
columns by name, so that more tables do no harm.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from wort_cli.model.catalog_columns import DATE, INTEGERS, OF_PAGE_SIGNATURES, CatalogPage

SKETCH = """
INSERT INTO sourmash_sketches
    (name, internal_location, md5sum, ksize, moltype, num, scaled, n_hashes, with_abundance, filename, seed)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
TABLES = """
CREATE TABLE sourmash_internal (key TEXT UNIQUE, value TEXT);
INSERT INTO sourmash_internal VALUES ('SqliteManifest', '1.0');
CREATE TABLE sourmash_sketches (
    id INTEGER PRIMARY KEY, name TEXT, num INTEGER NOT NULL, scaled INTEGER NOT NULL, ksize INTEGER NOT NULL,
    filename TEXT, moltype TEXT NOT NULL, with_abundance BOOLEAN NOT NULL, md5sum TEXT NOT NULL, seed INTEGER NOT NULL,
    n_hashes INTEGER NOT NULL, internal_location TEXT, UNIQUE (internal_location, md5sum)
);
"""


def write_sqlite(path: Path, pages: Iterable[CatalogPage], seed: int) -> int:
    """Write a catalog into an empty file; return the number of its rows.  Raises OSError if it cannot be written."""
    columns = [f"{column} {'INTEGER' if column in INTEGERS else 'TEXT'}" for column in OF_PAGE_SIGNATURES]
    marks, date, number = ", ".join("?" * len(columns)), OF_PAGE_SIGNATURES.index(DATE), 0
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")  # the caller syncs the file
            connection.executescript(TABLES)
            connection.execute(f"CREATE TABLE signatures ({', '.join(columns)}, PRIMARY KEY (name)) WITHOUT ROWID")
            connection.execute("BEGIN")
            for page in pages:
                connection.executemany(SKETCH, ((*page.signatures[n][:2], *rest, seed) for n, *rest in page.sketches))
                connection.executemany(
                    f"INSERT INTO signatures VALUES ({marks})",  # noqa: S608 (only ?)
                    ((*row[:date], date_text(row[date]), *row[date + 1 :]) for row in page.signatures),
                )
                number += len(page.sketches)
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise OSError(0, str(error), str(path)) from error
    return number


def date_text(seconds: float) -> str:
    """Return a time as a date and a time in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
