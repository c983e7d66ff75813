"""Finds and repairs rows of the ledger that contradict each other.

The ledger's triggers prevent such rows (sql/migrations/1.sql), so another program has written them, or the disk has
changed them.  Repairs obey the triggers and record events.
"""

import json
import time
from collections.abc import Iterator
from functools import partial

from wort_cli.ledger.database import Row
from wort_cli.ledger.kept_counts import KeptCount, count_again, wrong_counts
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.upkeep.inconsistency import Inconsistency

COUNT_LIMIT = 100_000_000
"""Bytes of a ledger up to which its rows are counted even without `full`: about half a second."""
REASONS = json.dumps(["", *Reason])


def ledger_inconsistencies(ledger: Ledger, *, full: bool) -> Iterator[Inconsistency]:
    """Yield the inconsistencies of events, progress rows, jobs and counts; with `full`, the counts of any ledger."""
    storage = ledger.storage
    for table, missing in (("events", "job"), ("progress", "running job")):
        number = storage.rows(f"orphaned_{table}")[0]["n"]
        if number:
            detail = f"{number} rows of {table} belong to no {missing}"
            yield Inconsistency("ledger", detail, partial(remove_orphaned_rows, ledger, table))
    for row in storage.rows("inconsistent_jobs", reasons=REASONS):
        yield Inconsistency(f"job {row['id']}", contradiction(row), partial(repair_job, ledger, row))
    size = int(storage.rows("ledger_bytes")[0]["n"])
    if not full and size > COUNT_LIMIT:
        detail = f"the numbers that it keeps were not compared with its rows ({size / 1e9:.1f} GB)"
        yield Inconsistency("ledger", detail, hint="`wort doctor --full` compares them", harmless=True)
        return
    for kept in wrong_counts(storage):
        detail = f"the number of {kept.what} that it keeps ({kept.table}) is not that of its rows"
        yield Inconsistency("ledger", detail, partial(repair_counts, ledger, kept))


def remove_orphaned_rows(ledger: Ledger, table: str) -> str:
    """Remove rows whose job does not exist; return a sentence that says so."""
    return f"removed {ledger.storage.change(f'remove_orphaned_{table}')} rows of {table}"


def repair_counts(ledger: Ledger, kept: KeptCount) -> str:
    """Count the rows again; return a sentence that says so."""
    count_again(ledger.storage, [kept])
    return f"counted the {kept.what} again"


def contradiction(row: Row) -> str:
    """Return a sentence that says what is wrong with a job."""
    if row["state"] not in list(JobState):
        return f"its state {row['state']!r} does not exist"
    if row["reason"] not in ("", *Reason):
        return f"its reason {row['reason']!r} does not exist"
    return f"it is {row['state']}, but has no {'owner or lease' if row['state'] == 'running' else 'time'}"


def repair_job(ledger: Ledger, row: Row) -> str:
    """Make a job valid and return a sentence that says how; a job in an unknown state is requeued."""
    storage, now = ledger.storage, time.time()
    with storage.transaction():
        if row["state"] in list(JobState):
            storage.change("repair_reason", id=row["id"], reasons=REASONS)
            storage.change("repair_times", id=row["id"], now=now)
            if row["state"] == "running" and ledger.attempts.requeue(row["id"], row["attempt"], "it had no owner"):
                return record_repair(ledger, row["name"], f"job {row['id']} was running without an owner: requeued")
            return record_repair(ledger, row["name"], f"job {row['id']}: set its missing or invalid values")
        key = {field: row[field] for field in ("id", "name", "profile", "kind", "subject")}
        state = "cancelled" if storage.row("other_live_job", **key) else "queued"
        action = f"job {row['id']} was in the unknown state {row['state']!r} and is now {state}"
        # The triggers permit this transition until the end of the transaction only.
        storage.change("allow_transition", before=row["state"], after=state)
        storage.change("repair_state", id=row["id"], state=state, message=action, now=now)
        storage.change("forbid_transitions_from", before=row["state"])
        return record_repair(ledger, row["name"], action)


def record_repair(ledger: Ledger, name: str, action: str) -> str:
    """Record a repair in the ledger and return its sentence."""
    ledger.storage.change("record_repair", now=time.time(), name=name, what=action)
    return action
