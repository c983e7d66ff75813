"""Names that a shell completes: read from the ledger without changing, creating or upgrading anything.

A ledger that cannot be read, or that another version wrote, has no names: a completion has nobody to tell.
"""

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

MOST = 100
"""Names that are offered at a time."""
TIMEOUT = 0.1
"""Seconds to wait for a lock."""
QUERIES = {
    "id": "SELECT DISTINCT name FROM jobs WHERE name >= :prefix AND name < :end ORDER BY name LIMIT :most",
    "signature": "SELECT DISTINCT name FROM signatures WHERE name >= :prefix AND name < :end ORDER BY name LIMIT :most",
    "group": "SELECT DISTINCT group_name FROM group_counts WHERE n > 0 AND group_name >= :prefix AND group_name < :end "
    "ORDER BY group_name LIMIT :most",
    "profile": "SELECT column1 AS name FROM (VALUES ('genomes-v1'), ('sra-v1')) "
    "WHERE column1 >= :prefix AND column1 < :end "
    "UNION SELECT name FROM profiles WHERE name >= :prefix AND name < :end ORDER BY name LIMIT :most",
}
"""Queries by the kind of the names.  Each uses an index, so that the size of the ledger does not matter."""


def names(path: Path, kind: str, prefix: str) -> list[str]:
    """Return at most MOST names of a kind that start with a prefix, in alphabetical order."""
    values = {"prefix": prefix, "end": f"{prefix}\U0010ffff", "most": MOST}
    try:
        if not path.is_file():
            return []
        # Without a log, no process has the ledger open, and SQLite would make a log to read it.
        immutable = "" if Path(f"{path}-wal").exists() else "&immutable=1"
        address = f"file:{quote(str(path))}?mode=ro{immutable}"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=TIMEOUT)) as connection:
            return [name for (name,) in connection.execute(QUERIES[kind], values)]
    except (OSError, sqlite3.Error):
        return []
