"""Who works on a job: written into its workspace, so that whoever comes later finds and ends what is left of it.

The worker is noted before it does anything, the guard, which leads the group of all tools, before a tool is started.
The file is whole or not there.  It goes with the directory of its attempt when that ends in order.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from wort_cli.model.lease import DAEMON
from wort_cli.system.process_identity import ProcessIdentity, kill_group, kill_process, lives

FILE = "processes.json"


@dataclass(frozen=True)
class Processes:
    """Who works on an attempt, and for whom: a daemon's worker, or a process that computes by itself."""

    owner: str
    worker: ProcessIdentity
    guard: ProcessIdentity | None = None

    def with_guard(self, guard: ProcessIdentity | None) -> "Processes":
        """The same, once there are tools."""
        return replace(self, guard=guard)

    def write(self, attempt: Path) -> None:
        """Keep it in the directory of an attempt; OSError if that can't be.

        It need not outlast a power cut, which leaves no process either.
        """
        new = attempt / f"{FILE}.new"
        new.write_text(json.dumps(asdict(self)), encoding="utf-8")
        new.replace(attempt / FILE)


def read_processes(attempt: Path) -> Processes | None:
    """Who worked on an attempt; None if nobody said so."""
    try:
        data = json.loads((attempt / FILE).read_bytes())
        guard = data["guard"] and ProcessIdentity.from_json(data["guard"])
        return Processes(str(data["owner"]), ProcessIdentity.from_json(data["worker"]), guard)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def kill_attempt(attempt: Path) -> bool:
    """Kill who works on an attempt, the tools included; whether anybody was there to be killed.

    A process that computes by itself is a person's: its tools are ended, it is left to find that out.
    """
    found = read_processes(attempt)
    if found is None:
        return False
    # The worker first: it might start another tool.
    worker = found.owner == DAEMON and kill_process(found.worker)
    return (found.guard is not None and kill_group(found.guard)) or worker


def kill_leftovers(work: Path) -> Iterator[tuple[Path, bool]]:
    """Kill what an earlier daemon left, whatever job it was for; give its attempts, and whether somebody was killed.

    To be called by the daemon, before it has workers.  The attempts of a process that lives and is no daemon's are
    passed over; the directories of all others are removed.
    """
    for file in sorted(work.glob(f"*/attempt-*/{FILE}")):
        found = read_processes(file.parent)
        if found is None or (found.owner != DAEMON and lives(found.worker)):
            continue
        ended = kill_attempt(file.parent)
        shutil.rmtree(file.parent, ignore_errors=True)
        with contextlib.suppress(OSError):  # there are slices in it
            file.parent.parent.rmdir()
        yield file.parent, ended
