"""Which running jobs that are not the daemon's own are nobody's any more.

A process that computes by itself renews its lease all the time.  Whether it does is told by how long the lease stands
unchanged on our own clock, so that it does not matter how the clock on the wall is set.
"""

import time
from collections.abc import Sequence

from wort_cli.ledger.owners import find_owner
from wort_cli.model.lease import Claim, has_stopped_renewing


class AbandonedJobs:
    """Remembers when the lease of each job was last seen to change."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Claim, float]] = {}

    def abandoned(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        """Those of all running jobs of others that are nobody's; to be called again and again."""
        now = time.monotonic()
        before = self._seen
        self._seen = {
            claim.job_id: (claim, before[claim.job_id][1] if before.get(claim.job_id, (None,))[0] == claim else now)
            for claim in claims
        }
        return [
            claim
            for claim, since in self._seen.values()
            if has_stopped_renewing(now - since, lease, find_owner(claim.owner, daemon_runs=False))
        ]
