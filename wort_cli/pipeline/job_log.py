"""The log of a job: what its workers did, attempt after attempt, in a file of its own."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wort_cli.work import JobSpec


@contextmanager
def job_log(spec: JobSpec) -> Iterator[Callable[[str], None]]:
    """A function that appends a message, line by line, with the time and the attempt; OSError if it can't be made."""
    spec.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with spec.log.open("a", encoding="utf-8", errors="replace", buffering=1) as file:

        def log(message: str) -> None:
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            for line in message.splitlines():
                file.write(f"{now} [{spec.attempt}] {line}\n")

        log(f"attempt {spec.attempt} at {spec.source}")
        yield log
