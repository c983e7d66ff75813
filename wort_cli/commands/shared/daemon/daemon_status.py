"""The status of the daemon and its queue, as one JSON document and as a few lines: `wort daemon status`."""

import time
from collections.abc import Mapping
from typing import Any

from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import (
    BYTES,
    COUNT,
    PATH,
    PID,
    RATIO,
    SECONDS,
    SHARE,
    TEXT,
    TIME,
    Document,
    Field,
    list_of,
    map_of,
    one_of,
    record_of,
)
from wort_cli.health.health_file import Health
from wort_cli.health.status import DAY, HOUR, STATES, EndedAttempts, Status
from wort_cli.health.workers_file import DRAINING, REFUSED, SILENT, WorkerSeen, read_workers
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.model.queue_address import LOCAL
from wort_cli.model.units import format_bytes, iso_time
from wort_cli.settings import Settings

LABELS = {"pid": "process", "jobs": "jobs at a time"}
"""Labels of the lines that differ from the keys of the document."""
END_STATES = (JobState.DONE, JobState.FAILED, JobState.UNAVAILABLE, JobState.WAITING)
LOOP = record_of(
    Field("age", SECONDS, "How long ago the last turn ended"),
    Field("turns", COUNT, "Turns since the daemon started"),
    Field("last", SECONDS, "The duration of the last turn"),
    Field("mean", SECONDS, "The mean duration of the last thousand turns"),
    Field("longest", SECONDS, "The longest of the last thousand turns"),
)
ENDED = record_of(
    *(Field(str(state), COUNT, f"Attempts that led to the state {state}") for state in END_STATES),
    Field("rate", SHARE, "The fraction of the attempts that failed or must be retried"),
    Field("reasons", map_of(COUNT), "Attempts without a signature, by reason"),
)
DISK = record_of(
    Field("path", PATH, "A directory on the disk"),
    Field("free", BYTES, "Free space"),
    Field("total", BYTES, "The size of the disk"),
    Field("reserve", BYTES, "The space that jobs leave free"),
)
WORKERS = record_of(
    Field("alive", COUNT, "Worker processes that are alive"),
    Field("wanted", COUNT, "Worker processes that should be alive"),
)
HOST = record_of(
    Field("host", TEXT, "The host"),
    Field("workers", COUNT, "Its workers that give signs"),
    Field("jobs", COUNT, "How many jobs they sketch at a time"),
    Field("running", COUNT, "Jobs that they have"),
    Field("draining", COUNT, "Workers that take no more jobs"),
)
SERVER = record_of(
    Field("url", PATH, "Its URL; null until clients can connect", optional=True),
    Field("pid", PID, "Its process; null if none runs", optional=True),
    Field("started_at", TIME, "When that process was started", optional=True),
    Field("ended", COUNT, "How often it has ended although it should run"),
    Field("error", TEXT, "Why it ended the last time; null if it can be reached", optional=True),
)
DOCUMENT = Document(
    "daemon status",
    "The health of the daemon, its queue and the machine.",
    head=(
        Field("state", one_of(STATES), "The state of the daemon"),
        Field("pid", PID, "Its process; null if it does not run", optional=True),
        Field("where", TEXT, "Where it runs; `here` if on this machine", optional=True),
        Field("host", TEXT, "The name of its machine", optional=True),
        Field("started_at", TIME, "When it started", optional=True, title="since"),
        Field("version", TEXT, "Its version of wort", optional=True),
        Field("jobs", COUNT, "How many jobs may run at a time", optional=True),
        Field("running", COUNT, "Running jobs", optional=True),
        Field("queued", COUNT, "Queued jobs", optional=True),
        Field("waiting", COUNT, "Waiting jobs", optional=True),
        Field("paused_groups", list_of(TEXT), "Groups of which no job starts"),
        Field("home", PATH, "The directory of this home"),
        Field("path", PATH, "The daemon's log", title="log"),
        Field("problems", list_of(TEXT), "What is wrong, as sentences; empty if the daemon is healthy"),
        Field("held", TEXT, "Why no job may start, as a sentence; null if jobs may start", optional=True),
        Field("loop", LOOP, "The loop of the coordinator", optional=True),
        Field("oldest_queued", SECONDS, "How long the oldest queued job has been queued", optional=True),
        Field("waiting_for", map_of(COUNT), "Waiting jobs, by reason"),
        Field(
            "failure_rates",
            record_of(
                Field("hour", ENDED, "Attempts that ended in the last hour", optional=True),
                Field("day", ENDED, "Attempts that ended in the last day", optional=True),
            ),
            "The attempts that ended lately",
        ),
        Field("disks", list_of(DISK), "The disks of the home"),
        Field("memory_available", BYTES, "Available memory", optional=True),
        Field("load", RATIO, "The load average of the last minute"),
        Field("workers", WORKERS, "The worker processes", optional=True),
        Field("hosts", list_of(HOST), "The hosts whose workers run jobs; empty if they run on this machine"),
        Field("server", SERVER, "The HTTP server that the daemon started; null if it starts none", optional=True),
    ),
)


def status_document(status: Status, settings: Settings, ended: dict[str, EndedAttempts]) -> dict[str, Any]:
    """Return the whole status for `--json`; durations in seconds, sizes in bytes.

    `ended` has the attempts that ended in recent spans of time, by the name of the span.
    """
    daemon, health, queue = status.daemon, status.health, status.queue
    return {
        "state": status.state,
        "pid": daemon.pid if daemon else None,
        "where": (daemon.where or "here") if daemon else None,
        "host": daemon.host if daemon else None,
        "started_at": iso_time(daemon.started_at) if daemon else None,
        "version": daemon.version if daemon else None,
        "jobs": queue.jobs if queue else None,
        "running": queue.count(JobState.RUNNING) if queue else None,
        "queued": queue.count(JobState.QUEUED) if queue else None,
        "waiting": queue.count(JobState.WAITING) if queue else None,
        "paused_groups": list(queue.paused_groups) if queue else [],
        "home": str(settings.data_dir),
        "path": str(settings.daemon_log),
        "problems": list(status.problems),
        "held": status.blocked_by or None,
        "loop": None
        if health is None or status.loop_age is None
        else {
            "age": round(status.loop_age, 3),
            "turns": health.turns,
            "last": round(health.last, 6),
            "mean": round(health.mean, 6),
            "longest": round(health.longest, 6),
        },
        "oldest_queued": seconds_since(queue.oldest_queued_at) if queue else None,
        "waiting_for": queue.waiting_for if queue else {},
        "failure_rates": {span: ended_attempts(ended[span]) if span in ended else None for span in ("hour", "day")},
        "disks": [
            {
                "path": str(disk.path),
                "free": disk.free,
                "total": disk.total,
                "reserve": disk.reserve(settings.disk_reserve),
            }
            for disk in status.disks
        ],
        "memory_available": status.memory,
        "load": status.load,
        "workers": {"alive": health.workers, "wanted": health.workers_wanted} if health else None,
        "hosts": hosts(settings) if daemon else [],
        "server": server_document(health) if health else None,
    }


def hosts(settings: Settings) -> list[dict[str, Any]]:
    """Return the hosts of the workers that give signs."""
    found = read_workers(settings.workers_file) if settings.queue != LOCAL else None
    here: dict[str, list[WorkerSeen]] = {}
    for worker in found[0] if found else ():
        if worker.state not in (SILENT, REFUSED):
            here.setdefault(worker.host, []).append(worker)
    return [
        {
            "host": host,
            "workers": len(workers),
            "jobs": sum(worker.jobs for worker in workers),
            "running": sum(len(worker.running) for worker in workers),
            "draining": sum(worker.state == DRAINING for worker in workers),
        }
        for host, workers in here.items()
    ]


def server_document(health: Health) -> dict[str, Any] | None:
    """Return what the daemon reports of its HTTP server; None if it has none."""
    if not health.server_pid and not health.server_error:
        return None
    return {
        "url": health.server_url or None,
        "pid": health.server_pid or None,
        "started_at": iso_time(health.server_since) if health.server_pid else None,
        "ended": health.server_ended,
        "error": health.server_error or None,
    }


def server_line(server: Mapping[str, Any]) -> str:
    """Return a line about the HTTP server."""
    ended = f", has ended {render.count(server['ended'], 'time')}" if server["ended"] else ""
    if not server["pid"]:
        return f"does not run{ended}"
    since = f"process {server['pid']}, since {TIME.show(server['started_at'])}"
    return f"{server['url'] or 'starts'}, {since}{ended}"


def ended_attempts(attempts: EndedAttempts) -> dict[str, Any]:
    """Return the attempts that ended in a span of time."""
    return {
        **{str(state): attempts.count(state) for state in END_STATES},
        "rate": round(attempts.failure_rate, 4),
        "reasons": attempts.reasons,
    }


def status_lines(document: dict[str, Any]) -> dict[str, object]:
    """Return the names and values of a status document that a person needs; omit what is empty."""
    labels = {field.key: LABELS.get(field.key, field.header) for field in DOCUMENT.head}
    first = (
        "state",
        "pid",
        "where",
        "host",
        "started_at",
        "version",
        "jobs",
        "running",
        "queued",
        "waiting",
        "home",
        "path",
    )
    lines = {labels[field.key]: field.text(document[field.key]) for field in DOCUMENT.head if field.key in first}
    if groups := document["paused_groups"]:
        lines["paused groups"] = ", ".join(groups)
    if loop := document["loop"]:
        lines["loop"] = (
            f"{loop['age']:.1f} s ago, {loop['mean'] * 1000:.1f} ms per turn, longest {loop['longest']:.3f} s"
        )
    if workers := document["workers"]:
        lines["workers"] = f"{workers['alive']} of {workers['wanted']} alive"
    for host in document["hosts"]:
        at_a_time = f"{render.count(host['running'], 'job')}, {host['jobs']} at a time"
        draining = ", draining" if host["draining"] else ""
        lines[f"on {render.printable(host['host'])}"] = at_a_time + draining
    if server := document["server"]:
        lines["server"] = server_line(server)
    if (oldest := document["oldest_queued"]) is not None:
        lines["oldest queued"] = render.duration(oldest)
    lines.update({f"waiting for {reason}": n for reason, n in document["waiting_for"].items()})
    for span, rates in document["failure_rates"].items():
        if rates and (ended := sum(rates[str(state)] for state in END_STATES)):
            lines[f"failures, last {span}"] = f"{rates['rate']:.1%} of {render.count(ended, 'attempt')}"
    lines.update({f"free at {disk['path']}": format_bytes(disk["free"]) for disk in document["disks"]})
    if document["held"]:
        lines["held"] = document["held"]
    lines.update({f"problem {n}": sentence for n, sentence in enumerate(document["problems"], 1)})
    return {key: value for key, value in lines.items() if value != ""}


def recently_ended(ledger: Ledger) -> dict[str, EndedAttempts]:
    """Return the attempts that ended in the last hour and in the last day."""
    now = time.time()
    return {
        "hour": EndedAttempts(ledger.counts.ended_since(now - HOUR)),
        "day": EndedAttempts(ledger.counts.ended_since(now - DAY)),
    }


def seconds_since(when: float | None) -> float | None:
    """Return the seconds since a Unix time, not below 0; None for None."""
    return None if when is None else round(max(0.0, time.time() - when), 1)
