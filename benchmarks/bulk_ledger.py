"""Fills ledgers with millions of rows by SQL, without the triggers and indexes that would take hours."""

from collections.abc import Iterable, Mapping

from wort_cli.ledger.database import Storage
from wort_cli.ledger.kept_counts import count_again

INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
MOVES = "INSERT INTO move_counts SELECT after, reason, count(*) FROM events GROUP BY after, reason"


def fill(storage: Storage, statements: Iterable[str], values: Mapping[str, object]) -> None:
    """Execute statements that insert rows into a new ledger, as its triggers and indexes would have it afterwards.

    A ledger that is being filled is not safe: nothing is synced, and there is no journal.
    """
    connection = storage.connection
    triggers, indexes = storage.rows("triggers"), storage.select(INDEXES, {})
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    for kind, found in (("TRIGGER", triggers), ("INDEX", indexes)):
        for each in found:
            connection.execute(f"DROP {kind} {each['name']}")
    for statement in statements:
        with storage.transaction():
            connection.execute(statement, {name: values[name] for name in values if f":{name}" in statement})
    for each in indexes:
        connection.execute(each["sql"])
    connection.execute(MOVES)
    count_again(storage)
    for each in triggers:
        connection.execute(each["sql"])
    connection.execute("PRAGMA journal_mode = WAL")
    storage.close()  # the next use opens it with the ledger's own settings
