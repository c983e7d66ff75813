"""How the daemon is: what it says of itself in a small file that is made once and then overwritten in place.

A full disk must not keep this from whoever asks: the file has its blocks from the day it was made, and is never longer.
It is SIZE bytes: a sha256, the JSON that it is of, blanks.  What was only half written has another sha256, and is read
again.  Ages are told on the monotonic clock, which is the same for all processes since the machine was started.
"""

import hashlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from wort_cli.errors import StorageProblem

SIZE = 4096
"""Bytes: a page, which is written at once or not at all by all common file systems."""
LONGEST = 500
"""Characters of a sentence that are kept, at the most; fewer if that is needed for all to fit."""
DIGEST_SIZE = 64
MAX_LOOP_AGE = 20.0
"""Seconds without a turn after which something is wrong; a turn takes milliseconds."""
TRIES, PAUSE = 5, 0.01


@dataclass(frozen=True)
class Health:
    """What the daemon says of itself."""

    pid: int
    turned_at: float
    """When the last turn ended, on the monotonic clock."""
    turns: int
    last: float
    """Seconds that the last turn took."""
    mean: float
    """Of the turns of late."""
    longest: float
    """Of the turns of late."""
    workers: int
    """That are alive."""
    workers_wanted: int
    trouble: str = ""
    """Why turns fail, if the last one did."""
    trouble_since: float = 0.0
    """Seconds since 1970."""
    blocked_by: str = ""
    """Why no job may start; empty if jobs may start.  The file's key is `held`."""


class HealthFile:
    """The file, for the daemon that writes it."""

    def __init__(self, path: Path) -> None:
        """Make sure of the file's blocks; StorageProblem if there is no room for it."""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if os.fstat(self._file).st_size != SIZE:
                os.ftruncate(self._file, 0)
                # Written, not only set aside: some file systems can't do that, and blocks that were never written may
                # need room for more than themselves.
                os.pwrite(self._file, b" " * SIZE, 0)
                os.fsync(self._file)
        except OSError as error:
            raise StorageProblem(f"{path} can't be written: {error.strerror}", "is the disk full?") from error

    def write(self, health: Health) -> None:
        """Tell; OSError if the disk is damaged."""
        os.pwrite(self._file, encode(health), 0)

    def close(self) -> None:
        """Close the file; what it says last stays."""
        os.close(self._file)


def encode(health: Health) -> bytes:
    """The bytes of the file."""
    values = asdict(health)
    values["held"] = values.pop("blocked_by")
    longest, text = LONGEST, b""
    while not text or len(text) > SIZE - DIGEST_SIZE - 1:
        facts = {key: value[:longest] if isinstance(value, str) else value for key, value in values.items()}
        text = json.dumps(facts).encode()
        longest //= 2
    return (hashlib.sha256(text).hexdigest().encode() + b" " + text).ljust(SIZE)


def decode(data: bytes) -> Health | None:
    """What the bytes say; None if they are not whole, or of another version of wort."""
    digest, _, text = data.rstrip(b" \0").partition(b" ")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    try:
        facts = dict(json.loads(text))
        facts["blocked_by"] = facts.pop("held")
        return Health(**facts)
    except (ValueError, TypeError, KeyError):
        return None


def read_health(path: Path) -> Health | None:
    """What the daemon said last; None if none has, or if it can't be read."""
    for _ in range(TRIES):
        try:
            found = decode(path.read_bytes())
        except OSError:
            return None
        if found is not None:
            return found
        time.sleep(PAUSE)  # it was being written
    return None


def problems(health: Health | None, pid: int, up: float, now: float, low_disks: list[str]) -> list[str]:
    """What is wrong with the daemon of process `pid`, which has been up for `up` seconds: a sentence each.

    `now` is on the monotonic clock.
    """
    found = [f"the disk is nearly full: {sentence}" for sentence in low_disks]
    if health is None or health.pid != pid:
        if up > MAX_LOOP_AGE:
            found.append("the daemon says nothing of how it is")
        return found
    age = now - health.turned_at
    if age > MAX_LOOP_AGE:
        found.append(f"the daemon's loop has stood still for {age:.0f} seconds")
    if health.trouble:
        found.append(f"the daemon can't work: {health.trouble}")
    if health.workers < health.workers_wanted:
        found.append(f"{health.workers} of {health.workers_wanted} workers are alive")
    return found
