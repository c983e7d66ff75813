"""`/health` and `/metrics`: whether the server can read its home, and the figures of the daemon and the queue."""

import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import wort_cli
from wort_cli.health.metrics import metrics_text
from wort_cli.health.status import read_status
from wort_cli.model.job import JobState
from wort_cli.web.errors import RETRY_AFTER, CompactJSON
from wort_cli.web.reading import may_read, unguarded
from wort_cli.web.served_home import ServedHome
from wort_cli.web.services import Services

KEPT = 2.0
"""Seconds for which an answer is given again: it reads the state of disks and processes."""
METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route("/health", health, methods=["GET"]), Route("/metrics", metrics, methods=["GET"])]


async def kept(request: Request, name: str, make: Any) -> Any:
    """Return an answer that `make` gave a moment ago, or have it made in a thread."""
    services: Services = request.app.state.services
    holder = services.kept
    async with holder.lock:
        at, answer = holder.answers.get(name, (0.0, None))
        if time.monotonic() - at > KEPT or answer is None:
            answer = await run_in_threadpool(make, services.home)
            holder.answers[name] = time.monotonic(), answer
        return answer


@unguarded
async def health(request: Request) -> Response:
    """Say whether the ledger can be read: 200, or 503; to a client that may read, also whether a daemon runs."""
    document = await kept(request, "health", health_document)
    if not await may_read(request):
        document = {"status": document["status"]}
    if document["status"] == "ok":
        return CompactJSON(document, headers={"Cache-Control": "no-store"})
    return CompactJSON(document, 503, headers={"Cache-Control": "no-store", "Retry-After": str(RETRY_AFTER)})


def health_document(home: ServedHome) -> dict[str, Any]:
    """Return the health of a home; its server is `ok` also if no daemon runs."""
    found = read_status(home.settings, home.ledger)
    queue = found.queue
    return {
        "status": "ok" if queue is not None else "unavailable",
        "version": wort_cli.__version__,
        "read_only": home.options.read_only,
        "daemon": found.state,
        "problems": len(found.problems),
        "queued": queue.count(JobState.QUEUED) if queue else None,
        "running": queue.count(JobState.RUNNING) if queue else None,
    }


async def metrics(request: Request) -> Response:
    """Send the metrics of the home."""
    return Response(await kept(request, "metrics", metrics_of), media_type=METRICS_TYPE)


def metrics_of(home: ServedHome) -> bytes:
    """Return the metrics."""
    return metrics_text(home.settings)
