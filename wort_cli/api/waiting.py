"""Waits until jobs have ended, or runs them in this process."""

import time
from collections.abc import Callable, Sequence

from wort_cli.errors import ExitCode, Terminated, WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Job, JobState
from wort_cli.model.lease import SKETCHING
from wort_cli.settings import Settings

POLL = 0.2
"""Seconds between two readings of the ledger."""
LONG_WAIT = 30.0
"""Seconds: a job whose next attempt is further away than this is not waited for."""

ShowJobs = Callable[[Sequence[Job], int], None]
"""Called with the jobs that were read last, and the number of those that have ended."""
ShowJob = Callable[[Job], None]
"""Called with a job whenever its progress changes."""


class TimedOut(WortError):
    """The jobs did not end within the given time."""

    exit_code = ExitCode.TEMPORARY


def wait_until_ended(
    ledger: Ledger, job_ids: Sequence[int], timeout: float | None = None, show: ShowJobs = lambda _, __: None
) -> list[Job]:
    """Wait until no job is queued, running, or about to be retried; return all jobs in the order of `job_ids`.

    Raises TimedOut after `timeout` seconds.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    ended: dict[int, Job] = {}
    while True:
        open_ids = [job_id for job_id in job_ids if job_id not in ended or ended[job_id].state.is_live]
        jobs = ledger.jobs.with_ids(open_ids)
        later = {job.id for job in jobs if not ends_soon(job)}
        pending = {job.id for job in jobs if job.id not in later and job.behind not in later}
        ended.update((job.id, job) for job in jobs if job.id not in pending)
        number = sum(not job.state.is_live for job in ended.values())
        if all(job_id in ended for job_id in job_ids) and not pending:
            show(jobs, number)
            return [ended[job_id] for job_id in job_ids]
        if deadline is not None and time.monotonic() > deadline:
            raise TimedOut(f"{len(job_ids) - number} of {len(job_ids)} jobs have not ended", "they continue")
        show(jobs, number)
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


def run_here(
    job_ids: Sequence[int],
    ledger: Ledger,
    settings: Settings,
    claimed: Job | None = None,
    watch: ShowJob = lambda _: None,
    note: ShowJob = lambda _: None,
) -> dict[int, Job]:
    """Run jobs one after the other in this process; return them by number, as they ended.

    While one is sketched, the archive of the next is fetched.  A job that another process is running is followed.

    claimed: the job that this process has claimed, which is run first
    watch: called with each job whenever its progress changes
    note: called with each job that has ended, or waits for a later time
    """
    from wort_cli.foreground import FetchAhead, compute_now

    ended: dict[int, Job] = {}
    ahead: FetchAhead | None = None
    if claimed is not None:
        job_ids = [claimed.id, *(job_id for job_id in job_ids if job_id != claimed.id)]
    try:
        for number, job_id in enumerate(job_ids):
            if ahead is not None:
                claimed = ahead.take()
            following = job_ids[number + 1 : number + 2] if settings.fetch_ahead else ()
            ahead = FetchAhead(following[0], settings) if following else None

            def show(job: Job, ahead: FetchAhead | None = ahead) -> None:
                watch(job)
                if ahead is not None and job.progress is not None and job.progress.stage == SKETCHING:
                    ahead.begin()

            ended[job_id] = compute_now(job_id, ledger, settings, show, claimed=claimed)
            claimed = None
            note(ended[job_id])
    except BaseException as error:
        if ahead is not None:
            left = error.at + settings.keep_slices_seconds - time.monotonic() if isinstance(error, Terminated) else 0.0
            ahead.give_up(ledger, cancel=isinstance(error, KeyboardInterrupt), seconds=left)
        raise
    return ended
