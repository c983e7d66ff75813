"""The status of the daemon and its queue, for `wort status`, `wort daemon status`, `wort doctor` and the metrics.

Sources: the lock (whether a daemon runs), the health file, the disks, and the ledger.  A ledger that cannot be read is
reported as a problem.  Reading the status takes no longer with a million jobs.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from wort_cli.errors import WortError, cause_of
from wort_cli.health.admission import disks_of, low_disks
from wort_cli.health.health_file import Health, problems, read_health
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.model.queue_address import LOCAL
from wort_cli.settings import Settings
from wort_cli.system.daemon_lock import DaemonInfo, running_daemon
from wort_cli.system.machine import Disk, available_memory, load
from wort_cli.system.network_disks import silent_directories
from wort_cli.system.process_identity import boot_id

HOUR, DAY = 3600.0, 86400.0
STATES = STOPPED, UNHEALTHY, PAUSED, RUNNING = ("stopped", "unhealthy", "paused", "running")


@dataclass(frozen=True)
class EndedAttempts:
    """The attempts that ended in a period, by new state of the job and reason."""

    counts: Mapping[tuple[JobState, str], int] = field(default_factory=dict)

    def count(self, *states: JobState) -> int:
        """Return the number of attempts that led to one of the states."""
        return sum(n for (state, _), n in self.counts.items() if state in states)

    @property
    def failure_rate(self) -> float:
        """Fraction of the attempts that failed or must be retried."""
        total = sum(self.counts.values())
        return self.count(JobState.FAILED, JobState.WAITING) / total if total else 0.0

    @property
    def reasons(self) -> dict[str, int]:
        """Number of attempts without a signature, by reason."""
        found: dict[str, int] = {}
        for (state, reason), n in self.counts.items():
            if state is not JobState.DONE:
                found[reason] = found.get(reason, 0) + n
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class QueueStatus:
    """The queue, as the ledger shows it."""

    paused: bool
    jobs: int | None
    """The number of jobs that may run at a time; None if workers on other hosts run as many as they take."""
    counts: Mapping[tuple[JobState, str], int]
    oldest_queued_at: float | None
    """When the oldest queued job was queued, in seconds since 1970; None if no job is queued."""
    paused_groups: tuple[str, ...] = ()

    def count(self, state: JobState) -> int:
        """Return the number of jobs in a state."""
        return sum(n for (each, _), n in self.counts.items() if each is state)

    @property
    def waiting_for(self) -> dict[str, int]:
        """Number of waiting jobs, by reason."""
        return {reason: n for (state, reason), n in sorted(self.counts.items()) if state is JobState.WAITING}


@dataclass(frozen=True)
class Status:
    """The status of the daemon, its queue and the machine."""

    daemon: DaemonInfo | None
    health: Health | None
    """Last report of the running daemon; None if it has written none."""
    loop_age: float | None
    """Seconds since the last turn of its loop."""
    disks: tuple[Disk, ...]
    memory: int | None
    """Available memory in bytes; None if /proc does not show it."""
    load: float
    queue: QueueStatus | None
    """None if the ledger cannot be read; a problem then says why."""
    problems: tuple[str, ...]

    @property
    def state(self) -> str:
        """One of `stopped`, `unhealthy`, `paused` and `running`."""
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
    """Read the present status."""
    daemon = running_daemon(settings.lock_file)
    health = health_of(daemon, read_health(settings.health_file))
    found: list[str] = []
    disks: list[Disk] = []
    queue = None
    found += [error.sentence for error in silent_directories((*settings.directories, settings.work_dir))]
    try:
        disks = [] if found else disks_of(settings)
    except OSError as error:
        found.append(f"a disk cannot be examined: {cause_of(error)}")
    if daemon is not None and daemon.pid:
        up = time.time() - daemon.started_at
        found += problems(health, daemon.pid, up, clock_of(daemon, health), low_disks(disks, settings.disk_reserve))
    try:
        queue = read_queue(settings, ledger)
    except WortError as error:
        found.append(error.sentence)
    return Status(
        daemon=daemon,
        health=health,
        loop_age=max(0.0, clock_of(daemon, health) - health.turned_at) if health and daemon else None,
        disks=tuple({disk.device: disk for disk in reversed(disks)}.values()),
        memory=memory_or_none(),
        load=load(),
        queue=queue,
        problems=tuple(dict.fromkeys(found)),
    )


def clock_of(daemon: DaemonInfo, health: Health | None) -> float:
    """Return the time on the daemon's monotonic clock; for one of another machine, that of its last report."""
    is_of_this_boot = daemon.process is None or daemon.process.boot == boot_id()
    return health.turned_at if health and not is_of_this_boot else time.monotonic()


def health_of(daemon: DaemonInfo | None, health: Health | None) -> Health | None:
    """Return the report if the running daemon wrote it; None if an earlier one did."""
    if health is None or daemon is None or not health.is_by(daemon.pid, daemon.process):
        return None
    return health


def read_queue(settings: Settings, ledger: Ledger) -> QueueStatus:
    """Read the queue's status.  Raises WortError if the ledger cannot be read."""
    return QueueStatus(
        paused=ledger.controls.paused,
        jobs=ledger.controls.job_limit(settings.jobs if settings.queue == LOCAL else 0) or None,
        counts=ledger.counts.by_state(),
        oldest_queued_at=ledger.counts.oldest_queued_at(),
        paused_groups=tuple(ledger.controls.paused_groups()),
    )


def memory_or_none() -> int | None:
    """Return the available memory in bytes; None if /proc does not show it."""
    try:
        return available_memory()
    except (OSError, ValueError):
        return None
