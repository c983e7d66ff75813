"""Who a process is: its number, when it started, and of which boot.  A number alone is given to another one some day.

What is to be ended later is written down by its identity, and ended only if that identity still holds.  A process is
ended through a descriptor of it (pidfd), so that it can't be another one by the time the signal arrives.  A number is
not given away as long as a process group bears it, so that a group can be told from a later one of the same number.
"""

import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ENDED = frozenset("ZX")
STOPPED = "T"


@dataclass(frozen=True)
class ProcessIdentity:
    """A process of this machine; `started` is in clock ticks since the boot, `session` that of its terminal."""

    pid: int
    started: int
    boot: str
    session: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ProcessIdentity":
        """The inverse of `asdict`; ValueError, KeyError or TypeError if it is none."""
        if int(data["pid"]) <= 1:  # 0 and -1 are many processes, 1 is everybody's
            raise ValueError("no process of ours")
        return cls(int(data["pid"]), int(data["started"]), str(data["boot"]), int(data["session"]))


@dataclass(frozen=True)
class Stat:
    """What /proc/PID/stat says (proc(5))."""

    state: str
    group: int
    session: int
    started: int


def identity_of(pid: int) -> ProcessIdentity | None:
    """Who has a number now; None if nobody has, or only one that has ended and was not asked about."""
    stat = stat_of(pid)
    if stat is None or stat.state in ENDED:
        return None
    return ProcessIdentity(pid, stat.started, this_boot(), stat.session)


def own_identity() -> ProcessIdentity:
    """Who this process is."""
    me = identity_of(os.getpid())
    if me is None:
        raise RuntimeError("/proc does not show this process")
    return me


def lives(process: ProcessIdentity) -> bool:
    """Whether that very process still runs, or is stopped."""
    now = identity_of(process.pid)
    return now is not None and (now.started, now.boot) == (process.started, process.boot)


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal (SIGSTOP), not by a debugger."""
    stat = stat_of(pid)
    return stat is not None and stat.state == STOPPED


def kill_process(process: ProcessIdentity) -> bool:
    """Kill that very process, stopped or not; False if it is gone already."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not lives(process):
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return True
    finally:
        os.close(descriptor)


def kill_group(leader: ProcessIdentity) -> bool:
    """Kill every process of the group that `leader` leads or led, stopped or not; False if there is none."""
    if not any(is_member(stat, leader) for stat in all_stats()):
        return False
    try:
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def is_member(stat: Stat, leader: ProcessIdentity) -> bool:
    """Whether a process that lives is of the group of `leader`, who may have ended."""
    if leader.boot != this_boot() or stat.state in ENDED:
        return False
    now = stat_of(leader.pid)
    if now is not None and now.started != leader.started:  # its number is somebody else's, and so is the group
        return False
    return (stat.group, stat.session) == (leader.pid, leader.session) and stat.started >= leader.started


def all_stats() -> list[Stat]:
    """Of all processes."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [stat for number in numbers if (stat := stat_of(number)) is not None]


def stat_of(pid: int) -> Stat | None:
    """What /proc says of a process; None if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()  # a program's name may hold blanks and parentheses
        return Stat(fields[0], int(fields[2]), int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


@cache
def this_boot() -> str:
    """The kernel's name for this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
