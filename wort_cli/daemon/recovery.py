"""What a daemon finds when it starts: processes that an earlier one left, and jobs that it was at.

The processes are ended by their identity.  The jobs are queued again; one that was running each time a daemon crashed,
and came no further in between, is set aside, for it may be what they crash of.
"""

import logging

from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.lease import DAEMON, Claim
from wort_cli.pipeline.toolkit.processes import kill_leftovers, read_processes
from wort_cli.pipeline.workspace import attempt_directory, count_finished_parts
from wort_cli.settings import Settings
from wort_cli.system.process_identity import this_boot

log = logging.getLogger(__name__)


def recover(ledger: Ledger, settings: Settings) -> None:
    """Clear away after an earlier daemon; to be called while this one has no workers yet."""
    policy = RetryPolicy.of(settings)
    on_purpose = ledger.controls.killed_on_purpose
    left = [claim for claim in ledger.attempts.running() if claim.owner == DAEMON]
    crashed = {claim.job_id for claim in left if not on_purpose and of_this_boot(claim, settings)}
    for attempt, ended in kill_leftovers(settings.work_dir):
        if ended:
            log.warning("ended what was left of %s", attempt)
        log.info("removed %s, which an earlier daemon left", attempt)
    for claim in left:
        if claim.job_id in crashed:
            work = count_finished_parts(settings.workspace(claim.job_id))
            state = ledger.attempts.record_crash(claim.job_id, claim.attempt, work, policy)
            log.warning("job %d was running when a daemon crashed: %s", claim.job_id, state)
        else:
            log.info("job %d was left running by a daemon, queueing it again", claim.job_id)
            ledger.attempts.requeue(claim.job_id, claim.attempt, "the daemon that worked on it ended")
    if on_purpose:
        ledger.controls.set_killed_on_purpose(False)


def of_this_boot(claim: Claim, settings: Settings) -> bool:
    """Whether a job was running since this boot: what the machine's going down ended crashed nothing."""
    found = read_processes(attempt_directory(settings.workspace(claim.job_id), claim.attempt))
    return found is None or found.worker.boot == this_boot()
