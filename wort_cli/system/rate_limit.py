"""Spaces the requests of all processes to one host of the public archives, which close the door on who asks too often.

Each host has a small file, locked for the moment in which somebody books the next free time in it; the booking is kept
by waiting.  Times are on the monotonic clock, which all processes of a machine share until it is booted.  A file that
can't be read or written, or that says nonsense, holds nobody up: it is a courtesy, and no truth.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from wort_cli.system.cancellation import NEVER, Cancellation
from wort_cli.system.process_identity import this_boot

LOOK_EVERY = 0.2
"""Seconds between looks at whether the waiting was called off."""
MOST_AHEAD = 3600.0
"""Seconds; what is booked further ahead is a mistake."""
NCBI = "ncbi"


@dataclass(frozen=True)
class Booked:
    """When a host may be asked again: as soon as `free_at`, and not before `held_until` at all (monotonic, seconds)."""

    free_at: float = 0.0
    held_until: float = 0.0

    def sane(self, now: float) -> "Booked":
        """The same, without what is too far ahead."""
        return Booked(
            self.free_at if self.free_at <= now + MOST_AHEAD else 0.0,
            self.held_until if self.held_until <= now + MOST_AHEAD else 0.0,
        )

    def next_turn(self, now: float, interval: float) -> tuple[float, "Booked"]:
        """The next free time, and what is booked once it is taken."""
        turn = max(now, self.free_at, self.held_until)
        return turn, Booked(turn + interval, self.held_until)

    def held(self, until: float) -> "Booked":
        """The same, once the host asked for a pause."""
        return Booked(self.free_at, max(self.held_until, until))


class HostRate:
    """The requests to one host, which `name` stands for."""

    def __init__(self, directory: Path, name: str, interval: float) -> None:
        self._file = directory / f"{name}.json"
        self._interval = interval

    def wait_turn(self, cancellation: Cancellation = NEVER) -> None:
        """Wait until it is our turn to ask; not to the end if that is called off, for whoever does that knows why."""
        turn = self._change(lambda booked, now: booked.next_turn(now, self._interval))
        while (left := turn - time.monotonic()) > 0 and not cancellation.requested():
            time.sleep(min(left, LOOK_EVERY))

    def hold(self, seconds: float) -> None:
        """The host asked for fewer requests: nobody asks it for so long."""
        self._change(lambda booked, now: (now, booked.held(now + seconds)))

    def held_for(self) -> float:
        """Seconds for which the host is not to be asked; 0 if it may be."""
        return max(0.0, self._change(lambda booked, now: (booked.held_until - now, booked)))

    def _change(self, step: Callable[[Booked, float], tuple[float, Booked]]) -> float:
        """Make a step from what is booked to what is booked then, while nobody else does; return what it gives."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                now = time.monotonic()
                result, after = step(read(file.read()).sane(now), now)
                file.seek(0)
                file.truncate()
                file.write(json.dumps({"boot": this_boot(), **asdict(after)}).encode())
                return result
        except OSError:
            return step(Booked(), time.monotonic())[0]


def read(data: bytes) -> Booked:
    """What a file says is booked; nothing, if it was written before the machine was booted, or is nonsense."""
    try:
        said = json.loads(data)
        if said["boot"] == this_boot():
            return Booked(float(said["free_at"]), float(said["held_until"]))
    except (ValueError, TypeError, KeyError):
        pass
    return Booked()
