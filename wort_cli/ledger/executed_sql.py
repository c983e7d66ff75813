"""Triggers and views of a ledger that comes from elsewhere: it may have those of wort's migrations, and no others.

SQLite executes the triggers that a file contains, whatever wrote them: a copy with one more trigger could change trust
or jobs at each write, and one without a guard would accept what the guard refuses (sqlite.org/security.html, "Untrusted
SQLite Database Files").  So a backup is compared before it takes the ledger's place, and an earlier ledger before it is
upgraded.  Indexes execute nothing; a user may add some.
"""

import contextlib
import sqlite3
from collections.abc import Iterable
from functools import cache

QUERY = "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')"


def difference(found: Iterable[tuple[str, str]], scripts: tuple[str, ...]) -> str:
    """Return how triggers and views, as names and SQL, differ from those that `scripts` make; empty if they do not."""
    there = normalized(found)
    expected = made_by(scripts)
    for name in sorted(there.keys() | expected.keys()):
        if name not in expected:
            return f"it has the trigger or view {name!a}, which wort does not make"
        if name not in there:
            return f"its trigger {name!a} is missing"
        if there[name] != expected[name]:
            return f"its trigger {name!a} is not the one that wort makes"
    return ""


@cache
def made_by(scripts: tuple[str, ...]) -> dict[str, str]:
    """Return the triggers and views of a new database, by name, after the scripts."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for script in scripts:
            connection.executescript(script)
        return normalized(connection.execute(QUERY))


def normalized(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return SQL by name, without comments, quotes and spaces: a release may change those of its scripts."""
    found = {}
    for name, sql in rows:
        code = " ".join(line.partition("--")[0] for line in sql.splitlines())
        found[name] = "".join(code.split()).replace('"', "")
    return found
