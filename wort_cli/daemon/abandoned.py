"""Which running jobs that are not the daemon's own are nobody's any more.

A process that computes by itself renews its lease all the time.  Whether it does is told by how long the lease stands
unchanged on our own clock, so that it does not matter how the clock on the wall is set.
"""

import socket
import time
from collections.abc import Callable, Sequence

from wort_cli.model.lease import DAEMON, Claim, Owner, is_silent, judge_owner, pid_of
from wort_cli.system.process_identity import identity_of


class AbandonedJobs:
    """Remembers when the lease of each job was last seen to change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, tuple[Claim, float]] = {}

    def abandoned(self, claims: Sequence[Claim], lease: float) -> list[Claim]:
        """Those of all running jobs of others that are nobody's; to be called again and again."""
        now = self._clock()
        before = self._seen
        self._seen = {
            claim.job_id: (claim, before[claim.job_id][1] if before.get(claim.job_id, (None,))[0] == claim else now)
            for claim in claims
        }
        return [claim for claim, since in self._seen.values() if is_silent(now - since, lease, owner_of(claim))]


def owner_of(claim: Claim) -> Owner:
    """What is known of the owner of a job that is not the daemon's own: what a daemon runs is of one that ended."""
    if claim.owner == DAEMON:
        return Owner.GONE
    pid = pid_of(claim.owner)
    return judge_owner(claim.owner, socket.gethostname(), identity_of(pid) if pid else None)
