"""Keeps the events of jobs bounded: of each job the first and the newest, of all jobs so many.

What a decision is made of stays: the event from which the tries of a live job are counted, and of every job the last.
"""

from collections.abc import Iterator

from wort_cli.ledger.database import Storage

JOBS, EVENTS = 500, 500
"""Jobs and events that are looked at in one step."""


def prune(storage: Storage, keep: int, keep_in_all: int) -> Iterator[int]:
    """Remove old events, step by step; each step gives how many went."""
    total = 0
    last = number(storage, "last_job")
    for first in range(1, last + 1, JOBS):
        part = {"first": first, "last": first + JOBS - 1}
        total += storage.rows("count_events", **part)[0]["n"]
        crowded = [row["job_id"] for row in storage.rows("jobs_with_many_events", keep=max(3, keep), **part)]
        yield 0
        for job_id in crowded:
            while pruned := storage.change("prune_events_of_job", id=job_id, keep=max(3, keep) - 2, limit=EVENTS):
                total -= pruned
                yield pruned
    first, last = 1, number(storage, "last_event")
    while total > keep_in_all and first <= last:
        pruned = storage.change("prune_old_events", first=first, last=first + EVENTS - 1)
        total, first = total - pruned, first + EVENTS
        yield pruned


def number(storage: Storage, query: str) -> int:
    """The one number that a query gives."""
    return int(storage.rows(query)[0]["id"])
