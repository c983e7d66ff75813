"""Ledgers of earlier versions, with rows: one for each version of the schema, and one that wort 0.1.0 wrote."""

import sqlite3
from pathlib import Path
from typing import Any

from wort_cli.ledger.migrations import latest_version, scripts

VERSIONS = range(1, latest_version() + 1)
ROWS = Path(__file__).parents[1] / "unit" / "ledger" / "rows"
"""N.sql inserts rows that version N made possible, into a ledger of version N."""
RELEASE_0_1 = Path(__file__).parents[1] / "data" / "ledger-0.1.0.sql"

Tables = dict[str, list[dict[str, Any]]]


def make_ledger_of_version(path: Path, version: int) -> None:
    """Make a ledger as a wort of that version left it: with rows in every table, and no record of its migrations."""
    statements = []
    for number, script in enumerate(scripts()[:version], 1):
        statements += [script, (ROWS / f"{number}.sql").read_text(encoding="utf-8")]
    statements.append(f"PRAGMA user_version = {version};")
    load(path, "\n".join(statements))


def make_ledger_of_release_0_1(path: Path) -> None:
    """Make the ledger that wort 0.1.0 wrote."""
    load(path, RELEASE_0_1.read_text(encoding="utf-8"))


def load(path: Path, script: str) -> None:
    """Execute a script in a new file, with write-ahead logging as wort sets it."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(script)
    connection.close()


def tables_of(path: Path) -> Tables:
    """Return all rows of wort's tables."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '_sqlite%'"
    )
    found = {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY 1")] for (name,) in names}
    connection.close()
    return found


def schema_of(path: Path) -> set[tuple[str, str, str]]:
    """Return type, name and SQL of wort's tables, indexes and triggers; comments and spaces do not count."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {
        (kind, name, " ".join(" ".join(line.partition("--")[0] for line in sql.splitlines()).split()))
        for kind, name, sql in rows
        if "_sqlite_" not in sql
    }
