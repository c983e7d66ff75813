"""Shows the progress of jobs, while they are waited for or run in this process."""

import time
from collections.abc import Sequence

from wort_cli.api.waiting import ShowJob, ends_soon, run_here, wait_until_ended
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.progress_display import make_display
from wort_cli.health.status import PAUSED, STOPPED, UNHEALTHY, read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Job, JobState
from wort_cli.model.lease import short_owner
from wort_cli.settings import Settings

LOOK_EVERY = 2.0
"""Seconds between two looks at the daemon."""


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

            def show(jobs: Sequence[Job], ended: int) -> None:
                display.update(jobs, ended)
                if watch is not None and ended < len(job_ids):
                    watch.look()

            return wait_until_ended(ledger, job_ids, timeout, show)
    except KeyboardInterrupt:
        render.notice("the jobs continue; `wort wait --all` follows them again, `wort cancel` cancels them")
        raise


def run_now(
    job_ids: Sequence[int],
    ledger: Ledger,
    settings: Settings,
    claimed: Job | None = None,
    note: ShowJob = lambda _: None,
) -> dict[int, Job]:
    """Run jobs one after the other in this process, with a display of their progress; see `run_here`."""
    from wort_cli.foreground import own_name

    if not job_ids:
        return {}
    owner, announced, ended = own_name(), set[int](), 0
    with make_display(len(job_ids)) as display:

        def show(job: Job) -> None:
            if job.state is JobState.RUNNING and job.owner != owner and job.id not in announced:
                announced.add(job.id)
                render.notice(f"the {short_owner(job.owner)} is running job {job.id}; waiting for it")
            display.update([job], ended + int(not job.state.is_live))

        def count(job: Job) -> None:
            nonlocal ended
            ended += 1
            note(job)

        return run_here(job_ids, ledger, settings, claimed, show, count)
