"""Finds abandoned jobs: running jobs whose process has died or has stopped renewing its lease.

A process that runs a job with --now renews the lease regularly.  How long a lease has not changed is measured on this
process's monotonic clock, so that setting the wall clock has no effect.
"""

import time
from collections.abc import Callable, Sequence

from wort_cli.ledger.owners import find_owner
from wort_cli.model.lease import Claim, has_stopped_renewing


class AbandonedJobs:
    """Remembers when each job's lease was last seen to change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, tuple[Claim, float]] = {}

    def abandoned(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        """Return those of `claims` that are abandoned.

        `claims` are all running jobs except those of this daemon's workers.  Call it regularly.
        """
        now, before = self._clock(), self._seen
        self._seen = {}
        for claim in claims:
            seen = before.get(claim.job_id)
            self._seen[claim.job_id] = seen if seen is not None and seen[0] == claim else (claim, now)
        return [claim for claim, since in self._seen.values() if is_abandoned(claim, now - since, lease)]


def is_abandoned(claim: Claim, unchanged: float, lease: float) -> bool:
    """Return whether a job is abandoned whose lease has not changed for `unchanged` seconds.

    The caller is the daemon, so a job that is claimed by a daemon is one of an earlier daemon.
    """
    return has_stopped_renewing(unchanged, lease, find_owner(claim.owner, daemon_runs=False))
