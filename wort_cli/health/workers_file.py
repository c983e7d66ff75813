"""The workers on other hosts, in a file that the daemon writes and commands read, so that these need no queue.

How long ago a worker was heard of is measured by the daemon, and no clocks of two hosts are compared.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wort_cli.system.atomic_files import atomic_file

MOST = 16_000_000
"""Bytes of the file that are read."""


@dataclass(frozen=True)
class WorkerSeen:
    """A worker on another host, as the daemon has seen it."""

    worker: str
    host: str
    pid: int
    version: str
    state: str
    """One of WORKER_STATES."""
    jobs: int
    """The number of jobs that it sketches at a time."""
    running: tuple[int, ...]
    """The numbers of the jobs that it has."""
    silent: float
    """Seconds since its last sign, when the file was written."""


WORKER_STATES = WORKING, IDLE, DRAINING, SILENT, REFUSED = ("working", "idle", "draining", "silent", "refused")


def write_workers(path: Path, workers: Sequence[WorkerSeen]) -> None:
    """Write the file.  Raises OSError."""
    document = {"written": time.monotonic(), "workers": [asdict(each) for each in workers]}
    with atomic_file(path, durable=False) as file:
        file.write(json.dumps(document).encode())


def read_workers(path: Path) -> tuple[list[WorkerSeen], float] | None:
    """Return the workers, and how many seconds ago the file was written; None if there is none."""
    try:
        with path.open("rb") as file:
            document: dict[str, Any] = json.loads(file.read(MOST))
        found = [WorkerSeen(**{**each, "running": tuple(each["running"])}) for each in document["workers"]]
        return found, max(0.0, time.monotonic() - float(document["written"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
