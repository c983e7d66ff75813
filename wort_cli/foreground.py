"""`--now`: runs a job in this process.  The job is in the ledger like any other, so a crash does not lose it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from wort_cli.errors import StorageProblem
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.owners import find_owner
from wort_cli.ledger.retry import CRASHES, RetryPolicy, remaining_wait
from wort_cli.model.job import Job, JobState, Progress
from wort_cli.model.lease import DAEMON, is_abandoned, process_owner, short_owner
from wort_cli.pipeline.download import may_need_download
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.run import fetch_ahead, leave_fetched, run_job
from wort_cli.pipeline.toolkit.processes import kill_attempt
from wort_cli.pipeline.workspace import attempt_directory
from wort_cli.settings import Settings
from wort_cli.system.cancellation import Cancellation, Cancelled
from wort_cli.system.daemon_lock import daemon_is_running
from wort_cli.system.process_identity import own_identity
from wort_cli.system.seals import load_key
from wort_cli.system.termination import terminated_by_signals
from wort_cli.upkeep.ended_workspace import remove_ended_workspace

POLL = 0.2
"""Seconds between two looks at a job that the daemon runs."""
Show = Callable[[Job], None]
"""Shows a job and its progress to the user."""


def compute_now(
    job_id: int,
    ledger: Ledger,
    settings: Settings,
    show: Show,
    *,
    claimed: Job | None = None,
) -> Job:
    """Run a job in this process, with retries after a crash; return the job as it ended.

    While another process is running it, wait for that.

    claimed: the job, if this process has claimed it already

    Ctrl-C cancels the job; SIGTERM and the other signals of a batch system requeue it.
    """
    if not ledger.jobs.get(job_id).state.is_live:
        if claimed is not None:  # it was cancelled since
            remove_ended_workspace(job_id, ledger, settings)
        return ledger.jobs.get(job_id)
    requeue_if_abandoned(job_id, ledger, settings)
    with terminated_by_signals():
        while True:
            job, claimed = claimed or ledger.attempts.claim(job_id, own_name(), settings.lease), None
            if job is None:
                job = ledger.jobs.get(job_id)
                show(job)
                if not job.state.is_live:
                    return job
                time.sleep(POLL)
                requeue_if_abandoned(job_id, ledger, settings)
                continue
            run_attempt(job, ledger, settings, show)
            job = ledger.jobs.get(job_id)
            if job.state is JobState.QUEUED:  # a tool crashed, and the next attempt continues
                continue
            if job.state is not JobState.WAITING or job.reason not in CRASHES:
                show(job)
                return job
            time.sleep(remaining_wait(job.wait_until or 0.0, time.time(), RetryPolicy.of(settings)))


def run_attempt(job: Job, ledger: Ledger, settings: Settings, show: Show) -> None:
    """Run one attempt and record its result, cancellation or interruption in the ledger."""
    watcher = ForegroundWatcher(job, settings, show)
    try:
        with watcher.renewing_lease():
            result = run_job(JobSpec.of(job, settings, jobs=1), watcher)
    except Cancelled:  # another process has cancelled the job in the ledger, or runs it because our lease expired
        remove_ended_workspace(job.id, ledger, settings)
        return
    except KeyboardInterrupt:
        if ledger.jobs.get(job.id).attempt == job.attempt:  # else another process runs it
            ledger.jobs.cancel([job.id])
            remove_ended_workspace(job.id, ledger, settings)
        raise
    except BaseException:
        ledger.attempts.requeue(job.id, job.attempt, "the process was terminated")
        raise
    state = ledger.attempts.finish(result, RetryPolicy.of(settings))
    if state is not None and not state.is_live:
        remove_ended_workspace(job.id, ledger, settings, result.failure)


class FetchAhead:
    """Fetches the archive of the next job in a thread, while this process sketches another one.

    The job is claimed meanwhile, so that no other process runs it.  The thread has a ledger connection of its own.
    """

    def __init__(self, job_id: int, settings: Settings) -> None:
        self._job_id = job_id
        self._settings = settings
        self._job: Job | None = None
        self._started, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="fetch-ahead", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Start to fetch, because the job before does not need the network any more."""
        self._started.set()

    def take(self) -> Job | None:
        """Stop, and return the job if it is claimed; what has arrived stays in its workspace."""
        self._stopped.set()
        self._started.set()
        self._thread.join()
        return self._job

    def give_up(self, ledger: Ledger, *, cancel: bool, seconds: float) -> None:
        """Stop, and cancel the job; or leave what was fetched within so many seconds, and requeue it."""
        job = self.take()
        if job is None or ledger.jobs.get(job.id).attempt != job.attempt:
            return
        if cancel:
            ledger.jobs.cancel([job.id])
            remove_ended_workspace(job.id, ledger, self._settings)
        else:
            leave_fetched(JobSpec.of(job, self._settings, jobs=1), seconds)
            ledger.attempts.requeue(job.id, job.attempt, "the process was terminated")

    def _run(self) -> None:
        self._started.wait()
        ledger = Ledger(self._settings.ledger_file)
        try:
            job = ledger.jobs.get(self._job_id)
            if self._stopped.is_set() or job.behind or job.state is not JobState.QUEUED:
                return
            if not may_need_download(job, self._settings):
                return
            self._job = ledger.attempts.claim(self._job_id, own_name(), self._settings.lease)
        except StorageProblem:  # the job's own attempt reports it
            return
        finally:
            ledger.close()
        if self._job is not None:
            watcher = ForegroundWatcher(self._job, self._settings, lambda _: None, self._stopped)
            with watcher.renewing_lease():
                fetch_ahead(JobSpec.of(self._job, self._settings, jobs=1), watcher)
                self._stopped.wait()


class ForegroundWatcher:
    """A Watcher that shows progress to the user, and renews the lease from a thread with its own ledger connection."""

    def __init__(self, job: Job, settings: Settings, show: Show, cancelled: threading.Event | None = None) -> None:
        self._job = job
        self._settings = settings
        self._show = show
        self._ended = threading.Event()
        self._cancelled = cancelled or threading.Event()
        self.cancellation = Cancellation(self._cancelled.is_set)

    def report(self, progress: Progress) -> None:
        """See Watcher."""
        self._show(replace(self._job, progress=progress))

    @contextmanager
    def renewing_lease(self) -> Iterator[None]:
        """Renew the lease until the context ends."""
        thread = threading.Thread(target=self._renew_lease, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _renew_lease(self) -> None:
        ledger = Ledger(self._settings.ledger_file)
        pause = min(1.0, self._settings.lease / 3)
        while not self._ended.wait(pause):
            try:
                renewed = ledger.attempts.extend_lease(self._job.id, self._job.attempt, self._settings.lease)
            except StorageProblem:  # such as a full disk; the lease is valid for some more renewals
                continue
            if not renewed:
                self._cancelled.set()
                break
        ledger.close()


def own_name() -> str:
    """Return the owner of jobs that this process runs, as the ledger stores it."""
    return process_owner(socket.gethostname(), own_identity())


def requeue_if_abandoned(job_id: int, ledger: Ledger, settings: Settings) -> None:
    """Requeue a running job whose daemon or process has died, and kill the tools that it left."""
    for claim in ledger.attempts.running():
        if claim.job_id != job_id:
            continue
        daemon_runs = claim.owner == DAEMON and daemon_is_running(settings.lock_file)
        if is_abandoned(claim, time.time(), settings.lease, find_owner(claim.owner, daemon_runs=daemon_runs)):
            kill_attempt(attempt_directory(settings.workspace(job_id), claim.attempt), load_key(settings.key_file))
            ledger.attempts.requeue(job_id, claim.attempt, f"the {short_owner(claim.owner)} that ran it ended")
