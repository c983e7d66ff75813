"""The status of the daemon and its queue, as one JSON document and as a few lines: `wort daemon status`."""

import time
from typing import Any

from wort_cli.commands.shared import render
from wort_cli.health.status import DAY, HOUR, EndedAttempts, Status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings

LABELS = {"pid": "process", "jobs": "jobs at a time"}
"""Labels of the lines that differ from the keys of the document."""
END_STATES = (JobState.DONE, JobState.FAILED, JobState.UNAVAILABLE, JobState.WAITING)


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
        "since": render.local_time(daemon.started_at) if daemon else None,
        "version": daemon.version if daemon else None,
        "jobs": queue.jobs if queue else None,
        "running": queue.count(JobState.RUNNING) if queue else None,
        "queued": queue.count(JobState.QUEUED) if queue else None,
        "waiting": queue.count(JobState.WAITING) if queue else None,
        "paused_groups": list(queue.paused_groups) if queue else [],
        "home": str(settings.data_dir),
        "log": str(settings.daemon_log),
        "problems": list(status.problems),
        "held": status.blocked_by,
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
        "failure_rates": {
            span: {
                **{str(state): attempts.count(state) for state in END_STATES},
                "rate": round(attempts.failure_rate, 4),
                "reasons": attempts.reasons,
            }
            for span, attempts in ended.items()
        },
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
    }


def status_lines(document: dict[str, Any]) -> dict[str, object]:
    """Return the names and values of a status document that a person needs; omit what is empty."""
    lines = {
        LABELS.get(key, key): document[key]
        for key in (
            "state",
            "pid",
            "where",
            "host",
            "since",
            "version",
            "jobs",
            "running",
            "queued",
            "waiting",
            "home",
            "log",
        )
    }
    if groups := document["paused_groups"]:
        lines["paused groups"] = ", ".join(groups)
    if loop := document["loop"]:
        lines["loop"] = (
            f"{loop['age']:.1f} s ago, {loop['mean'] * 1000:.1f} ms per turn, longest {loop['longest']:.3f} s"
        )
    if workers := document["workers"]:
        lines["workers"] = f"{workers['alive']} of {workers['wanted']} alive"
    if (oldest := document["oldest_queued"]) is not None:
        lines["oldest queued"] = render.duration(oldest)
    lines.update({f"waiting for {reason}": n for reason, n in document["waiting_for"].items()})
    for span, rates in document["failure_rates"].items():
        if ended := sum(rates[str(state)] for state in END_STATES):
            lines[f"failures, last {span}"] = f"{rates['rate']:.1%} of {render.count(ended, 'attempt')}"
    lines.update({f"free at {disk['path']}": format_bytes(disk["free"]) for disk in document["disks"]})
    if document["held"]:
        lines["held"] = document["held"]
    lines.update({f"problem {n}": sentence for n, sentence in enumerate(document["problems"], 1)})
    return {key: value for key, value in lines.items() if value is not None}


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
