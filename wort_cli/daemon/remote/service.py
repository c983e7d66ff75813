"""The daemon as the coordinator of workers on other hosts."""

import logging
from collections.abc import Collection

from wort_cli.daemon.crew import Crew
from wort_cli.daemon.remote.remote_queue import RemoteQueue
from wort_cli.daemon.remote.site import LOOK_EVERY, RemoteSite
from wort_cli.daemon.signals import slept
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.lease import WORKERS
from wort_cli.settings import Settings

log = logging.getLogger(__name__)


def remote_crew(ledger: Ledger, settings: Settings) -> Crew:
    """Connect to the queue, and continue the jobs that workers have.  Raises WortError if that is impossible."""
    queue = RemoteQueue.of(settings)
    for warning in queue.check():
        log.warning("%s", warning)

    def ended(jobs: Collection[int]) -> Collection[int]:
        return set(jobs) - ledger.jobs.live_among(jobs)

    def close_connections() -> None:
        ledger.close()
        queue.close()

    site = RemoteSite(queue, settings, ledger.controls.home_id(), ended=ended, drained=lambda: ledger.controls.drained)
    site.adopt([ledger.jobs.get(claim.job_id) for claim in ledger.attempts.running() if claim.owner == WORKERS])
    site.claim_queue()
    where = f"workers at {queue.where}"
    return Crew(site, where, site.count_alive, slept, LOOK_EVERY, lambda: None, close_connections)
