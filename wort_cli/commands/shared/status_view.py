"""How a condition is shown: as one JSON document, or in a few lines."""

import time
from typing import Any

from wort_cli.commands.shared import render
from wort_cli.health.status import DAY, HOUR, EndedAttempts, Status
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job import JobState
from wort_cli.model.units import format_bytes
from wort_cli.settings import Settings


def as_document(found: Status, settings: Settings, rates: dict[str, EndedAttempts]) -> dict[str, Any]:
    """All that is known, for `--json`; durations in seconds, sizes in bytes."""
    daemon, health, queue = found.daemon, found.health, found.queue
    return {
        "state": found.state,
        "pid": daemon.pid if daemon else None,
        "since": render.when(daemon.started_at) if daemon else None,
        "version": daemon.version if daemon else None,
        "jobs": queue.jobs if queue else None,
        "running": queue.of(JobState.RUNNING) if queue else None,
        "queued": queue.of(JobState.QUEUED) if queue else None,
        "waiting": queue.of(JobState.WAITING) if queue else None,
        "paused_groups": list(queue.paused_groups) if queue else [],
        "home": str(settings.data_dir),
        "log": str(settings.daemon_log),
        "problems": list(found.problems),
        "held": found.blocked_by,
        "loop": None
        if health is None or found.loop_age is None
        else {
            "age": round(found.loop_age, 3),
            "turns": health.turns,
            "last": round(health.last, 6),
            "mean": round(health.mean, 6),
            "longest": round(health.longest, 6),
        },
        "oldest_queued": age(queue.oldest_queued_at) if queue else None,
        "waiting_for": queue.waiting_for if queue else {},
        "failure_rates": {
            span: {
                **{str(state): ended.of(state) for state in ENDS},
                "rate": round(ended.failure_rate, 4),
                "reasons": ended.reasons,
            }
            for span, ended in rates.items()
        },
        "disks": [
            {
                "path": str(disk.path),
                "free": disk.free,
                "total": disk.total,
                "reserve": disk.reserve(settings.disk_reserve),
            }
            for disk in found.disks
        ],
        "memory_available": found.memory,
        "load": found.load,
        "workers": {"alive": health.workers, "wanted": health.workers_wanted} if health else None,
    }


ENDS = (JobState.DONE, JobState.FAILED, JobState.UNAVAILABLE, JobState.WAITING)


def as_facts(document: dict[str, Any]) -> dict[str, object]:
    """The same in a line each, without what there is nothing to say of."""
    shown = {
        key: document[key]
        for key in ("state", "pid", "since", "version", "jobs", "running", "queued", "waiting", "home", "log")
    }
    if groups := document["paused_groups"]:
        shown["paused groups"] = ", ".join(groups)
    if loop := document["loop"]:
        shown["loop"] = f"{loop['age']:.1f} s ago, {loop['mean'] * 1000:.1f} ms a turn, at most {loop['longest']:.3f} s"
    if workers := document["workers"]:
        shown["workers"] = f"{workers['alive']} of {workers['wanted']} alive"
    if (oldest := document["oldest_queued"]) is not None:
        shown["oldest queued"] = render.duration(oldest)
    shown.update({f"waiting for {reason}": n for reason, n in document["waiting_for"].items()})
    for span, rates in document["failure_rates"].items():
        if ended := sum(rates[str(state)] for state in ENDS):
            shown[f"failures, last {span}"] = f"{rates['rate']:.1%} of {ended:,}"
    shown.update({f"free at {disk['path']}": format_bytes(disk["free"]) for disk in document["disks"]})
    if document["held"]:
        shown["held"] = document["held"]
    shown.update({f"problem {n}": sentence for n, sentence in enumerate(document["problems"], 1)})
    return {key: value for key, value in shown.items() if value is not None}


def rates_of(ledger: Ledger) -> dict[str, EndedAttempts]:
    """What ended in the last hour and the last day."""
    now = time.time()
    return {
        "hour": EndedAttempts(ledger.counts.ended_since(now - HOUR)),
        "day": EndedAttempts(ledger.counts.ended_since(now - DAY)),
    }


def age(since: float | None) -> float | None:
    """Seconds since a time."""
    return None if since is None else round(max(0.0, time.time() - since), 1)
