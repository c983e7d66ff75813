"""Shared code of the benchmarks of fetching: archives with qualities, and the loop of the server's process."""

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support.archives import make_with_qualities

SPOT = 300
"""Bases in a spot: 2 x 150."""


def archive_with_qualities(directory: Path, megabases: int) -> Path:
    """Return an archive of so many megabases, which is made if an earlier benchmark has not made it."""
    path = directory / f"qualities-{megabases}.sra"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        make_with_qualities(path, spots=megabases * 1_000_000 // SPOT, genome=megabases * 100_000)
    return path


def answer_until_closed(pipe: Connection, answer: Callable[[], object]) -> None:
    """Send an answer for each message, until the other end of the pipe is closed."""
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        pipe.send(answer())
