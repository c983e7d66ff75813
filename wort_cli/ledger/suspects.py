"""Suspects: jobs that are tried alone, because they ran when a daemon died.

One of them may have taken all memory: the kernel, systemd or a batch system then kills the daemon together with its
workers.  Alone, the job that does so dies again, and the others end as usual.  A death for which the kernel killed no
process for memory says nothing about the jobs, so a job becomes a suspect only after many of those in a row.
"""

import json
from collections.abc import Collection, Mapping, Sequence

from wort_cli.ledger.controls import Controls
from wort_cli.ledger.database import Storage


class Suspects:
    """A list in the table `control`."""

    def __init__(self, storage: Storage, controls: Controls) -> None:
        self._storage = storage
        self._controls = controls

    def all(self) -> frozenset[int]:
        """Return the numbers of the jobs."""
        return self._controls.suspects

    def add(self, job_id: int) -> None:
        """Have a job tried alone."""
        self._controls.set_suspects(self.all() | {job_id})

    def discard(self, job_id: int) -> None:
        """Let a job run beside others again, because an attempt ended and no daemon died."""
        if job_id in self.all():
            self._controls.set_suspects(self.all() - {job_id})

    def queued(self) -> dict[int, int]:
        """Return the suspects that may start, with the deaths of daemons that they were running at."""
        found = self.all()
        if not found:
            return {}
        rows = self._storage.rows("queued_among", ids=json.dumps(sorted(found)))
        return {row["id"]: row["crashes"] for row in rows}


def choose(
    ready: Sequence[int],
    running: Collection[int],
    suspects: Collection[int],
    queued: Mapping[int, int],
    most_deaths: int,
) -> Sequence[int]:
    """Return the jobs that may start now, in order.

    ready: the queued jobs, in order
    running: the jobs that run
    suspects, queued: all suspects, and the deaths of daemons of those that are queued

    A suspect starts when nothing runs, and while it runs nothing starts.  Those with the fewest deaths are first, and
    those with `most_deaths` or more wait until no other job is queued.
    """
    if any(job_id in suspects for job_id in running):
        return ()
    others = [job_id for job_id in ready if job_id not in suspects]
    first = min(queued, key=lambda job_id: (queued[job_id], job_id), default=None)
    if first is None or (queued[first] >= most_deaths and others):
        return others
    return () if running else (first,)
