"""Slots: at most so many processes and threads of this machine do something at the same time, in order.

Whoever holds a slot, or waits for one, has a file of its own locked (flock), in one directory for each kind of slot.
The kernel unlocks it when its process ends, however it ends, so a killed process holds nothing.

    held-PLACE      somebody holds a slot
    waiting-PLACE   somebody waits for one; the first in the order of places gets the next free slot
    number          how many slots there are, if that may change while somebody waits
    mutex           locked while somebody looks for a free slot
"""

import contextlib
import fcntl
import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.cancellation import NEVER, Cancellation

CHECK_INTERVAL = 0.05
"""Seconds between two looks for a free slot."""
MUTEX_INTERVAL = 0.005
"""Seconds until the next try if somebody else is just looking."""
HELD, WAITING = "held-", "waiting-"

_counter = itertools.count()


class Slots:
    """`number` slots in `directory`, which all of its users share."""

    def __init__(self, directory: Path, number: int) -> None:
        self._directory = directory
        self._number = number

    @property
    def number(self) -> int:
        """How many slots there are: the number that was set last, or that of this object."""
        with contextlib.suppress(OSError, ValueError):
            return int((self._directory / "number").read_bytes())
        return self._number

    def set_number(self, number: int) -> None:
        """Set how many slots there are for everybody.  Raises OSError if that cannot be written."""
        self._number = number
        write_atomically(self._directory / "number", str(number).encode())

    @contextlib.contextmanager
    def taken(self, cancellation: Cancellation = NEVER, place: str = "") -> Iterator[None]:
        """Hold a slot, waiting until one is free.

        Those that wait get slots in the order of their places, which must differ; by default, the first comes first.
        Raises Cancelled if the job is cancelled meanwhile, OSError if the directory cannot be written.
        """
        release = self.take(cancellation, place)
        try:
            yield
        finally:
            release()

    def take(self, cancellation: Cancellation = NEVER, place: str = "") -> "Held":
        """Return a slot, waiting until one is free; see `taken`."""
        place = place or next_place()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        waiting: Held | None = None
        try:
            while True:
                with self._mutex() as mine:
                    if mine:
                        if (held := self._try(place)) is not None:
                            return held
                        waiting = waiting or lock(self._directory / f"{WAITING}{place}")
                cancellation.check()
                time.sleep(CHECK_INTERVAL if mine else MUTEX_INTERVAL)
        finally:
            if waiting is not None:
                waiting()

    def is_wanted(self) -> bool:
        """Return whether somebody waits for a slot."""
        try:
            return any(name.startswith(WAITING) for name in os.listdir(self._directory))  # noqa: PTH208
        except OSError:
            return False

    def _try(self, place: str) -> "Held | None":
        """Take a slot if one is free and nobody waits who comes first; the mutex is held."""
        held, first = 0, place
        for name in os.listdir(self._directory):  # noqa: PTH208 (Path.iterdir would make an object of each name)
            kind = next((kind for kind in (HELD, WAITING) if name.startswith(kind)), "")
            if not kind or name == f"{WAITING}{place}":
                continue
            if (dead := lock(self._directory / name)) is not None:  # its process has ended
                dead()
                continue
            held += kind == HELD
            first = min(first, name.removeprefix(kind)) if kind == WAITING else first
        if held >= self.number or first != place:
            return None
        return lock(self._directory / f"{HELD}{place}")

    @contextlib.contextmanager
    def _mutex(self) -> Iterator[bool]:
        """Yield whether this caller alone may look for a slot now."""
        descriptor = os.open(self._directory / "mutex", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield is_locked_now(descriptor)
        finally:
            os.close(descriptor)


class Held:
    """A locked file; calling it removes and unlocks the file.  Safe to call twice."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def __call__(self) -> None:
        """Release the slot."""
        with self._lock:
            if self._descriptor < 0:
                return
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


def lock(path: Path) -> Held | None:
    """Create a file if it is missing, and lock it; return None if somebody else has locked it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if is_locked_now(descriptor):
        return Held(path, descriptor)
    os.close(descriptor)
    return None


def is_locked_now(descriptor: int) -> bool:
    """Lock a file unless somebody else has; return whether it is locked here now."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def next_place() -> str:
    """Return a place behind all that this machine has given out since it booted."""
    return f"{time.monotonic_ns():020d}-{os.getpid()}-{next(_counter)}"
