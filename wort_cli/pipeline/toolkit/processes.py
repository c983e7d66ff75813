"""The processes of an attempt, recorded in its directory, so that a later process can kill what is left of it.

The worker is recorded before the attempt starts, and the guard (guard.py) before any tool starts.  The file is written
atomically, and removed with the directory of the attempt when that ends normally.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from wort_cli.model.lease import DAEMON
from wort_cli.system.process_identity import ProcessIdentity, is_running, kill_group, kill_process

FILE = "processes.json"


@dataclass(frozen=True)
class Processes:
    """The worker and the guard of an attempt, and the owner of its job: the daemon, or a process run with --now."""

    owner: str
    worker: ProcessIdentity
    guard: ProcessIdentity | None = None

    def with_guard(self, guard: ProcessIdentity | None) -> "Processes":
        """Return a copy that includes the guard of the tools."""
        return replace(self, guard=guard)

    def write(self, attempt: Path) -> None:
        """Write the file in the directory of an attempt; raise OSError if that fails.

        It is not fsynced: after a power failure no process is left either.
        """
        new = attempt / f"{FILE}.new"
        new.write_text(json.dumps(asdict(self)), encoding="utf-8")
        new.replace(attempt / FILE)


def read_processes(attempt: Path) -> Processes | None:
    """Return the recorded processes of an attempt; None if the file is missing or invalid."""
    try:
        data = json.loads((attempt / FILE).read_bytes())
        guard = data["guard"] and ProcessIdentity.from_json(data["guard"])
        return Processes(str(data["owner"]), ProcessIdentity.from_json(data["worker"]), guard)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def kill_attempt(attempt: Path) -> bool:
    """Kill the worker and the tools of an attempt; return whether any of them was running.

    A process run with --now is not killed, only its tools are; it then fails the attempt itself.
    """
    found = read_processes(attempt)
    if found is None:
        return False
    # The worker first: it might start another tool.
    worker = found.owner == DAEMON and kill_process(found.worker)
    return (found.guard is not None and kill_group(found.guard)) or worker


def kill_leftovers(work: Path) -> Iterator[tuple[Path, bool]]:
    """Kill the processes that an earlier daemon left, and remove the directories of their attempts.

    Yields each directory, and whether a process was killed.  The daemon calls this before it starts workers.  Attempts
    of a running process with --now are skipped.
    """
    for file in sorted(work.glob(f"*/attempt-*/{FILE}")):
        found = read_processes(file.parent)
        if found is None or (found.owner != DAEMON and is_running(found.worker)):
            continue
        killed = kill_attempt(file.parent)
        shutil.rmtree(file.parent, ignore_errors=True)
        with contextlib.suppress(OSError):  # the workspace has slices or a sealed signature
            file.parent.parent.rmdir()
        yield file.parent, killed
