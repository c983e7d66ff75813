"""What the attempts that are at work have still to take, so that no two of them count on the same memory or disk.

A small file beside the workspaces is locked while somebody looks whether there is enough and enters what he needs.  An
entry holds as long as its process lives and its attempt has a directory: nobody has to take it back, and of who was
killed nothing is left.  What an attempt has taken by now is not free any more, and is not counted again.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from wort_cli.system.machine import resident_memory
from wort_cli.system.process_identity import ProcessIdentity, lives, own_identity

FILE = "promises.json"


@dataclass(frozen=True)
class Need:
    """What a run is estimated to take; bytes."""

    work: int = 0
    """In its workspace."""
    store: int = 0
    """In the store."""
    memory: int = 0

    def __add__(self, other: Self) -> "Need":
        return Need(self.work + other.work, self.store + other.store, self.memory + other.memory)


@dataclass(frozen=True)
class Promise:
    """What an attempt may still take: of `need`, what its process and its slices do not have already."""

    attempt: Path
    process: ProcessIdentity
    need: Need
    resident: int
    """Bytes of memory that the process had when it began."""
    slices: Path

    @classmethod
    def now(cls, attempt: Path, slices: Path, need: Need) -> Self:
        """That of this process, which begins an attempt."""
        return cls(attempt, own_identity(), need, resident_memory(os.getpid()), slices)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; ValueError, KeyError or TypeError if it is none."""
        return cls(
            Path(data["attempt"]),
            ProcessIdentity.from_json(data["process"]),
            Need(**{key: int(value) for key, value in data["need"].items()}),
            int(data["resident"]),
            Path(data["slices"]),
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return {**asdict(self), "attempt": str(self.attempt), "slices": str(self.slices)}

    @property
    def holds(self) -> bool:
        """Whether the attempt goes on."""
        return lives(self.process) and self.attempt.is_dir()

    @property
    def outstanding(self) -> Need:
        """What is still to be taken."""
        taken = max(0, resident_memory(self.process.pid) - self.resident)
        return Need(
            work=max(0, self.need.work - size_of(self.slices)),
            store=self.need.store,
            memory=max(0, self.need.memory - taken),
        )


class Promises:
    """All promises that hold, while nobody else can give any."""

    def __init__(self, given: Sequence[Promise]) -> None:
        self.given = list(given)

    @property
    def outstanding(self) -> Need:
        """What is still to be taken of this machine."""
        return sum((promise.outstanding for promise in self.given), Need())

    def give(self, promise: Promise) -> None:
        """One more; of an earlier attempt in the same directory nothing is left."""
        self.given = [other for other in self.given if other.attempt != promise.attempt] + [promise]


@contextmanager
def promises(directory: Path) -> Iterator[Promises]:
    """What is promised of the disk and the memory that workspaces in a directory take; what is given stands at the end.

    OSError if the file can't be written.
    """
    descriptor = os.open(directory / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = Promises([promise for promise in read(file.read()) if promise.holds])
        yield found
        file.seek(0)
        file.truncate()
        file.write(json.dumps([promise.to_json() for promise in found.given]).encode())


def read(data: bytes) -> list[Promise]:
    """What a file has; nothing, if whoever wrote it was killed meanwhile: that costs foresight, and no signature."""
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        return [Promise.from_json(item) for item in json.loads(data)]
    return []


def size_of(directory: Path) -> int:
    """The bytes of the files in a directory; 0 if there is none."""
    total = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir(directory):
            with contextlib.suppress(OSError):
                total += entry.stat().st_size
    return total
