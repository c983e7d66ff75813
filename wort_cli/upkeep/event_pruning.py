"""Prunes events: limits their number per job, and in the whole ledger.

Events on which decisions depend are retained: the event from which a live job's retries are counted, and the last event
of every job.
"""

from collections.abc import Iterator

from wort_cli.ledger.database import Storage

JOBS, EVENTS = 500, 500
"""Jobs and events that are examined in one step."""


def prune(storage: Storage, keep: int, keep_in_all: int) -> Iterator[int]:
    """Remove events step by step; yield the number that each step removed.

    A job keeps its first event and its newest ones, `keep` in all.  If the ledger then has more than `keep_in_all`, the
    oldest events of ended jobs are removed as well.
    """
    total = 0
    last = single_number(storage, "last_job")
    for first in range(1, last + 1, JOBS):
        part = {"first": first, "last": first + JOBS - 1}
        total += storage.rows("count_events", **part)[0]["n"]
        crowded = [row["job_id"] for row in storage.rows("jobs_with_many_events", keep=max(3, keep), **part)]
        yield 0
        for job_id in crowded:
            while pruned := storage.change("prune_events_of_job", id=job_id, keep=max(3, keep) - 2, limit=EVENTS):
                total -= pruned
                yield pruned
    first, last = 1, single_number(storage, "last_event")
    while total > keep_in_all and first <= last:
        pruned = storage.change("prune_old_events", first=first, last=first + EVENTS - 1)
        total, first = total - pruned, first + EVENTS
        yield pruned


def single_number(storage: Storage, query: str) -> int:
    """Return the `id` of the only row that a query returns."""
    return int(storage.rows(query)[0]["id"])
