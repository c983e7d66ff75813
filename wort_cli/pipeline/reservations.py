"""Reservations: the memory and disk that running attempts will still use, so that no two attempts count on the same.

They are entries of one locked file next to the workspaces.  A reservation is valid while its process runs and the
directory of its attempt exists.  So it needs no release, and a killed process leaves none.  Bytes that an attempt uses
already are not free any more, so they are subtracted from its reservation.

A process on another machine or in another container cannot be looked up.  Its reservation is valid while the files of
its attempt change; the memory of another machine is not counted.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from wort_cli.system.locked_json import locked_json
from wort_cli.system.machine import resident_memory
from wort_cli.system.process_identity import Presence, ProcessIdentity, boot_id, own_identity, presence_of

FILE = "reservations.json"
UNCHANGED_FOR = 3600.0
"""Seconds without a change of any file, after which an attempt that cannot be looked up has probably ended."""


@dataclass(frozen=True)
class Need:
    """The estimated need of a run, in bytes."""

    work: int = 0
    """Disk for its workspace."""
    store: int = 0
    """Disk for its signature in the store."""
    memory: int = 0

    def __add__(self, other: Self) -> "Need":
        return Need(self.work + other.work, self.store + other.store, self.memory + other.memory)


@dataclass(frozen=True)
class Reservation:
    """A reservation of one attempt: for its download, or for its sketches."""

    attempt: Path
    process: ProcessIdentity
    need: Need
    resident: int
    """Bytes of memory that the process had when the attempt started."""
    slices: Path
    """The directory whose files are what the attempt needs the disk for."""

    @classmethod
    def now(cls, attempt: Path, slices: Path, need: Need) -> Self:
        """Return the reservation of this process, which starts an attempt."""
        return cls(attempt, own_identity(), need, resident_memory(os.getpid()), slices)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the reservation from the data of `to_json`; ValueError, KeyError or TypeError if invalid."""
        return cls(
            Path(data["attempt"]),
            ProcessIdentity.from_json(data["process"]),
            Need(**{key: int(value) for key, value in data["need"].items()}),
            int(data["resident"]),
            Path(data["slices"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the reservation as JSON-ready data."""
        return {**asdict(self), "attempt": str(self.attempt), "slices": str(self.slices)}

    @property
    def is_valid(self) -> bool:
        """Whether the attempt is still running."""
        if not self.attempt.is_dir():
            return False
        presence = presence_of(self.process)
        if presence is Presence.UNKNOWN:
            changed = max(last_change(self.attempt), last_change(self.slices))
            return abs(time.time() - changed) < UNCHANGED_FOR
        return presence is Presence.RUNNING

    @property
    def outstanding(self) -> Need:
        """The need of the attempt, minus the memory and the slices that it uses already."""
        return Need(
            work=max(0, self.need.work - size_of(self.slices)),
            store=self.need.store,
            memory=self.outstanding_memory,
        )

    @property
    def outstanding_memory(self) -> int:
        """The memory of this machine that the attempt will still take, in bytes."""
        if self.process.boot != boot_id():
            return 0
        if presence_of(self.process) is Presence.UNKNOWN:  # its process id means another process here
            return self.need.memory
        taken = max(0, resident_memory(self.process.pid) - self.resident)
        return max(0, self.need.memory - taken)


class Reservations:
    """All valid reservations, while this process holds the lock of their file."""

    def __init__(self, entries: Sequence[Reservation]) -> None:
        self.entries = list(entries)

    @property
    def outstanding(self) -> Need:
        """The total that all running attempts will still use."""
        return sum((entry.outstanding for entry in self.entries), Need())

    def outstanding_of_others(self, attempt: Path, slices: Path) -> Need:
        """Return the total without the reservation that a new one of this attempt and directory would replace."""
        others = [entry for entry in self.entries if (entry.attempt, entry.slices) != (attempt, slices)]
        return sum((entry.outstanding for entry in others), Need())

    def add(self, reservation: Reservation) -> None:
        """Add a reservation, in place of an earlier one of the same attempt for the same directory."""
        key = (reservation.attempt, reservation.slices)
        self.entries = [*(entry for entry in self.entries if (entry.attempt, entry.slices) != key), reservation]


@contextmanager
def reservations(directory: Path) -> Iterator[Reservations]:
    """Lock the reservations of all workspaces in `directory`; what is added is saved at the end.

    Raises OSError if the file cannot be written.
    """
    with locked_json(directory / FILE) as document:
        found = Reservations([entry for entry in entries_of(document.data) if entry.is_valid])
        yield found
        document.data = [entry.to_json() for entry in found.entries]


def entries_of(data: Any) -> list[Reservation]:
    """Return the reservations in a file, without invalid ones; none if its writer was killed."""
    found = []
    for item in data if isinstance(data, list) else ():
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            found.append(Reservation.from_json(item))
    return found


def size_of(directory: Path) -> int:
    """Return the disk that the files in a directory take, in bytes; holes take none, and a missing directory 0."""
    total = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir(directory):
            with contextlib.suppress(OSError):
                found = entry.stat()
                total += min(found.st_size, found.st_blocks * 512)
    return total


def last_change(directory: Path) -> float:
    """Return when a directory or a file in it was changed last, in seconds since 1970; 0 if it does not exist."""
    newest = 0.0
    with contextlib.suppress(OSError):
        newest = directory.stat().st_mtime
        for entry in os.scandir(directory):
            with contextlib.suppress(OSError):
                newest = max(newest, entry.stat().st_mtime)
    return newest
