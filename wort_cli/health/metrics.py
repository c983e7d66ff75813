"""The daemon's condition as metrics for Prometheus; their names are documented in docs/monitoring.md.

What is counted is in the ledger, so that counters go on where they were when the daemon is started again.  The library
is imported where metrics are asked for, and nowhere else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wort_cli.health.status import STOPPED, Status, read_status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.settings import Settings
from wort_cli.system.atomic_files import write_atomically

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

Moves = dict[tuple[str, str], int]


def registry(settings: Settings, *, ended: bool = False) -> "CollectorRegistry":
    """What answers with the metrics as they are whenever it is asked, from any thread; `ended`: the daemon has."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.registry import Collector

    class Now(Collector):
        def collect(self) -> Iterable["Metric"]:
            ledger = Ledger(settings.ledger_file)
            try:
                found = read_status(settings, ledger)
                moves = ledger.counts.transitions() if found.queue is not None else {}
            finally:
                ledger.close()
            if ended:
                found = replace(found, daemon=None, health=None, loop_age=None)
            return metrics(found, moves, settings.disk_reserve)

    made = CollectorRegistry(auto_describe=False)
    made.register(Now())
    return made


def write_metrics(path: Path, settings: Settings, *, ended: bool = False) -> None:
    """Write the text file, whole or not at all; OSError if it can't be written."""
    from prometheus_client import generate_latest

    write_atomically(path, generate_latest(registry(settings, ended=ended)))


def metrics(found: Status, moves: Moves, disk_reserve: int) -> Iterator["Metric"]:
    """A condition in metrics."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    def gauge(name: str, about: str, value: float | None) -> Iterator["Metric"]:
        if value is not None:
            yield GaugeMetricFamily(f"wort_{name}", about, value)

    yield from gauge("up", "1 if the daemon runs", float(found.state != STOPPED))
    yield from gauge(
        "healthy", "1 if the daemon runs and has no problem", float(bool(found.daemon and not found.problems))
    )
    yield from gauge("held", "1 if no job begins, for a disk or the load", float(bool(found.blocked_by)))
    yield from gauge("loop_age_seconds", "Since the daemon's last turn", found.loop_age)
    if found.health is not None:
        yield from gauge("turn_seconds_mean", "What a turn takes, of late", found.health.mean)
        yield from gauge("turn_seconds_max", "What the longest turn of late took", found.health.longest)
        yield from gauge("workers", "Workers that are alive", found.health.workers)
        yield from gauge("workers_wanted", "Workers there should be", found.health.workers_wanted)
    yield from gauge("memory_available_bytes", "Memory that can be had", found.memory)
    yield from gauge("load", "The machine's load over the last minute", found.load)
    free = GaugeMetricFamily("wort_disk_free_bytes", "Free for jobs and the ledger", labels=("path",))
    reserve = GaugeMetricFamily("wort_disk_reserve_bytes", "Below which no job begins", labels=("path",))
    for disk in found.disks:
        free.add_metric((str(disk.path),), disk.free)
        reserve.add_metric((str(disk.path),), disk.reserve(disk_reserve))
    yield from (free, reserve)
    if found.queue is not None:
        yield from gauge("paused", "1 if no job is to begin, as a person said", float(found.queue.paused))
        yield from gauge(
            "queued_since_seconds", "When the first of the queued jobs was queued", found.queue.oldest_queued_at
        )
        jobs = GaugeMetricFamily("wort_jobs", "Jobs by state and reason", labels=("state", "reason"))
        for state in JobState:
            reasons = {reason: n for (each, reason), n in found.queue.counts.items() if each is state}
            for reason, n in sorted(reasons.items()) or [("", 0)]:
                jobs.add_metric((str(state), reason), n)
        yield jobs
    ended = CounterMetricFamily(
        "wort_job_moves", "Moves of jobs, by the state they led to, and the reason", labels=("state", "reason")
    )
    for (state_after, reason), n in sorted(moves.items()):
        ended.add_metric((state_after, reason), n)
    yield ended
