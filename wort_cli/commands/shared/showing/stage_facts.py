"""Says in a few words how far a running job or fetch is: its stage, and what is known about it."""

from dataclasses import replace

from wort_cli.commands.shared.showing import render
from wort_cli.model.job import Progress
from wort_cli.model.lease import COMPILING, PREPARING, SKETCHING
from wort_cli.model.units import format_bytes, format_rate


class StageFacts:
    """Describes the progress of one job; rates are those since the stage began."""

    def __init__(self) -> None:
        self._first: Progress | None = None

    def describe(self, progress: Progress) -> str:
        """Return the stage, and while fetching, proving and sketching what is done, the rate and the remaining time."""
        first = self._first
        if first is None or first.stage != progress.stage or progress.spots < first.spots or not first.spots:
            first = self._first = progress  # nothing was done before: the time until now was spent on preparations
        if progress.stage == COMPILING:
            return "compiling loops for this machine, only once"
        if not progress.total:
            return progress.stage
        if progress.stage == SKETCHING and not progress.spots:  # the first blobs are read
            return PREPARING
        seconds, done = progress.at - first.at, progress.spots - first.spots
        if progress.stage == SKETCHING:
            amount = f"{progress.spots:,} of {progress.total:,} spots"
            rate = format_rate((progress.bases - first.bases) / max(seconds, 1e-9), "bp")
        elif progress.stage in ("fetching", "proving"):
            amount = f"{progress.stage} {format_bytes(progress.spots)} of {format_bytes(progress.total)}"
            rate = format_rate(done / max(seconds, 1e-9))
        else:
            return progress.stage
        if seconds <= 0 or done <= 0:
            return amount
        left = replace(progress, first_spots=first.spots, first_at=first.at).seconds_left or 0.0
        return f"{amount}, {rate}, {render.duration(left)} left"
