"""How the daemon and its queue are, for whoever asks: `wort daemon status`, `wort doctor`, the metrics.

Put together from the lock (does it run), the daemon's own word (health.py), the disks, and the ledger; a ledger that
can't be read is itself an answer.  Everything is cheap, with a million jobs too.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from wort_cli.errors import WortError
from wort_cli.health.admission import disks_of, low_disks
from wort_cli.health.health_file import Health, problems, read_health
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import DaemonInfo, running_daemon
from wort_cli.system.machine import Disk, available_memory, load

HOUR, DAY = 3600.0, 86400.0
STOPPED, UNHEALTHY, PAUSED, RUNNING = "stopped", "unhealthy", "paused", "running"


@dataclass(frozen=True)
class EndedAttempts:
    """The attempts that ended in some span of time."""

    counts: Mapping[tuple[JobState, str], int] = field(default_factory=dict)

    def of(self, *states: JobState) -> int:
        """How many led to one of the states."""
        return sum(n for (state, _), n in self.counts.items() if state in states)

    @property
    def failure_rate(self) -> float:
        """The share that failed, or must be tried again."""
        all_of_them = sum(self.counts.values())
        return self.of(JobState.FAILED, JobState.WAITING) / all_of_them if all_of_them else 0.0

    @property
    def reasons(self) -> dict[str, int]:
        """Why those that led to no signature did not."""
        found: dict[str, int] = {}
        for (state, reason), n in self.counts.items():
            if state is not JobState.DONE:
                found[reason] = found.get(reason, 0) + n
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Queue:
    """What the ledger says."""

    paused: bool
    jobs: int
    """At a time."""
    counts: Mapping[tuple[JobState, str], int]
    oldest_queued_at: float | None
    """Of the job that was asked for first of those that are queued, in seconds since 1970."""
    paused_groups: tuple[str, ...] = ()

    def of(self, state: JobState) -> int:
        """How many jobs are in a state."""
        return sum(n for (each, _), n in self.counts.items() if each is state)

    @property
    def waiting_for(self) -> dict[str, int]:
        """How many jobs wait, by reason."""
        return {reason: n for (state, reason), n in sorted(self.counts.items()) if state is JobState.WAITING}


@dataclass(frozen=True)
class Status:
    """How things are."""

    daemon: DaemonInfo | None
    health: Health | None
    """What the running daemon said last."""
    loop_age: float | None
    """Seconds since it turned."""
    disks: tuple[Disk, ...]
    memory: int | None
    load: float
    queue: Queue | None
    """None if the ledger can't be read; then a problem says why."""
    problems: tuple[str, ...]

    @property
    def state(self) -> str:
        """stopped, unhealthy, paused or running."""
        if self.daemon is None:
            return STOPPED
        if self.problems:
            return UNHEALTHY
        return PAUSED if self.queue is not None and self.queue.paused else RUNNING

    @property
    def blocked_by(self) -> str:
        """Why the daemon starts no job; empty if it may start jobs."""
        return self.health.blocked_by if self.health is not None else ""


def read_status(settings: Settings, ledger: Ledger) -> Status:
    """How things are now."""
    daemon = running_daemon(settings.lock_file)
    health = of_this_daemon(read_health(settings.health_file), daemon)
    found: list[str] = []
    disks: list[Disk] = []
    queue = None
    try:
        disks = disks_of(settings)
    except OSError as error:
        found.append(f"a disk can't be looked at: {error}")
    if daemon is not None and daemon.pid:
        up = time.time() - daemon.started_at
        found += problems(health, daemon.pid, up, time.monotonic(), low_disks(disks, settings.disk_reserve))
    try:
        queue = read_queue(settings, ledger)
    except WortError as error:
        found.append(error.sentence)
    return Status(
        daemon=daemon,
        health=health,
        loop_age=max(0.0, time.monotonic() - health.turned_at) if health else None,
        disks=tuple({disk.device: disk for disk in reversed(disks)}.values()),
        memory=memory_or_none(),
        load=load(),
        queue=queue,
        problems=tuple(dict.fromkeys(found)),
    )


def of_this_daemon(health: Health | None, daemon: DaemonInfo | None) -> Health | None:
    """What the daemon said that runs now, and not one before it."""
    return health if health is not None and daemon is not None and health.pid == daemon.pid else None


def read_queue(settings: Settings, ledger: Ledger) -> Queue:
    """What the ledger says; WortError if it can't be read."""
    return Queue(
        paused=ledger.controls.paused,
        jobs=ledger.controls.job_limit(settings.jobs),
        counts=ledger.counts.by_state(),
        oldest_queued_at=ledger.counts.oldest_queued_at(),
        paused_groups=tuple(ledger.controls.paused_groups()),
    )


def memory_or_none() -> int | None:
    """The memory that can be had, where that is told."""
    try:
        return available_memory()
    except (OSError, ValueError):
        return None
