"""Shows the progress of jobs on stderr: live bars on a terminal, a line per ended job in a pipe."""

import sys
from collections.abc import Sequence
from typing import Protocol

from wort_cli.commands.shared import render
from wort_cli.model.job import Job, JobState, Progress


class Display(Protocol):
    """Shows the progress of jobs while its context lasts."""

    def __enter__(self) -> "Display": ...
    def __exit__(self, *_: object) -> None: ...
    def update(self, jobs: Sequence[Job], ended: int) -> None:
        """Show the current state of jobs, and the number of all jobs that have ended."""


def make_display(total: int) -> Display:
    """Return the display for `total` jobs that suits stderr."""
    return LiveBars(total) if render.is_terminal(sys.stderr) else PlainLines(total)


class PlainLines:
    """The display for a pipe: a line when one of several jobs ends."""

    def __init__(self, total: int) -> None:
        self._several = total > 1
        self._reported: set[int] = set()

    def __enter__(self) -> "PlainLines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, jobs: Sequence[Job], ended: int) -> None:
        """See Display."""
        for job in jobs:
            if self._several and not job.state.is_live and job.id not in self._reported:
                self._reported.add(job.id)
                render.notice(f"{job.name}: {job.state}{f', {job.reason}' if job.reason else ''}")


class LiveBars:
    """The display for a terminal: a bar per running job with spots, rate and remaining time, and one for all jobs."""

    MAX_BARS = 16

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TaskID, TextColumn
        from rich.progress import Progress as RichProgress

        self._total = total
        self._tasks: dict[int, TaskID] = {}
        self._rates: dict[int, SketchingRate] = {}
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
        self._progress.update(self._overall, completed=ended, facts=f"{ended:,} of {self._total:,} jobs")
        running = {job.id: job for job in jobs if job.state is JobState.RUNNING}
        waiting = [job for job in jobs if job.state is not JobState.RUNNING and job.state.is_live]
        for job_id in set(self._tasks) - set(running):
            self._progress.remove_task(self._tasks.pop(job_id))
        for job in list(running.values())[: self.MAX_BARS]:
            self._show(job.id, str(job.name), job.progress)
        if self._total == 1 and waiting and not running:
            self._progress.update(self._overall, visible=True, facts=str(waiting[0].state))
        elif self._total == 1:
            self._progress.update(self._overall, visible=False)

    def _show(self, job_id: int, name: str, progress: Progress | None) -> None:
        if job_id not in self._tasks:
            self._tasks[job_id] = self._progress.add_task(name, total=1.0, facts="starting")
            self._rates[job_id] = SketchingRate()
        if progress is not None:
            facts = self._rates[job_id].describe(progress)
            self._progress.update(self._tasks[job_id], completed=progress.fraction, facts=facts)


class SketchingRate:
    """The rate of a job since sketching started."""

    def __init__(self) -> None:
        self._first: Progress | None = None

    def describe(self, progress: Progress) -> str:
        """Return the stage; while sketching, the spots, the rate and the remaining time instead."""
        if progress.stage != "sketching" or not progress.total:
            return progress.stage
        if self._first is None or progress.spots < self._first.spots:
            self._first = progress
        description = f"{progress.spots:,} of {progress.total:,} spots"
        seconds, spots = progress.at - self._first.at, progress.spots - self._first.spots
        if seconds > 0 and spots > 0:
            megabases = (progress.bases - self._first.bases) / seconds / 1e6
            remaining = (progress.total - progress.spots) * seconds / spots
            description += f", {megabases:.1f} Mbp/s, {render.duration(remaining)} left"
        return description
