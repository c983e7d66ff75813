"""Classifies the processes of a daemon by their parents, groups and commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.plan import Target
from tests.support.homes import Home
from tests.support.processes import Process, is_decoder, is_wrapper


@dataclass(frozen=True)
class Place:
    """Fields of /proc/PID/stat; `began` distinguishes a process from a later one with the same number."""

    parent: int
    group: int
    began: int
    state: str


def place_of(pid: int) -> Place | None:
    """Return the fields of a process; None if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rsplit(")", 1)[1].split()
    return Place(int(fields[1]), int(fields[2]), int(fields[19]), fields[0])


@dataclass(frozen=True)
class Team:
    """The daemon's processes."""

    daemon: list[Process]
    workers: list[Process]
    """Only those that have tools, if any has."""
    guards: list[Process]
    tools: list[Process]
    places: Mapping[int, Place]

    @classmethod
    def of(cls, home: Home, daemon_pid: int) -> Team:
        """Return the current processes."""
        found = [(process, place) for process in home.processes() if (place := place_of(process.pid)) is not None]
        forks = {process.pid for process, place in found if place.parent == daemon_pid}
        guards = [(process, place) for process, place in found if is_guard(process, place) and place.parent in forks]
        groups = {process.pid for process, _ in guards}
        busy = {place.parent for _, place in guards}
        workers = [process for process, _ in found if process.pid in forks]
        return cls(
            daemon=[process for process, _ in found if process.pid == daemon_pid],
            workers=[process for process in workers if process.pid in busy] or workers,
            guards=[process for process, _ in guards],
            tools=[process for process, place in found if place.group in groups and process.pid not in groups],
            places={process.pid: place for process, place in found},
        )

    def doomed_with(self, victim: Process) -> dict[int, int]:
        """Return the guards and tools that must end when a worker or the daemon is killed, with their start times.

        Those whose guard is stopped are not included: the daemon kills them later.
        """
        parents = {victim.pid} if victim not in self.daemon else {worker.pid for worker in self.workers}
        groups = {
            guard.pid
            for guard in self.guards
            if self.places[guard.pid].parent in parents and self.places[guard.pid].state not in "Tt"
        }
        members = (process for process in (*self.guards, *self.tools) if self.places[process.pid].group in groups)
        return {process.pid: self.places[process.pid].began for process in members}

    def members(self, target: Target) -> list[Process]:
        """Return the processes that a strike at `target` may hit."""
        return {
            Target.DAEMON: self.daemon,
            Target.WORKER: self.workers,
            Target.GUARD: self.guards,
            Target.TOOL: self.tools,
            Target.WRAPPER: [process for process in self.tools if is_wrapper(process)],
            Target.DECODER: [process for process in self.tools if is_decoder(process)],
            Target.MACHINE: [],
        }[target]


def is_guard(process: Process, place: Place) -> bool:
    """Return whether a process leads the group of a job's tools."""
    return process.pid == place.group and any(Path(word).name.startswith("guard") for word in process.argv)
