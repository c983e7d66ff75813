"""Slots: at most so many processes and threads of this machine do something at the same time, in order.

Each holder and each waiter has locked a file of its own (flock), in one directory for each kind of slot.  The kernel
releases the lock when the process ends, so a killed process holds no slot.

    held-BOOT-PLACE      a holder of a slot
    waiting-BOOT-PLACE   a waiter; the first in the order of places gets the next free slot
    number               the number of slots, if that may change while a process waits
    mutex                locked while a process looks for a free slot

Machines that share a disk may not see each other's locks.  So each counts the files of its own boot only, and removes
others when they are old.
"""

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.cancellation import NEVER, Cancellation
from wort_cli.system.file_locks import try_lock
from wort_cli.system.private_files import make_private
from wort_cli.system.process_identity import boot_tag

CHECK_INTERVAL, FIRST_INTERVAL = 0.05, 0.01
"""Seconds between two looks for a free slot, and between those of the first one that waits."""
LOOK_EVERY = 1.0
"""Seconds after which one that waits looks for the files of processes that have ended."""
MUTEX_INTERVAL, MUTEX_TRIES = 0.002, 10
"""Seconds between two tries while another process is looking, and the number of tries."""
HELD, WAITING = "held-", "waiting-"
OLD = 7 * 86_400.0
"""Seconds after which the unlocked file of another boot is removed."""

_counter = itertools.count()


class Slots:
    """`number` slots in `directory`, which all of its users share."""

    def __init__(self, directory: Path, number: int) -> None:
        self._directory = directory
        self._number = number

    @property
    def number(self) -> int:
        """The number of slots: the one that was set last, or that of this object."""
        with contextlib.suppress(OSError, ValueError):
            return int((self._directory / "number").read_bytes())
        return self._number

    def set_number(self, number: int) -> None:
        """Set the number of slots for all processes.  Raises OSError if that cannot be written."""
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
        """Return a slot, waiting until one is free; see `taken`.  Calling it releases it."""
        with contextlib.closing(self.queue(place)) as queued:
            while (held := queued.try_to_take()) is None:
                cancellation.check()
                time.sleep(FIRST_INTERVAL if queued.is_first else CHECK_INTERVAL)
            return held

    def queue(self, place: str = "") -> "Queued":
        """Return a place among those that wait; the caller tries again and again, and closes it at the end."""
        make_private(self._directory)
        return Queued(self, self._directory, place or next_place())

    def release(self, place: str) -> None:
        """Release the slot of a process that was killed, and that may not end for a long time."""
        with contextlib.suppress(OSError):
            (self._directory / file_name(HELD, place)).unlink(missing_ok=True)

    def is_wanted(self) -> bool:
        """Return whether there is a waiter."""
        waiting = file_name(WAITING)
        try:
            return any(name.startswith(waiting) for name in os.listdir(self._directory))  # noqa: PTH208
        except OSError:
            return False


class Queued:
    """A waiter for a slot."""

    def __init__(self, slots: Slots, directory: Path, place: str) -> None:
        self._slots = slots
        self._directory = directory
        self._place = place
        self._waiting: Held | None = None
        self.is_first = False
        """Whether no other waiter came before this one at the last look."""
        self._looked_at = 0.0
        """When all files were examined last, on the monotonic clock."""

    def try_to_take(self) -> "Held | None":
        """Return a slot if one is free and no other waiter comes first."""
        if self._waiting is not None and time.monotonic() - self._looked_at < LOOK_EVERY and not self._is_my_turn():
            return None
        self._looked_at = time.monotonic()
        for _ in range(MUTEX_TRIES):
            with self._mutex() as mine:
                if mine:
                    held = self._look()
                    if held is None and self._waiting is None:
                        self._waiting = lock(self._directory / file_name(WAITING, self._place))
                    return held
            time.sleep(MUTEX_INTERVAL)
        return None

    def close(self) -> None:
        """Wait no longer."""
        if self._waiting is not None:
            self._waiting()

    def _is_my_turn(self) -> bool:
        """Return whether a slot seems to be free for this one, by the names of the files alone, which is cheap."""
        held, waiting = file_name(HELD), file_name(WAITING)
        names = os.listdir(self._directory)  # noqa: PTH208 (Path.iterdir would make an object of each name)
        first = min((name for name in names if name.startswith(waiting)), default="")
        self.is_first = first == f"{waiting}{self._place}"
        if not self.is_first:
            return False
        return sum(name.startswith(held) for name in names) < self._slots.number

    def _look(self) -> "Held | None":
        """Take a slot if one is free and no other waiter comes first; the caller holds the mutex."""
        number_held, first = 0, self._place
        held, waiting = file_name(HELD), file_name(WAITING)
        for name in os.listdir(self._directory):  # noqa: PTH208 (Path.iterdir would make an object of each name)
            kind = next((kind for kind in (held, waiting) if name.startswith(kind)), "")
            if not kind or name == f"{waiting}{self._place}":
                if not kind and name.startswith((HELD, WAITING)):
                    remove_if_old(self._directory / name)
                continue
            if (dead := lock(self._directory / name)) is not None:  # its process has ended
                dead()
            elif kind == held:
                number_held += 1
            else:
                first = min(first, name.removeprefix(waiting))
        if number_held >= self._slots.number or first != self._place:
            return None
        return lock(self._directory / file_name(HELD, self._place))

    @contextlib.contextmanager
    def _mutex(self) -> Iterator[bool]:
        """Yield whether this caller alone may look for a slot now."""
        descriptor = os.open(self._directory / "mutex", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield try_lock(descriptor)
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
    """Create a file if it is missing, and lock it; return None if another process has locked it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if try_lock(descriptor):
        return Held(path, descriptor)
    os.close(descriptor)
    return None


def file_name(kind: str, place: str = "") -> str:
    """Return the name of the file of a holder or a waiter on this machine."""
    return f"{kind}{boot_tag()}-{place}"


def remove_if_old(path: Path) -> None:
    """Remove a file of another boot that nobody has locked, as far as this machine can see, if it is old."""
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > OLD and (dead := lock(path)) is not None:
            dead()


def next_place() -> str:
    """Return a place behind all that this machine has given out since it booted."""
    return f"{time.monotonic_ns():020d}-{os.getpid()}-{next(_counter)}"
