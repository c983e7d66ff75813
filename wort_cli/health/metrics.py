"""The status as Prometheus metrics; docs/monitoring.md documents their names.

Counters are read from the ledger, so they continue across restarts of the daemon.  prometheus_client is imported only
when metrics are requested.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wort_cli.health.status import STOPPED, Status, read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import atomic_output

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

Transitions = dict[tuple[str, str], int]
"""Number of transitions for each new state and reason."""


def registry(settings: Settings, *, ended: bool = False) -> "CollectorRegistry":
    """Return a registry that reads the metrics at each collection, from any thread.

    ended: report that the daemon has stopped, whatever its lock says
    """
    from prometheus_client import CollectorRegistry
    from prometheus_client.registry import Collector

    class Now(Collector):
        def collect(self) -> Iterable["Metric"]:
            ledger = Ledger(settings.ledger_file)
            try:
                found = read_status(settings, ledger)
                transitions = ledger.counts.transitions() if found.queue is not None else {}
            finally:
                ledger.close()
            if ended:
                found = replace(found, daemon=None, health=None, loop_age=None)
            return metrics(found, transitions, settings.disk_reserve)

    made = CollectorRegistry(auto_describe=False)
    made.register(Now())
    return made


def metrics_text(settings: Settings) -> bytes:
    """Return the metrics in the text format of Prometheus."""
    from prometheus_client import generate_latest

    return generate_latest(registry(settings))


def write_metrics(path: Path, settings: Settings, *, ended: bool = False) -> None:
    """Write the metrics to a text file, atomically.  Raises OSError if the file cannot be written."""
    from prometheus_client import generate_latest

    with atomic_output(path) as file:
        os.fchmod(file.fileno(), 0o644)  # the collector, another user, reads it
        file.write(generate_latest(registry(settings, ended=ended)))


def metrics(found: Status, transitions: Transitions, disk_reserve: int) -> Iterator["Metric"]:
    """Yield the metrics of a status."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    def gauge(name: str, about: str, value: float | None) -> Iterator["Metric"]:
        if value is not None:
            yield GaugeMetricFamily(f"wort_{name}", about, value)

    yield from gauge("up", "1 if the daemon runs", float(found.state != STOPPED))
    yield from gauge(
        "healthy", "1 if the daemon runs and has no problem", float(bool(found.daemon and not found.problems))
    )
    yield from gauge("held", "1 if no job may start because of a disk or the load", float(bool(found.blocked_by)))
    yield from gauge("loop_age_seconds", "Seconds since the last turn of the daemon's loop", found.loop_age)
    if found.health is not None:
        yield from gauge("turn_seconds_mean", "Mean duration of the last thousand turns", found.health.mean)
        yield from gauge("turn_seconds_max", "Longest duration of the last thousand turns", found.health.longest)
        yield from gauge("workers", "Workers that are alive", found.health.workers)
        yield from gauge("workers_wanted", "Workers that should be alive", found.health.workers_wanted)
    yield from gauge(
        "memory_available_bytes",
        "Memory available on the machine, within the limits of its control group",
        found.memory,
    )
    yield from gauge("load", "Load average of the machine over one minute", found.load)
    free = GaugeMetricFamily(
        "wort_disk_free_bytes", "Free bytes of a disk that jobs or the ledger use", labels=("path",)
    )
    reserve = GaugeMetricFamily("wort_disk_reserve_bytes", "Free bytes below which no job starts", labels=("path",))
    for disk in found.disks:
        free.add_metric((str(disk.path),), disk.free)
        reserve.add_metric((str(disk.path),), disk.reserve(disk_reserve))
    yield from (free, reserve)
    if found.queue is not None:
        yield from gauge("paused", "1 if a user paused the daemon", float(found.queue.paused))
        yield from gauge(
            "queued_since_seconds",
            "When the oldest queued job was queued, in seconds since 1970",
            found.queue.oldest_queued_at,
        )
        jobs = GaugeMetricFamily("wort_jobs", "Jobs by state and reason", labels=("state", "reason"))
        for state in JobState:
            reasons = {reason: n for (each, reason), n in found.queue.counts.items() if each is state}
            for reason, n in sorted(reasons.items()) or [("", 0)]:
                jobs.add_metric((str(state), reason), n)
        yield jobs
    counter = CounterMetricFamily(
        "wort_job_moves", "Transitions of jobs, by new state and reason", labels=("state", "reason")
    )
    for (state_after, reason), n in sorted(transitions.items()):
        counter.add_metric((state_after, reason), n)
    yield counter
