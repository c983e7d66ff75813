"""Whether a running job is lost or abandoned: pure decisions about owners, leases and signs of life.

Time that passes is measured on the monotonic clock of whoever watches.  The ledger's leases are of the wall clock, for
they are read by other processes; they are believed only where nothing better is known, so that a clock that is set
neither takes a job from somebody who lives nor leaves it with somebody who is gone.
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from wort_cli.system.process_identity import ProcessIdentity

DAEMON = "daemon"
"""The owner of jobs that the daemon runs; there is one daemon."""
OWNER = re.compile(r"process (?P<pid>\d+) on (?P<host>\S+)(?: \(started (?P<started>\d+), boot (?P<boot>[\w-]+)\))?")
"""A process that runs a job by itself; earlier versions named no start and boot."""
SKETCHING = "sketching"
"""The stage in which spots are counted, so that they can stand still."""


@dataclass(frozen=True)
class Claim:
    """Whose a running job is, and until when (seconds since 1970) that holds without news."""

    job_id: int
    attempt: int
    owner: str
    lease_until: float


# A worker of the daemon ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Life:
    """What is known of an attempt's worker, on the monotonic clock; no `process` while none is known.

    A sign of life comes from a thread of its own.  That the job itself goes on is told by when it last asked whether it
    was called off (`asked_at`), and in the stage that counts spots by when they last moved (`moved_at`).
    """

    heard_at: float
    asked_at: float
    moved_at: float
    stage: str = ""
    process: ProcessIdentity | None = None


@dataclass(frozen=True)
class Patience:
    """Seconds: how long a worker may be silent, its job say nothing, and its spots stand still."""

    silent: float
    hanging: float
    standing: float


class Loss(StrEnum):
    """How a worker was lost, as the second half of a sentence."""

    DIED = "died"
    SILENT = "was silent, as one that is stopped is"
    HUNG = "hung: the job itself gave no sign"
    STOOD = "came no further"
    UNKNOWN = "never began"


def loss(life: Life, now: float, patience: Patience, *, worker_lives: bool) -> Loss | None:
    """How an attempt was lost; None if it goes on."""
    if life.process is not None and not worker_lives:
        return Loss.DIED
    if now - life.heard_at > patience.silent:
        return Loss.SILENT if life.process is not None else Loss.UNKNOWN
    if life.process is not None and now - life.asked_at > patience.hanging:
        return Loss.HUNG
    if life.stage == SKETCHING and now - life.moved_at > patience.standing:
        return Loss.STOOD
    return None


# A process that runs a job by itself ---------------------------------------------------------------------------------


class Owner(Enum):
    """What is known of the owner of a job."""

    LIVES = "lives"
    GONE = "gone"
    UNKNOWN = "unknown"
    """It is of another host, or of a version that did not say when it started."""


def process_owner(host: str, process: ProcessIdentity) -> str:
    """The owner of a job that a process runs by itself."""
    return f"process {process.pid} on {host} (started {process.started}, boot {process.boot})"


def short_owner(owner: str) -> str:
    """An owner as a person is told of it."""
    return owner.partition(" (")[0]


def judge_owner(owner: str, host: str, found: ProcessIdentity | None) -> Owner:
    """What is known of a process that owns a job; `found` is who has its number on `host`, which is this one, now."""
    words = OWNER.fullmatch(owner)
    if words is None or words["host"] != host:
        return Owner.UNKNOWN
    if found is None:
        return Owner.GONE
    if words["boot"] is None:
        return Owner.UNKNOWN
    return Owner.LIVES if (str(found.started), found.boot) == (words["started"], words["boot"]) else Owner.GONE


def pid_of(owner: str) -> int | None:
    """The number of a process that owns a job."""
    words = OWNER.fullmatch(owner)
    return int(words["pid"]) if words else None


def is_abandoned(claim: Claim, now: float, longest: float, owner: Owner) -> bool:
    """Whether a running job is nobody's, for somebody who looks once; no lease is for more than `longest` seconds.

    A lease that holds for longer is of a clock that was set back since.
    """
    if owner is not Owner.UNKNOWN:
        return owner is Owner.GONE
    return not now <= claim.lease_until <= now + longest


def is_silent(unchanged: float, lease: float, owner: Owner) -> bool:
    """Whether a running job is nobody's, for somebody who has seen its lease unchanged for so many seconds."""
    return owner is Owner.GONE or unchanged > lease
