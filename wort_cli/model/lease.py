"""Decisions about leases: whether a running job was lost by its worker or abandoned by its process.

Elapsed time is measured on the monotonic clock of the observing process.  The expiry times of leases in the ledger are
wall-clock times, because other processes read them.  They decide only when nothing better is known, so that setting the
clock neither takes a job from a live process nor leaves it with a dead one.

All functions are pure.  `ledger.owners` looks up whether the owner of a job is still running.
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from wort_cli.system.process_identity import ProcessIdentity

DAEMON = "daemon"
"""The owner of jobs that the daemon runs."""
WORKERS = "workers"
"""The owner of jobs that workers on other hosts run."""
OWNER = re.compile(
    r"process (?P<pid>\d+) on (?P<host>\S+)"
    r"(?: \(started (?P<started>\d+), boot (?P<boot>[\w-]+)(?:, namespace (?P<namespace>\d+))?\))?"
)
"""The owner of a job that runs with --now.  Earlier versions did not store the namespace, the start and the boot."""
SKETCHING = "sketching"
"""The stage that counts spots; only in this stage can missing progress be seen."""
PREPARING, COMPILING = "preparing", "compiling"
"""The stages before it; loops are compiled once on a machine."""


@dataclass(frozen=True)
class Claim:
    """The claim of an owner on a running job; `lease_until` is in seconds since 1970."""

    job_id: int
    attempt: int
    owner: str
    lease_until: float


# Workers of the daemon -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Liveness:
    """The last activity of an attempt, in seconds on the monotonic clock; `process` is None until it is known.

    A worker sends heartbeats from a thread of its own, so they do not prove that the job itself makes progress.
    """

    heartbeat_at: float
    """When the last heartbeat arrived."""
    checked_at: float
    """When the job last reported progress or checked whether it was cancelled."""
    progress_at: float
    """When the stage or the number of spots last changed."""
    stage: str = ""
    process: ProcessIdentity | None = None


@dataclass(frozen=True)
class LivenessLimits:
    """Seconds of inactivity after which an attempt is lost, one limit for each time in Liveness."""

    heartbeat: float
    check: float
    progress: float


class Loss(StrEnum):
    """The way in which an attempt was lost, as the predicate of a sentence about its worker."""

    DIED = "died"
    SILENT = "sent no heartbeat"
    HUNG = "hung: its job did not respond"
    STALLED = "made no progress"
    NOT_STARTED = "did not start the job"


def detect_loss(liveness: Liveness, now: float, limits: LivenessLimits, *, process_runs: bool) -> Loss | None:
    """Return how an attempt was lost, or None if it is running; `process_runs` is whether its worker exists."""
    if liveness.process is not None and not process_runs:
        return Loss.DIED
    if now - liveness.heartbeat_at > limits.heartbeat:
        return Loss.SILENT if liveness.process is not None else Loss.NOT_STARTED
    if liveness.process is not None and now - liveness.checked_at > limits.check:
        return Loss.HUNG
    if liveness.stage == SKETCHING and now - liveness.progress_at > limits.progress:
        return Loss.STALLED
    return None


# Workers on other hosts ----------------------------------------------------------------------------------------------

SILENCES = 3
"""Silences of a job's workers that do not count as failures: the network broke, not the job."""


class Silence(Enum):
    """The consequence of the silence of a worker on another host."""

    WAIT = "wait"
    REQUEUE = "requeue the job, without counting a failure"
    FAIL = "count a failure"


def decide_silence(silent_for: float, lease: float, earlier: int) -> Silence:
    """Decide on an attempt whose worker has been silent for `silent_for` seconds.

    lease: seconds of silence after which an attempt is lost (setting worker_lease)
    earlier: silences of workers that had the job before
    """
    if silent_for <= lease:
        return Silence.WAIT
    return Silence.REQUEUE if earlier < SILENCES else Silence.FAIL


# Processes that run a job with --now ---------------------------------------------------------------------------------


class OwnerState(Enum):
    """Whether the owner of a job is still running."""

    RUNNING = "running"
    GONE = "gone"
    UNKNOWN = "unknown"
    """The owner is on another host, in another container, or of another boot, which may be that of a host with the same
    name; or an earlier version did not store when it started.
    """


def process_owner(host: str, process: ProcessIdentity) -> str:
    """Return the owner of a job that a process runs with --now, as the ledger stores it."""
    namespace = f", namespace {process.namespace}" if process.namespace else ""
    return f"process {process.pid} on {host} (started {process.started}, boot {process.boot}{namespace})"


def short_owner(owner: str) -> str:
    """Return an owner as messages show it, without start time and boot."""
    return owner.partition(" (")[0]


def owner_pid(owner: str) -> int | None:
    """Return the process id of an owner; None if it is not a process."""
    words = OWNER.fullmatch(owner)
    return int(words["pid"]) if words else None


def owner_state(owner: str, host: str, found: ProcessIdentity | None, namespace: int = 0, boot: str = "") -> OwnerState:
    """Return whether a process that owns a job is still running.

    `host`, `namespace` and `boot` are those of this process; `found` is the process that has the owner's process id
    here now.
    """
    words = OWNER.fullmatch(owner)
    if words is None or words["host"] != host:
        return OwnerState.UNKNOWN
    if words["namespace"] and int(words["namespace"]) != namespace:
        return OwnerState.UNKNOWN
    if words["boot"] and boot and words["boot"] != boot:
        return OwnerState.UNKNOWN
    if found is None:
        return OwnerState.GONE
    if words["boot"] is None:
        return OwnerState.UNKNOWN
    same = (str(found.started), found.boot) == (words["started"], words["boot"])
    return OwnerState.RUNNING if same else OwnerState.GONE


def is_abandoned(claim: Claim, now: float, max_lease: float, owner: OwnerState) -> bool:
    """Return whether a running job is abandoned, when it is looked at only once; `now` is in seconds since 1970.

    A lease that ends more than `max_lease` seconds from now was written before the clock was set back.
    """
    if owner is not OwnerState.UNKNOWN:
        return owner is OwnerState.GONE
    return not now <= claim.lease_until <= now + max_lease


def has_stopped_renewing(unchanged: float, lease: float, owner: OwnerState) -> bool:
    """Return whether a running job is abandoned whose lease has not changed for `unchanged` seconds."""
    return owner is OwnerState.GONE or unchanged > lease
