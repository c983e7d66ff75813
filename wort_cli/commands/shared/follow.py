"""Waits until jobs have ended, or runs them in this process, and shows their progress meanwhile."""

import time
from collections.abc import Sequence

from wort_cli.commands.shared import render
from wort_cli.commands.shared.progress_display import Display, make_display
from wort_cli.errors import ExitCode, WortError
from wort_cli.health.status import PAUSED, STOPPED, UNHEALTHY, read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Job, JobState
from wort_cli.model.lease import SKETCHING, short_owner
from wort_cli.settings import Settings

POLL = 0.2
"""Seconds between two readings of the ledger."""
LOOK_EVERY = 2.0
"""Seconds between two looks at the daemon."""
LONG_WAIT = 30.0
"""Seconds: a job whose next attempt is further away than this is not waited for."""


class TimedOut(WortError):
    """The jobs did not end within the given time."""

    exit_code = ExitCode.TEMPORARY


class DaemonWatch:
    """Says on stderr when the daemon does not start the jobs that a command waits for, and when it does again."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._said = ""
        self._next_look = 0.0

    def look(self) -> None:
        """Look at the daemon, if the last look was a while ago; say what has changed."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_EVERY
        found = self.sentence()
        if found != self._said:
            render.notice(found or "the daemon starts jobs again")
            self._said = found

    def sentence(self) -> str:
        """Return why the daemon starts no jobs, or some; empty if it starts them."""
        found = read_status(self._settings, self._ledger)
        if found.state == STOPPED:
            return "the daemon has stopped; the jobs stay in the queue until `wort daemon start`"
        if found.state == UNHEALTHY:
            return f"the daemon is unhealthy: {render.printable(found.problems[0])} (`wort daemon status`)"
        if found.state == PAUSED:
            return "the queue is paused: `wort daemon resume`"
        if found.blocked_by:
            return f"the daemon starts no job: {render.printable(found.blocked_by)}"
        groups = found.queue.paused_groups if found.queue is not None else ()
        return f"these groups are paused: {', '.join(map(render.printable, groups))}" if groups else ""


def follow(
    ledger: Ledger, job_ids: Sequence[int], timeout: float | None = None, watch: DaemonWatch | None = None
) -> list[Job]:
    """Wait until no job is queued, running, or about to be retried; return all jobs in the order of `job_ids`.

    `watch` says meanwhile what the daemon does not do.

    Raises TimedOut after `timeout` seconds.  Ctrl-C stops the waiting; the jobs continue.
    """
    jobs = {job.id: job for job in ledger.jobs.with_ids(job_ids)}
    if not any(ends_soon(job) for job in jobs.values()):
        return [jobs[job_id] for job_id in job_ids]  # without the display, whose import takes a while
    try:
        with make_display(len(job_ids)) as display:
            return poll_until_ended(ledger, job_ids, timeout, display, watch)
    except KeyboardInterrupt:
        render.notice("the jobs continue; `wort wait --all` follows them again, `wort cancel` cancels them")
        raise


def poll_until_ended(
    ledger: Ledger, job_ids: Sequence[int], timeout: float | None, display: Display, watch: DaemonWatch | None
) -> list[Job]:
    """Read the jobs every `POLL` seconds until each has ended; return them.  Raises TimedOut."""
    deadline = None if timeout is None else time.monotonic() + timeout
    ended: dict[int, Job] = {}
    while True:
        open_ids = [job_id for job_id in job_ids if job_id not in ended or ended[job_id].state.is_live]
        jobs = ledger.jobs.with_ids(open_ids)
        ended.update((job.id, job) for job in jobs if not ends_soon(job))
        display.update(jobs, sum(not job.state.is_live for job in ended.values()))
        if all(job_id in ended for job_id in job_ids) and not any(ends_soon(job) for job in jobs):
            return [ended[job_id] for job_id in job_ids]
        if deadline is not None and time.monotonic() > deadline:
            raise TimedOut(f"{len(job_ids) - len(ended)} of {len(job_ids)} jobs have not ended", "they continue")
        if watch is not None:
            watch.look()
        time.sleep(POLL)


def ends_soon(job: Job) -> bool:
    """Return whether to wait for a job: it is queued or running, or its next attempt starts within LONG_WAIT."""
    if job.state is JobState.WAITING:
        return (job.wait_until or 0.0) - time.time() < LONG_WAIT
    return job.state.is_live


class FirstClaim:
    """Claims the first job that this process will run.

    It is called in the transaction that enqueues the jobs, so that no daemon can start that job in between.
    """

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        from wort_cli.foreground import own_name

        self.job: Job | None = None
        """The job, once it is claimed."""
        self._ledger = ledger
        self._lease = settings.lease
        self._owner = own_name()

    def __call__(self, job_ids: Sequence[int]) -> None:
        """Claim the first of some jobs that has neither ended nor runs elsewhere, unless one is claimed already."""
        for job_id in job_ids:
            if self.job is not None:
                return
            self.job = self._ledger.attempts.claim(job_id, self._owner, self._lease)


def run_now(job_ids: Sequence[int], ledger: Ledger, settings: Settings, claimed: Job | None = None) -> dict[int, Job]:
    """Run jobs one after the other in this process; return them by number, as they ended.

    While one is sketched, the archive of the next is fetched.  A job that another process is running is followed.

    claimed: the job that this process has claimed, which is run first
    """
    from wort_cli.foreground import FetchAhead, compute_now, own_name

    ended: dict[int, Job] = {}
    ahead: FetchAhead | None = None
    owner, announced = own_name(), set[int]()
    if claimed is not None:
        job_ids = [claimed.id, *(job_id for job_id in job_ids if job_id != claimed.id)]
    try:
        for number, job_id in enumerate(job_ids):
            if ahead is not None:
                claimed = ahead.take()
            following = job_ids[number + 1 : number + 2] if settings.fetch_ahead else ()
            ahead = FetchAhead(following[0], settings) if following else None
            with make_display(1) as display:

                def show(job: Job, display: Display = display, ahead: FetchAhead | None = ahead) -> None:
                    if job.state is JobState.RUNNING and job.owner != owner and job.id not in announced:
                        announced.add(job.id)
                        render.notice(f"the {short_owner(job.owner)} is running job {job.id}; waiting for it")
                    display.update([job], int(not job.state.is_live))
                    if ahead is not None and job.progress is not None and job.progress.stage == SKETCHING:
                        ahead.begin()

                ended[job_id] = compute_now(job_id, ledger, settings, show, claimed=claimed)
                claimed = None
    except BaseException as error:
        if ahead is not None:
            ahead.give_up(ledger, cancel=isinstance(error, KeyboardInterrupt))
        raise
    return ended
