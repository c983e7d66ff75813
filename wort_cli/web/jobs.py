"""`GET /v1/jobs`: jobs, newest first, a page at a time; and `GET /v1/catalog`: signatures in order of their names."""

from itertools import islice
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.errors import shown
from wort_cli.ledger.jobs import MAX_ID, JobFilter
from wort_cli.model.accession import RUN
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.profile import SRA_V1
from wort_cli.model.provenance import Trust
from wort_cli.web.bodies import number_in_query, word_in_query
from wort_cli.web.documents import catalog_document, job_document
from wort_cli.web.errors import CompactJSON, Problem
from wort_cli.web.services import Services
from wort_cli.web.status import has_place
from wort_cli.web.view import file_url

PAGE, MAX_PAGE = 100, 1000


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route("/v1/jobs", jobs, methods=["GET"]), Route("/v1/catalog", catalog, methods=["GET"])]


def following_page(request: Request, **key: object) -> str:
    """Return the URL of the next page: the same query, and the key after which it begins."""
    query = {name: value for name, value in request.query_params.items() if name not in key}
    path = request.url.path  # with the root path
    return f"{path}?{urlencode({**query, **key})}"


async def jobs(request: Request) -> Response:
    """Send a page of jobs."""
    state = word_in_query(request, "state", tuple(JobState))
    reason = word_in_query(request, "reason", tuple(Reason))
    group = request.query_params.get("group", "")[:200]
    before = number_in_query(request, "before", MAX_ID, MAX_ID)
    limit = number_in_query(request, "limit", PAGE, MAX_PAGE)
    chosen = JobFilter(JobState(state) if state else None, Reason(reason) if reason else None, group)
    services: Services = request.app.state.services

    def answer() -> dict[str, Any]:
        ledger = services.home.ledger
        with ledger.transaction(write=False):
            found = list(islice(ledger.jobs.every(chosen, before, limit + 1), limit + 1))
            home_id = ledger.controls.home_id() if found else ""
            counts: dict[str, int] = {}
            for (each, _), number in ledger.counts.by_state(group).items():
                counts[str(each)] = counts.get(str(each), 0) + number
            page = found[:limit]
            following = following_page(request, before=page[-1].id) if len(found) > limit else None
            return {
                "counts": counts,
                "next": following,
                "jobs": [job_document(job, ledger, home_id) for job in page],
            }

    return CompactJSON(await run_in_threadpool(answer))


async def catalog(request: Request) -> Response:
    """Send a page of the signatures that the server hands out."""
    trust = word_in_query(request, "trust", tuple(Trust))
    after = request.query_params.get("after", "")
    if after and not RUN.fullmatch(after):
        raise Problem(400, f"after={shown(after)} is not the accession of a run", reason="invalid")
    limit = number_in_query(request, "limit", PAGE, MAX_PAGE)
    services: Services = request.app.state.services
    root = str(request.scope.get("root_path", ""))

    def answer() -> dict[str, Any]:
        ledger = services.home.ledger
        rows = ledger.storage.rows("served_signatures", profile=SRA_V1.name, after=after, trust=trust, limit=limit)
        served = [
            row
            for row in rows
            if RUN.fullmatch(row["name"]) and services.files.is_served(row["trust"]) and has_place(services, row)
        ]
        is_last = len(rows) < limit or not RUN.fullmatch(rows[-1]["name"])
        return {
            "next": None if is_last else following_page(request, after=rows[-1]["name"]),
            "signatures": [{"id": row["name"], **catalog_document(row, file_url(root, row["name"]))} for row in served],
        }

    return CompactJSON(await run_in_threadpool(answer))
