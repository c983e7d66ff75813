"""Recovery: what the daemon does when it starts, before it has workers.

It kills processes that an earlier daemon left behind, identified by their start time and boot, and requeues the jobs
of that daemon.  If that daemon died when memory ran out, its jobs are tried alone (ledger/suspects.py), and one that
dies alone again and again is set aside.  Other deaths, such as a logout or a preempted node, set no job aside.
"""

import logging

from wort_cli.health.health_file import read_health
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.lease import DAEMON, Claim
from wort_cli.pipeline.toolkit.processes import kill_leftovers, read_processes
from wort_cli.pipeline.workspace import attempt_directory, count_finished_parts
from wort_cli.settings import Settings
from wort_cli.system.machine import killed_for_memory
from wort_cli.system.process_identity import boot_id
from wort_cli.system.seals import load_key

log = logging.getLogger(__name__)


def recover(ledger: Ledger, settings: Settings) -> None:
    """Kill the processes of an earlier daemon and requeue its jobs."""
    policy = RetryPolicy.of(settings)
    on_purpose = ledger.controls.killed_on_purpose
    left = [claim for claim in ledger.attempts.running() if claim.owner == DAEMON]
    by_memory = memory_ran_out(settings)
    # The directories of attempts are read here, because kill_leftovers removes them.
    died = {claim.job_id for claim in left if not on_purpose and ran_in_this_boot(claim, settings)}
    for attempt, killed in kill_leftovers(settings.work_dir, load_key(settings.key_file)):
        if killed:
            log.warning("killed the remaining processes of %s", attempt)
        log.info("removed %s, left by an earlier daemon", attempt)
    for claim in left:
        if claim.job_id in died:
            work = count_finished_parts(settings.workspace(claim.job_id))
            state = ledger.attempts.record_death(
                claim.job_id, claim.attempt, work, policy, by_memory=by_memory, alone=len(left) == 1
            )
            cause = " when memory ran out" if by_memory else ""
            log.warning("job %d was running when a daemon died%s: %s", claim.job_id, cause, state)
        else:
            log.info("job %d was running when the daemon ended, requeueing it", claim.job_id)
            ledger.attempts.requeue(claim.job_id, claim.attempt, "the daemon that ran it ended")
    if on_purpose:
        ledger.controls.set_killed_on_purpose(False)
    (settings.work_dir / "promises.json").unlink(missing_ok=True)  # the name of reservations.json in earlier versions


def memory_ran_out(settings: Settings) -> bool:
    """Whether the kernel has killed processes for memory since the last report of the earlier daemon.

    The kernel counts from the boot, so a report of another machine, or from before a reboot, says nothing.
    """
    last, now = read_health(settings.health_file), killed_for_memory()
    if last is None or last.killed_for_memory is None or now is None or last.boot not in ("", boot_id()):
        return False
    return now > last.killed_for_memory


def ran_in_this_boot(claim: Claim, settings: Settings) -> bool:
    """Whether a job was running since this boot.  If the machine itself went down, the daemon did not crash."""
    found = read_processes(
        attempt_directory(settings.workspace(claim.job_id), claim.attempt), load_key(settings.key_file)
    )
    return found is None or found.worker.boot == boot_id()
