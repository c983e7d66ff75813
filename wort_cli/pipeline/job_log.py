"""The log of a job: one file to which all attempts append.

A job may be retried for months, for example while a disk is full.  So an attempt that finds a long log cuts its start.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.private_files import make_private

MAX_SIZE, KEPT_SIZE = 2_000_000, 1_000_000
"""Bytes of the longest log that is not cut, and of the end that remains of a longer one."""
CUT = b"... earlier lines were removed\n"


@contextmanager
def job_log(spec: JobSpec) -> Iterator[Callable[[str], None]]:
    """Open the log; yield a function that appends a message, with the time and the attempt before each line.

    Raises OSError if the log cannot be written.
    """
    make_private(spec.log.parent)
    shorten(spec.log)
    with spec.log.open("a", encoding="utf-8", errors="replace", buffering=1) as file:

        def log(message: str) -> None:
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            for line in message.splitlines():
                file.write(f"{now} [{spec.attempt}] {line}\n")

        log(f"attempt {spec.attempt} at {spec.source}")
        yield log


def shorten(log: Path) -> None:
    """Cut a log that is longer than MAX_SIZE to its last lines."""
    if not log.exists() or log.stat().st_size <= MAX_SIZE:
        return
    with log.open("rb") as file:
        file.seek(-KEPT_SIZE, 2)
        file.readline()  # an incomplete line
        write_atomically(log, CUT + file.read())


def tail_of(log: Path, most: int) -> str:
    """Return the last lines of a log, at most so many characters; empty if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - most))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text[-most:]
