"""The crew: the part of the daemon that runs jobs, with worker processes here or workers on other hosts."""

from collections.abc import Callable
from dataclasses import dataclass

from wort_cli.daemon.coordinator import Site


@dataclass(frozen=True)
class Crew:
    """The object that runs the jobs of the daemon, and stops them."""

    site: Site
    described: str
    """For the log."""
    count_alive: Callable[[], tuple[int, int]]
    """Returns how many workers are alive, and how many there should be."""
    woken: Callable[[float], bool]
    """Waits so many seconds for something to do; returns whether there is."""
    busy_pause: float
    """Seconds between turns while workers have jobs."""
    stop: Callable[[], None]
    close_connections: Callable[[], None]
    """Closes what must not be shared with a fork."""
