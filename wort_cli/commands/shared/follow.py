"""Follows jobs until they have ended, with a live bar for each that runs."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from wort_cli.commands.shared import render
from wort_cli.errors import ExitCode, WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import Job, JobKind, JobState, Progress

POLL = 0.2
LONG_WAIT = 30.0
"""Seconds: who follows does not wait for a job that itself waits longer than this."""


class TimedOut(WortError):
    """The jobs did not end in the time that was given."""

    exit_code = ExitCode.TEMPORARY


def follow(ledger: Ledger, job_ids: Sequence[int], timeout: float | None = None) -> list[Job]:
    """Wait until no job is queued or running, or about to be; return all, as they are then, in order.

    TimedOut after `timeout` seconds.  Ctrl-C ends the following, not the jobs.
    """
    try:
        return watch(ledger, job_ids, timeout)
    except KeyboardInterrupt:
        render.say("the jobs go on; `wort wait --all` follows them again, `wort cancel` drops them")
        raise


def watch(ledger: Ledger, job_ids: Sequence[int], timeout: float | None) -> list[Job]:
    """See follow."""
    deadline = None if timeout is None else time.monotonic() + timeout
    ended: dict[int, Job] = {}
    with bars(len(job_ids)) as display:
        while True:
            open_ids = [job_id for job_id in job_ids if job_id not in ended or ended[job_id].state.is_live]
            jobs = ledger.jobs.with_ids(open_ids)
            ended.update((job.id, job) for job in jobs if not goes_on(job))
            display.update(jobs, len(ended))
            if all(job_id in ended for job_id in job_ids) and not any(goes_on(job) for job in jobs):
                return [ended[job_id] for job_id in job_ids]
            if deadline is not None and time.monotonic() > deadline:
                raise TimedOut(f"{len(job_ids) - len(ended)} of {len(job_ids)} jobs have not ended", "they go on")
            time.sleep(POLL)


def goes_on(job: Job) -> bool:
    """Whether a job is worth waiting for."""
    if job.state is JobState.WAITING:
        return (job.wait_until or 0.0) - time.time() < LONG_WAIT
    return job.state.is_live


class Display(Protocol):
    """Shows how jobs get on."""

    def __enter__(self) -> "Display": ...
    def __exit__(self, *_: object) -> None: ...
    def update(self, jobs: Sequence[Job], ended: int) -> None:
        """Show these jobs as they are now; `ended` is how many have ended in all."""


def bars(total: int) -> Display:
    """A display that suits stderr."""
    return LiveBars(total) if render.to_terminal(sys.stderr) else PlainLines(total)


@contextmanager
def showing_one() -> Iterator[Callable[[Job], None]]:
    """Yield a function that shows the one job that this process computes."""
    with bars(1) as display:
        yield lambda job: display.update([job], int(not job.state.is_live))


class PlainLines:
    """For a pipe: a line when one of several jobs ends."""

    def __init__(self, total: int) -> None:
        self._several = total > 1
        self._told: set[int] = set()

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, jobs: Sequence[Job], ended: int) -> None:
        """See Display."""
        for job in jobs:
            if self._several and not job.state.is_live and job.id not in self._told:
                self._told.add(job.id)
                render.say(f"{job.name}: {job.state}{f', {job.reason}' if job.reason else ''}")


class LiveBars:
    """For a terminal: a bar for each running job, with spots, rate and time to go; and one for all of several."""

    MOST = 16

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskID, TextColumn
        from rich.progress import Progress as RichProgress

        self._total = total
        self._tasks: dict[int, TaskID] = {}
        self._rates: dict[int, Rate] = {}
        self._progress = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[facts]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._overall = self._progress.add_task("all", total=total, facts="", visible=total > 1)

    def __enter__(self) -> "LiveBars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, jobs: Sequence[Job], ended: int) -> None:
        """See Display."""
        self._progress.update(self._overall, completed=ended, facts=f"{ended:,} of {self._total:,} runs")
        running = {job.id: job for job in jobs if job.state is JobState.RUNNING}
        waiting = [job for job in jobs if job.state is not JobState.RUNNING and job.state.is_live]
        for job_id in set(self._tasks) - set(running):
            self._progress.remove_task(self._tasks.pop(job_id))
        for job in list(running.values())[: self.MOST]:
            self._show(job.id, str(job.name), job.progress)
        if self._total == 1 and waiting and not running:
            self._progress.update(self._overall, visible=True, facts=str(waiting[0].state))
        elif self._total == 1:
            self._progress.update(self._overall, visible=False)

    def _show(self, job_id: int, name: str, progress: Progress | None) -> None:
        if job_id not in self._tasks:
            self._tasks[job_id] = self._progress.add_task(name, total=1.0, facts="starting")
            self._rates[job_id] = Rate()
        if progress is not None:
            facts = self._rates[job_id].facts(progress)
            self._progress.update(self._tasks[job_id], completed=progress.fraction, facts=facts)


class Rate:
    """The rate of a job since its spots began to count."""

    def __init__(self) -> None:
        self._first: Progress | None = None

    def facts(self, progress: Progress) -> str:
        """Stage, spots, rate and time to go."""
        if progress.stage != "sketching" or not progress.total:
            return progress.stage
        if self._first is None or progress.spots < self._first.spots:
            self._first = progress
        facts = f"{progress.spots:,} of {progress.total:,} spots"
        seconds, spots = progress.at - self._first.at, progress.spots - self._first.spots
        if seconds > 0 and spots > 0:
            rate = spots / seconds
            megabases = (progress.bases - self._first.bases) / seconds / 1e6
            facts += f", {megabases:.1f} Mbp/s, {render.duration((progress.total - progress.spots) / rate)} to go"
        return facts


def as_record(job: Job) -> dict[str, Any]:
    """A job as a command shows it."""
    progress = job.progress
    return {
        "job": job.id,
        "name": str(job.name),
        "state": str(job.state),
        "reason": str(job.reason or ""),
        "progress": f"{progress.fraction:.0%} {progress.stage}" if progress else "",
        "group": job.group,
        "priority": job.priority or "",
        "attempt": job.attempt or "",
        "queued": render.when(job.created_at),
        "ended": render.when(job.ended_at),
        "message": job.message,
        "kind": str(job.kind) if job.kind is not JobKind.COMPUTE else "",
    }
