"""The processes of an attempt, recorded in its directory, so that a later process can kill what is left of it.

The worker is recorded before the attempt starts, and the guard (guard.py) before any tool starts.  The file is written
atomically, and removed with the directory of the attempt when that ends normally.
"""

import contextlib
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from wort_cli.model.lease import DAEMON, OwnerState, owner_state
from wort_cli.system.process_identity import (
    ProcessIdentity,
    boot_id,
    identity_of,
    is_running,
    kill_group,
    kill_process,
    pid_namespace,
)
from wort_cli.system.seals import read_sealed_document, sealed_document

FILE = "processes.json"
SEALED = "processes of an attempt"
"""The kind of its seal."""


@dataclass(frozen=True)
class Processes:
    """The worker and the guard of an attempt, and the owner of its job: the daemon, or a process run with --now."""

    owner: str
    worker: ProcessIdentity
    guard: ProcessIdentity | None = None

    def with_guard(self, guard: ProcessIdentity | None) -> "Processes":
        """Return a copy that includes the guard of the tools."""
        return replace(self, guard=guard)

    def write(self, attempt: Path, key: bytes = b"") -> None:
        """Write the file in the directory of an attempt, sealed with the key; raise OSError if that fails.

        It is not fsynced: after a power failure no process is left either.
        """
        new = attempt / f"{FILE}.new"
        new.write_bytes(sealed_document(asdict(self), key, SEALED))
        new.replace(attempt / FILE)


def read_processes(attempt: Path, key: bytes = b"") -> Processes | None:
    """Return the recorded processes of an attempt; None if the file is missing, invalid, or not sealed with the key."""
    try:
        data = read_sealed_document(attempt / FILE, key, SEALED)
        guard = data["guard"] and ProcessIdentity.from_json(data["guard"])
        return Processes(str(data["owner"]), ProcessIdentity.from_json(data["worker"]), guard)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def kill_attempt(attempt: Path, key: bytes = b"") -> bool:
    """Kill the worker and the tools of an attempt; return whether any of them was running.

    A process run with --now is not killed, only its tools are; it then fails the attempt itself.
    """
    found = read_processes(attempt, key)
    if found is None:
        return False
    # The worker first: it might start another tool.
    worker = found.owner == DAEMON and kill_process(found.worker)
    return (found.guard is not None and kill_group(found.guard)) or worker


def kill_leftovers(work: Path, key: bytes = b"") -> Iterator[tuple[Path, bool]]:
    """Kill the processes that an earlier daemon left, and remove the directories of their attempts.

    Yields each directory, and whether a process was killed.  The daemon calls this before it starts workers.  Attempts
    of a process with --now are skipped, unless it has certainly ended: it may be on another host or in a container.
    """
    for file in sorted(work.glob(f"*/attempt-*/{FILE}")):
        found = read_processes(file.parent, key)
        if found is None or (found.owner != DAEMON and may_be_running(found)):
            continue
        killed = kill_attempt(file.parent, key)
        shutil.rmtree(file.parent, ignore_errors=True)
        with contextlib.suppress(OSError):  # the workspace has slices or a sealed signature
            file.parent.parent.rmdir()
        yield file.parent, killed


def may_be_running(found: Processes) -> bool:
    """Return whether a process with --now may still be running."""
    namespace = pid_namespace()
    if is_running(found.worker) or found.worker.namespace not in (0, namespace):
        return True
    return (
        owner_state(found.owner, socket.gethostname(), identity_of(found.worker.pid), namespace, boot_id())
        is OwnerState.UNKNOWN
    )
