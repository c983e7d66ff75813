"""The log of a job: what its workers did, attempt after attempt, in a file of its own.

A job may be tried for months, while a disk is full, say.  So an attempt that finds a long log keeps only its end.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.system.atomic_files import write_atomically

LONGEST, KEPT = 2_000_000, 1_000_000
"""Bytes of a log that is left as it is, and of its end that is kept otherwise."""
CUT = b"... what was logged before was removed\n"


@contextmanager
def job_log(spec: JobSpec) -> Iterator[Callable[[str], None]]:
    """A function that appends a message, line by line, with the time and the attempt; OSError if it can't be made."""
    spec.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shorten(spec.log)
    with spec.log.open("a", encoding="utf-8", errors="replace", buffering=1) as file:

        def log(message: str) -> None:
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            for line in message.splitlines():
                file.write(f"{now} [{spec.attempt}] {line}\n")

        log(f"attempt {spec.attempt} at {spec.source}")
        yield log


def shorten(log: Path) -> None:
    """Keep the last lines of a log that has become long."""
    if not log.exists() or log.stat().st_size <= LONGEST:
        return
    with log.open("rb") as file:
        file.seek(-KEPT, 2)
        file.readline()  # of which only the end is here
        write_atomically(log, CUT + file.read())
