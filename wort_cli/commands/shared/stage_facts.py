"""Says in a few words how far a running job or fetch is: its stage, and what is known about it."""

from wort_cli.commands.shared import render
from wort_cli.model.job import Progress

MEGABYTE = 1e6


class StageFacts:
    """Describes the progress of one job; rates are those since the stage began."""

    def __init__(self) -> None:
        self._first: Progress | None = None

    def describe(self, progress: Progress) -> str:
        """Return the stage, and while fetching, proving and sketching what is done, the rate and the remaining time."""
        first = self._first
        if first is None or first.stage != progress.stage or progress.spots < first.spots or not first.spots:
            first = self._first = progress  # nothing was done before: the time until now was spent on preparations
        if not progress.total:
            return progress.stage
        if progress.stage == "sketching" and not progress.spots:  # loops are compiled, and the first blobs are read
            return "preparing"
        seconds, done = progress.at - first.at, progress.spots - first.spots
        if progress.stage == "sketching":
            amount = f"{progress.spots:,} of {progress.total:,} spots"
            rate = f"{(progress.bases - first.bases) / max(seconds, 1e-9) / 1e6:.1f} Mbp/s"
        elif progress.stage in ("fetching", "proving"):
            amount = f"{progress.stage} {megabytes(progress.spots)} of {megabytes(progress.total)} MB"
            rate = f"{done / max(seconds, 1e-9) / MEGABYTE:.1f} MB/s"
        else:
            return progress.stage
        if seconds <= 0 or done <= 0:
            return amount
        remaining = (progress.total - progress.spots) * seconds / done
        return f"{amount}, {rate}, {render.duration(remaining)} left"


def megabytes(size: int) -> str:
    """Return bytes in megabytes: with a decimal below ten."""
    return f"{size / MEGABYTE:,.0f}" if size >= 10 * MEGABYTE else f"{size / MEGABYTE:.1f}"
