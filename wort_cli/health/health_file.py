"""The health file: a report that the daemon writes about itself, and that other processes read.

The file is created once with a fixed size and then overwritten in place, so the daemon can report on a full disk too.
It has SIZE bytes: a sha256, the JSON that it is the checksum of, and spaces.  If a reader finds a wrong checksum, the
daemon is just writing, and the reader tries again.  Times are of the monotonic clock, which all processes share.

A *turn* is one iteration of the daemon's main loop.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from wort_cli.errors import StorageProblem
from wort_cli.system.process_identity import ProcessIdentity

SIZE = 4096
"""Bytes of the file: one page, which common file systems write atomically."""
MAX_SENTENCE = 500
"""Characters to which a sentence is cut; fewer if the report would not fit."""
DIGEST_SIZE = 64
MAX_LOOP_AGE = 20.0
"""Seconds without a turn after which the daemon is unhealthy.  A turn takes milliseconds."""
TRIES, PAUSE = 5, 0.01
"""Readings of a file that is being written, and the seconds between them."""


@dataclass(frozen=True)
class Health:
    """The report of the daemon."""

    pid: int
    turned_at: float
    """When the last turn ended, on the monotonic clock."""
    turns: int
    """Turns since the daemon started."""
    last: float
    """Duration of the last turn, in seconds."""
    mean: float
    """Mean duration of the last thousand turns, in seconds."""
    longest: float
    """Longest of the last thousand turns, in seconds."""
    workers: int
    """Worker processes that are alive."""
    workers_wanted: int
    """Worker processes that should be alive."""
    trouble: str = ""
    """Why the last turn failed; empty if it succeeded."""
    trouble_since: float = 0.0
    """When turns started to fail, in seconds since 1970; 0 if `trouble` is empty."""
    blocked_by: str = ""
    """Why no job may start; empty if jobs may start.  The file's key is `held`."""
    killed_for_memory: int | None = None
    """Processes that the kernel had killed for memory since the boot; None if it does not say."""
    boot: str = ""
    """The boot of the daemon's machine; empty if an earlier version of wort wrote the report."""
    server_url: str = ""
    """The URL of the HTTP server that the daemon started; empty until clients can connect."""
    server_link: str = ""
    """The URL at which the user of this machine signs in once; it is a secret, as the file is."""
    server_pid: int = 0
    """Its process; 0 if none runs."""
    server_since: float = 0.0
    """When that process was started, in seconds since 1970."""
    server_ended: int = 0
    """The number of times that a server ended without being stopped."""
    server_error: str = ""
    """Why the last one ended; empty if the one that runs can be reached."""
    started: int = 0
    """When the process started, in clock ticks since that boot.  In a container, each daemon may have the same id."""

    def is_by(self, pid: int, process: ProcessIdentity | None) -> bool:
        """Return whether a process wrote the report; `process` is None if only its id is known."""
        if process is None or not self.boot:
            return self.pid == pid
        return (self.pid, self.started, self.boot) == (process.pid, process.started, process.boot)


class HealthFile:
    """Writes the health file; only the daemon uses this class."""

    def __init__(self, path: Path) -> None:
        """Create the file and allocate its blocks.  Raises StorageProblem if that fails."""
        self._path = path
        try:
            self._file = open_allocated(path)
        except OSError as error:
            raise StorageProblem(f"{path} cannot be written: {error.strerror}", "is the disk full?") from error

    def write(self, health: Health) -> None:
        """Overwrite the report; create the file again if it was removed or replaced.  Raises OSError if that fails."""
        try:
            is_ours = os.path.samestat(self._path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            is_ours = False
        if not is_ours:
            new = open_allocated(self._path)
            os.close(self._file)
            self._file = new
        os.pwrite(self._file, encode(health), 0)

    def close(self) -> None:
        """Close the file; the last report stays."""
        os.close(self._file)


def open_allocated(path: Path) -> int:
    """Open or create the file with all its blocks.  Raises OSError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if os.fstat(file).st_size != SIZE:
            os.ftruncate(file, 0)
            # Write instead of fallocate: some file systems do not support it, and on others, the first write to
            # an allocated block may still need more space.
            os.pwrite(file, b" " * SIZE, 0)
            os.fsync(file)
    except BaseException:
        os.close(file)
        raise
    return file


def checksum(text: bytes) -> str:
    """Return the sha256 of a report."""
    import hashlib

    return hashlib.sha256(text).hexdigest()


def encode(health: Health) -> bytes:
    """Return the bytes of the file; sentences are cut until the report fits."""
    values = asdict(health)
    values["held"] = values.pop("blocked_by")
    longest, text = MAX_SENTENCE, b""
    while not text or len(text) > SIZE - DIGEST_SIZE - 1:
        facts = {key: value[:longest] if isinstance(value, str) else value for key, value in values.items()}
        text = json.dumps(facts).encode()
        longest //= 2
    return (checksum(text).encode() + b" " + text).ljust(SIZE)


def decode(data: bytes) -> Health | None:
    """Return the report in the bytes; None if they are incomplete, or written by an incompatible version of wort."""
    digest, _, text = data.rstrip(b" \0").partition(b" ")
    if checksum(text).encode() != digest:
        return None
    try:
        facts = dict(json.loads(text))
        facts["blocked_by"] = facts.pop("held")
        return Health(**facts)
    except (ValueError, TypeError, KeyError):
        return None


def read_health(path: Path) -> Health | None:
    """Return the last report; None if there is none or it cannot be read."""
    for _ in range(TRIES):
        try:
            found = decode(path.read_bytes())
        except OSError:
            return None
        if found is not None:
            return found
        time.sleep(PAUSE)  # the daemon may be writing it
    return None


def problems(health: Health | None, pid: int, up: float, now: float, low_disks: list[str]) -> list[str]:
    """Return the problems of the running daemon, one sentence each.

    health: the last report, which may be of an earlier daemon
    pid, up: the daemon's process id, and for how many seconds it has run
    now: the time on the monotonic clock
    low_disks: sentences about disks without free space
    """
    found = [f"the disk is nearly full: {sentence}" for sentence in low_disks]
    if health is None or health.pid != pid:
        if up > MAX_LOOP_AGE:
            found.append("the daemon does not report its health")
        return found
    age = now - health.turned_at
    if age > MAX_LOOP_AGE:
        found.append(f"the daemon's loop has been stuck for {age:.0f} seconds")
    if health.trouble:
        found.append(f"the daemon cannot work: {health.trouble}")
    if health.server_error:
        found.append(f"the HTTP server does not run: {health.server_error}")
    if health.workers < health.workers_wanted:
        found.append(f"only {health.workers} of {health.workers_wanted} workers are alive")
    return found
