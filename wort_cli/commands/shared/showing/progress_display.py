"""Shows the progress of jobs on stderr: live bars on a terminal, a line per ended job in a pipe."""

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.stage_facts import StageFacts
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState, Progress

if TYPE_CHECKING:
    from rich.progress import Task


class Shown(Protocol):
    """A job, or an object with the same facts, as the display shows it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def state(self) -> JobState: ...
    @property
    def reason(self) -> Reason | None: ...
    @property
    def progress(self) -> Progress | None: ...


class Display(Protocol):
    """Shows the progress of jobs while its context lasts."""

    def __enter__(self) -> "Display": ...
    def __exit__(self, *_: object) -> None: ...
    def update(self, jobs: Sequence[Shown], ended: int) -> None:
        """Show the current state of jobs, and the number of all jobs that have ended."""


def make_display(total: int, things: str = "jobs") -> Display:
    """Return the display for `total` jobs that suits stderr; `things` is what they are called."""
    return LiveBars(total, things) if render.is_terminal(sys.stderr) else PlainLines(total)


class PlainLines:
    """The display for a pipe: a line when one of several jobs ends."""

    def __init__(self, total: int) -> None:
        self._several = total > 1
        self._reported: set[int] = set()

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, jobs: Sequence[Shown], ended: int) -> None:
        """See Display."""
        for job in jobs:
            if self._several and not job.state.is_live and job.id not in self._reported:
                self._reported.add(job.id)
                render.notice(f"{job.name}: {job.state}{f', {job.reason}' if job.reason else ''}")


class Pace:
    """Describes how fast several jobs end; a job that runs counts by the share of it that is done."""

    LEAST = 3.0
    """Seconds after which the rate means something."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def describe(self, done: float, total: int, now: float) -> str:
        """Return the rate since the first call, and the remaining time; empty while they are unknown."""
        if self._first is None:
            self._first = now, done
        seconds, new = now - self._first[0], done - self._first[1]
        if seconds < self.LEAST or new <= 0 or done >= total:
            return ""
        per_hour = new / seconds * 3600
        rate = f"{per_hour:,.0f} per hour" if per_hour < 600 else f"{per_hour / 60:,.0f} per minute"
        return f", {rate}, {render.duration((total - done) * seconds / new)} left"


class LiveBars:
    """The display for a terminal: a bar per running job with its stage, rate and remaining time, and one for all jobs.

    A stage of unknown length has a bar that moves.
    """

    MAX_BARS = 16
    BAR, LEAST_BAR = 24, 8
    """Columns."""
    TEXTS = 70
    """Columns that the name, the share and the facts take."""

    def __init__(self, total: int, things: str = "jobs") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskID, TextColumn
        from rich.progress import Progress as RichProgress

        self._total = total
        self._things = things
        self._tasks: dict[int, TaskID] = {}
        self._facts: dict[int, StageFacts] = {}
        console = Console(stderr=True)
        self._progress = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(max(self.LEAST_BAR, min(self.BAR, console.width - self.TEXTS))),
            TextColumn("{task.fields[share]:>4}"),
            TextColumn("{task.fields[facts]}", markup=False),
            console=console,
            transient=True,
        )
        self._pace = Pace()
        self._overall = self._progress.add_task("all", total=total, facts="", share="", visible=total > 1)

    def __enter__(self) -> "LiveBars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @property
    def tasks(self) -> list["Task"]:
        """The bars that are shown."""
        return self._progress.tasks

    def update(self, jobs: Sequence[Shown], ended: int) -> None:
        """See Display."""
        done = ended + sum(job.progress.fraction for job in jobs if job.progress and job.state is JobState.RUNNING)
        pace = self._pace.describe(done, self._total, time.monotonic())
        states = [job.state for job in jobs]
        retried = states.count(JobState.WAITING)
        if retried and not {JobState.QUEUED, JobState.RUNNING} & set(states):
            pace = ""  # nothing happens until the next attempt
        facts = f"{ended:,} of {self._total:,} {self._things}{f', {retried:,} waiting' if retried else ''}{pace}"
        share = f"{ended / self._total:.0%}" if self._total else ""
        self._progress.update(self._overall, completed=ended, facts=facts, share=share)
        running = {job.id: job for job in jobs if job.state is JobState.RUNNING}
        waiting = [job for job in jobs if job.state is not JobState.RUNNING and job.state.is_live]
        for job_id in set(self._tasks) - set(running):
            self._progress.remove_task(self._tasks.pop(job_id))
        for job in list(running.values())[: self.MAX_BARS]:
            self._show(job.id, str(job.name), job.progress)
        if self._total == 1 and waiting and not running:
            self._progress.update(self._overall, visible=True, facts=str(waiting[0].state), share="")
        elif self._total == 1:
            self._progress.update(self._overall, visible=False)

    def _show(self, job_id: int, name: str, progress: Progress | None) -> None:
        if job_id not in self._tasks:
            self._tasks[job_id] = self._progress.add_task(name, total=None, facts="starting", share="")
            self._facts[job_id] = StageFacts()
        if progress is None:
            return
        facts = self._facts[job_id].describe(progress)
        known = progress.total > 0 and progress.spots > 0
        self._progress.update(
            self._tasks[job_id],
            total=1.0 if known else None,
            completed=progress.fraction,
            facts=facts,
            share=f"{progress.fraction:.0%}" if known else "",
        )
