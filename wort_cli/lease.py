"""Whether a running job is lost or abandoned: pure decisions about owners, leases and signs of life."""

from dataclasses import dataclass

DAEMON = "daemon"
"""The owner of jobs that the daemon runs; there is one daemon."""


@dataclass(frozen=True)
class Claim:
    """Whose a running job is, and until when (seconds since 1970) that holds without news."""

    job_id: int
    attempt: int
    owner: str
    lease_until: float


@dataclass(frozen=True)
class Life:
    """What is known of an attempt's worker; `heard_at` is on the monotonic clock, `pid` 0 while it is unknown."""

    heard_at: float
    pid: int = 0


def is_lost(life: Life, now: float, lease: float, *, worker_lives: bool) -> bool:
    """Whether an attempt is lost: its worker is gone, or silent for longer than `lease` seconds."""
    return (life.pid != 0 and not worker_lives) or now - life.heard_at > lease


def is_abandoned(claim: Claim, now: float, *, owner_lives: bool) -> bool:
    """Whether a running job is nobody's: its owner is gone, or has not renewed its lease in time."""
    return not owner_lives or claim.lease_until < now


def process_owner(host: str, pid: int) -> str:
    """The owner of a job that a process runs by itself."""
    return f"process {pid} on {host}"
