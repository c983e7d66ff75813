"""Identifies processes by process id, start time, boot and PID namespace, because the kernel reuses process ids.

A process that may have to be killed later is recorded by its identity, and is killed only if the identity still
matches.  The signal is sent through a file descriptor of the process (pidfd), so it cannot reach another process that
has got the same process id in the meantime.  A process of another boot (of this machine, or another one that sees the
same files) or in another PID namespace (of a container) cannot be looked up here: nothing is known about it.  The
kernel does not reuse the id of a process group while the group has
members, so a group can be distinguished from a later one with the same id.
"""

import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

ENDED = frozenset("ZX")
"""The states of a process that has ended: zombie, dead."""
STOPPED = "T"
INIT = 1
"""The first process of a machine or a container, which may be `wort compute --now` itself.  It is never killed, and
signals to 0 or a negative id would reach many processes.
"""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process; `started` is in clock ticks since the boot, `session` is its session id."""

    pid: int
    started: int
    boot: str
    session: int = 0
    namespace: int = 0
    """The inode of its PID namespace, in which `pid` counts; 0 if an earlier version of wort recorded the process."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ProcessIdentity":
        """Return the identity from the data of `asdict`.  Raises ValueError, KeyError or TypeError if invalid."""
        if int(data["pid"]) < 1:
            raise ValueError("not a process")
        return cls(
            int(data["pid"]),
            int(data["started"]),
            str(data["boot"]),
            int(data["session"]),
            int(data.get("namespace", 0)),
        )


@dataclass(frozen=True)
class Stat:
    """Fields of /proc/PID/stat, see proc(5)."""

    state: str
    group: int
    session: int
    started: int


def identity_of(pid: int) -> ProcessIdentity | None:
    """Return the process that has a process id now; None if there is none, or only a zombie."""
    stat = stat_of(pid)
    if stat is None or stat.state in ENDED:
        return None
    return ProcessIdentity(pid, stat.started, boot_id(), stat.session, pid_namespace())


def own_identity() -> ProcessIdentity:
    """Return the identity of this process."""
    me = identity_of(os.getpid())
    if me is None:
        raise RuntimeError("/proc does not show this process")
    return me


class Presence(Enum):
    """Whether a process exists."""

    RUNNING = "running"
    """Running or stopped."""
    GONE = "gone"
    UNKNOWN = "unknown"
    """The process is of another boot, which may be that of another machine, or in another container."""


def presence_of(process: ProcessIdentity) -> Presence:
    """Return whether exactly this process still exists, as far as that can be seen from here."""
    if process.boot != boot_id() or process.namespace not in (0, pid_namespace()):
        return Presence.UNKNOWN
    now = identity_of(process.pid)
    return Presence.RUNNING if now is not None and now.started == process.started else Presence.GONE


def is_running(process: ProcessIdentity) -> bool:
    """Return whether exactly this process is known to exist, running or stopped."""
    return presence_of(process) is Presence.RUNNING


def is_stopped(pid: int) -> bool:
    """Return whether a signal (SIGSTOP) has stopped a process; a debugger does not count."""
    stat = stat_of(pid)
    return stat is not None and stat.state == STOPPED


def kill_process(process: ProcessIdentity) -> bool:
    """Kill exactly this process, running or stopped; return False if it no longer exists, or is init."""
    return signal_process(process, signal.SIGKILL)


def signal_process(process: ProcessIdentity, number: int) -> bool:
    """Send a signal to exactly this process; return False if it no longer exists, or is init."""
    if process.pid <= INIT:
        return False
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_running(process):
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)
        return True
    finally:
        os.close(descriptor)


def kill_group(leader: ProcessIdentity) -> bool:
    """Kill all processes in the group of `leader`, which may have ended; return False if it is empty, or init's."""
    if leader.pid <= INIT or not any(is_member(stat, leader) for stat in all_stats()):
        return False
    try:
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def is_member(stat: Stat, leader: ProcessIdentity) -> bool:
    """Return whether a process exists and is in the group of `leader`, which may have ended."""
    if leader.boot != boot_id() or leader.namespace not in (0, pid_namespace()) or stat.state in ENDED:
        return False
    now = stat_of(leader.pid)
    if now is not None and now.started != leader.started:  # another process has the id now, so the group is not ours
        return False
    return (stat.group, stat.session) == (leader.pid, leader.session) and stat.started >= leader.started


def all_stats() -> list[Stat]:
    """Return the stat of all processes."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [stat for number in numbers if (stat := stat_of(number)) is not None]


def stat_of(pid: int) -> Stat | None:
    """Return the stat of a process; None if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()  # the name of a program may contain blanks and parentheses
        return Stat(fields[0], int(fields[2]), int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


@cache
def boot_id() -> str:
    """Return the kernel's random id of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def boot_tag() -> str:
    """Return a short form of `boot_id` for names of files, which machines that share a disk do not have in common."""
    return boot_id()[:8]


@cache
def pid_namespace() -> int:
    """Return the inode of this process's PID namespace (pid_namespaces(7)); containers have one each."""
    return Path("/proc/self/ns/pid").stat().st_ino
