"""Rows of the ledger that do not fit together: some other program wrote them, or the disk changed them.

The triggers let nothing of it happen (sql/migrations/1.sql); what is mended keeps to them, and leaves events.
"""

import json
import time
from collections.abc import Iterator
from functools import partial

from wort_cli.ledger.database import Row
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.upkeep.inconsistency import Inconsistency

REASONS = json.dumps(["", *Reason])


def ledger_inconsistencies(ledger: Ledger) -> Iterator[Inconsistency]:
    """What is wrong with events, progress and jobs."""
    storage = ledger.storage
    for things, about in (("orphaned_events", "no job"), ("orphaned_progress", "no running job")):
        number = storage.rows(things)[0]["n"]
        if number:
            kind = things.removeprefix("orphaned_")
            yield Inconsistency("ledger", f"{number} rows of {kind} are of {about}", partial(remove_rows, ledger, kind))
    for row in storage.rows("inconsistent_jobs", reasons=REASONS):
        yield Inconsistency(f"job {row['id']}", odd(row), partial(mend_job, ledger, row))


def remove_rows(ledger: Ledger, kind: str) -> str:
    """Remove rows that belong to nothing."""
    return f"removed {ledger.storage.change(f'remove_orphaned_{kind}')} rows of {kind}"


def odd(row: Row) -> str:
    """What is odd about a job."""
    if row["state"] not in list(JobState):
        return f"its state is {row['state']!r}, which there is not"
    if row["reason"] not in ("", *Reason):
        return f"its reason is {row['reason']!r}, which there is not"
    return (
        f"it is {row['state']}, but nobody has it"
        if row["state"] == "running"
        else f"it is {row['state']} without a time"
    )


def mend_job(ledger: Ledger, row: Row) -> str:
    """Bring a job back to what the rules allow; it is queued again if it is not known where it stood."""
    storage, now = ledger.storage, time.time()
    with storage.transaction():
        if row["state"] in list(JobState):
            storage.change("repair_reason", id=row["id"], reasons=REASONS)
            storage.change("repair_times", id=row["id"], now=now)
            if row["state"] == "running" and ledger.attempts.requeue(row["id"], row["attempt"], "nobody had it"):
                return note(ledger, row["name"], f"job {row['id']} was running, but nobody had it: queued again")
            return note(ledger, row["name"], f"job {row['id']}: what was missing or unknown in it was set")
        key = {field: row[field] for field in ("id", "name", "profile", "kind", "subject")}
        state = "cancelled" if storage.row("other_live_job", **key) else "queued"
        said = f"job {row['id']} was in the state {row['state']!r}, which there is not: it is {state} now"
        # The one move that is not legal is made so for as long as this transaction lasts.
        storage.change("allow_transition", before=row["state"], after=state)
        storage.change("repair_state", id=row["id"], state=state, message=said, now=now)
        storage.change("forbid_transitions_from", before=row["state"])
        return note(ledger, row["name"], said)


def note(ledger: Ledger, name: str, what: str) -> str:
    """Write down what was mended; return it."""
    ledger.storage.change("record_repair", now=time.time(), name=name, what=what)
    return what
