"""Rate limit: keeps an interval between the requests of all processes on this machine to one host.

Each host has a small file.  A process locks it, reserves the next free time, and waits until then.  Times are on the
monotonic clock, which all processes share until the machine reboots; machines that share a disk have a schedule each.
The limit is a courtesy: a file that cannot be read or written, or that is invalid, delays no request.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wort_cli.system.cancellation import NEVER, Cancellation
from wort_cli.system.locked_json import locked_json
from wort_cli.system.private_files import make_directories
from wort_cli.system.process_identity import boot_id

CHECK_INTERVAL = 0.2
"""Seconds between checks for cancellation while waiting."""
MAX_AHEAD = 3600.0
"""Seconds; a time that is further ahead is an error."""
NCBI = "ncbi"
MOST_BOOTS = 16
"""Schedules that a file keeps, of this machine and of others that share the disk."""


@dataclass(frozen=True)
class Schedule:
    """When the next request to a host may be sent, in seconds on the monotonic clock."""

    free_at: float = 0.0
    """The next time that no process has reserved."""
    paused_until: float = 0.0
    """No request may be sent before, because the host asked for fewer requests."""

    def bounded(self, now: float) -> "Schedule":
        """Drop times that are too far ahead."""
        return Schedule(
            self.free_at if self.free_at <= now + MAX_AHEAD else 0.0,
            self.paused_until if self.paused_until <= now + MAX_AHEAD else 0.0,
        )

    def book(self, now: float, interval: float) -> tuple[float, "Schedule"]:
        """Return the next free time, and the schedule in which it is reserved."""
        turn = max(now, self.free_at, self.paused_until)
        return turn, Schedule(turn + interval, self.paused_until)

    def pause(self, until: float) -> "Schedule":
        """Return the schedule with a pause."""
        return Schedule(self.free_at, max(self.paused_until, until))


class RateLimit:
    """The limit for requests to the host `name`: one every `interval` seconds."""

    def __init__(self, directory: Path, name: str, interval: float) -> None:
        self._file = directory / f"{name}.json"
        self._interval = interval

    def wait_turn(self, cancellation: Cancellation = NEVER) -> None:
        """Wait until this process may send a request; return early if the job is cancelled."""
        turn = self._change(lambda schedule, now: schedule.book(now, self._interval))
        while (left := turn - time.monotonic()) > 0 and not cancellation.requested():
            time.sleep(min(left, CHECK_INTERVAL))

    def pause(self, seconds: float) -> None:
        """Stop all requests for so many seconds, because the host asked for fewer requests."""
        self._change(lambda schedule, now: (now, schedule.pause(now + seconds)))

    def paused_for(self) -> float:
        """Return the remaining seconds of a pause; 0 if there is none."""
        return max(0.0, self._change(lambda schedule, now: (schedule.paused_until - now, schedule)))

    def _change(self, step: Callable[[Schedule, float], tuple[float, Schedule]]) -> float:
        """Replace the schedule by the result of `step`, atomically; return the other result."""
        try:
            make_directories(self._file.parent)
            with locked_json(self._file) as document:
                now = time.monotonic()
                result, after = step(schedule_of(document.data).bounded(now), now)
                document.data = {**other_boots(document.data), boot_id(): asdict(after)}
                return result
        except OSError:
            return step(Schedule(), time.monotonic())[0]


def schedule_of(data: Any) -> Schedule:
    """Return this machine's schedule in a file; an empty one if it has none since this boot, or is invalid."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        found = data[boot_id()]
        return Schedule(float(found["free_at"]), float(found["paused_until"]))
    return Schedule()


def other_boots(data: Any) -> dict[str, Any]:
    """Return the newest schedules of other machines in a file, and of earlier boots of this one."""
    found = data if isinstance(data, dict) else {}
    others = [(boot, item) for boot, item in found.items() if boot != boot_id() and isinstance(item, dict)]
    return dict(others[1 - MOST_BOOTS :])
