"""The history of a job: the events of the ledger and the lines of the job's log as one list, in order of time.

The log has a line for every tool that ran and every probe.  What is normal in it is left out, so that a user sees what
was unusual: `quiet`.
"""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wort_cli.model.job import Event, JobState
from wort_cli.model.units import iso_time, local_time

LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \[(\d+)\] (.*)", re.DOTALL)
"""A line of a job's log (pipeline/job_log.py): local time, attempt, text."""
DAEMON_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:,\d+)? (.*)", re.DOTALL)
"""A line of the daemon's log: local time, text."""
COMMAND, EXIT = "$ ", "exit "
"""The marks of the start and the end of a tool in a log (pipeline/toolkit/tools.py)."""
NORMAL = re.compile(
    r"exit 0$|reading spots \d+ to \d+ with |attempt \d+ at |(Read|Written|Rejected) \d+ (spots|READS) |"
    r".* is consistent$|\S+ : \d+(\.\d+)+$|$"
)
"""Lines that every successful attempt has: what tools that succeed print, and what the events say already."""


class Origin(StrEnum):
    """Where an entry comes from."""

    LEDGER = "ledger"
    LOG = "log"
    REPAIR = "repair"
    DAEMON = "daemon"


@dataclass(frozen=True)
class Entry:
    """An event, or a line of a log.  `at` is in seconds since 1970; None if the line has no time."""

    at: float | None
    origin: Origin
    text: str
    attempt: int = 0
    state: str = ""
    reason: str = ""

    @classmethod
    def of_event(cls, event: Event) -> "Entry":
        """Return a transition of a job."""
        return cls(event.at, Origin.LEDGER, event.message, event.attempt, event.after, event.reason)

    @classmethod
    def of_line(cls, line: str) -> "Entry":
        """Return a line of a job's log."""
        found = LINE.fullmatch(line)
        if found is None:
            return cls(None, Origin.LOG, line)
        return cls(seconds(found[1]), Origin.LOG, found[3], int(found[2]))

    @classmethod
    def of_daemon_line(cls, line: str) -> "Entry":
        """Return a line of the daemon's log."""
        found = DAEMON_LINE.fullmatch(line)
        return cls(seconds(found[1]), Origin.DAEMON, found[2]) if found else cls(None, Origin.DAEMON, line)

    def record(self) -> dict[str, Any]:
        """Return the entry as a pipe and JSON have it."""
        return {
            "at": iso_time(self.at),
            "attempt": self.attempt or None,
            "state": self.state or None,
            "reason": self.reason or None,
            "message": self.text or None,
            "origin": str(self.origin),
        }

    def sentence(self) -> str:
        """Return the entry as a line for a person."""
        at = f"{local_time(self.at)}  " if self.at is not None else ""
        attempt = f"attempt {self.attempt}: " if self.attempt else ""
        what = self.state + (f", {self.reason}" if self.reason else "")
        between = ": " if what and self.text else ""
        return f"{at}{attempt}{what}{between}{self.text}"


def seconds(local: str) -> float:
    """Return a local date and time in seconds since 1970."""
    return time.mktime(time.strptime(local, "%Y-%m-%d %H:%M:%S"))


def merged(events: Iterable[Entry], lines: Iterable[Entry]) -> list[Entry]:
    """Return events and lines in order of time.

    The log has whole seconds.  Within one, an attempt starts before its lines, and ends after them.
    """

    def key(item: tuple[int, Entry]) -> tuple[int, int, int]:
        number, entry = item
        rank = 1 if entry.origin is Origin.LOG else 0 if entry.state in (JobState.QUEUED, JobState.RUNNING) else 2
        return int(times[number]), rank, number

    entries = [*events, *lines]
    times, last = [], 0.0
    for entry in entries:  # a line without a time belongs to the line before it
        last = last if entry.at is None else entry.at
        times.append(last)
    return [entry for _, entry in sorted(enumerate(entries), key=key)]


class Quiet:
    """Leaves out what is normal in a log: versions, probes, and tools that succeeded."""

    def __init__(self) -> None:
        self._commands: dict[int, Entry] = {}
        """The tool of each attempt that has not ended yet, as far as the lines say."""

    def of(self, entry: Entry) -> Iterator[Entry]:
        """Yield what to show once an entry was read: nothing, the entry, or the command of a tool that failed too."""
        if entry.origin is not Origin.LOG:
            yield entry
        elif entry.text.startswith(COMMAND):
            self._commands[entry.attempt] = entry
        elif not NORMAL.match(entry.text):
            command = self._commands.pop(entry.attempt, None) if entry.text.startswith(EXIT) else None
            if command is not None:
                yield command
            yield entry


def quiet(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries without what is normal, and without lines that an event of the ledger repeats."""
    listed = list(entries)
    events = [entry for entry in listed if entry.origin is Origin.LEDGER and entry.text]
    said = {(event.attempt, text) for event in events for text in (event.text, f"{event.reason}: {event.text}")}
    filter_ = Quiet()
    for entry in listed:
        if entry.origin is not Origin.LOG or (entry.attempt, entry.text) not in said:
            yield from filter_.of(entry)
