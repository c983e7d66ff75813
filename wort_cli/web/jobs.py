"""`GET /v1/jobs`: jobs, newest first, a page at a time; and `GET /v1/catalog`: signatures in order of their names."""

from itertools import islice
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.ledger.jobs import MAX_ID, JobFilter
from wort_cli.model.accession import parse_name
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.profile import SRA_V1
from wort_cli.model.provenance import Trust
from wort_cli.web.bodies import number_in_query, word_in_query
from wort_cli.web.databases import DATABASES
from wort_cli.web.documents import catalog_document, job_document
from wort_cli.web.errors import CompactJSON
from wort_cli.web.services import Services

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
            home_id = ledger.controls.known_home_id() if found else ""
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
    """Send a page of signatures: of one database, or of all."""
    trust = word_in_query(request, "trust", tuple(Trust))
    database = word_in_query(request, "database", tuple(DATABASES))
    after = request.query_params.get("after", "")
    if after:
        parse_name(after)
    limit = number_in_query(request, "limit", PAGE, MAX_PAGE)
    services: Services = request.app.state.services
    root = str(request.scope.get("root_path", ""))
    patterns = {name: one.pattern if database in ("", name) else "" for name, one in DATABASES.items()}
    low, high = DATABASES[database].bounds if database else ("", "\uffff")

    def answer() -> dict[str, Any]:
        values = {"profile": SRA_V1.name, "after": max(after, low), "before": high, "trust": trust, "limit": limit}
        rows = services.home.ledger.storage.rows("served_signatures", **patterns, **values)
        found = [
            {
                "id": row["name"],
                "database": served.database.name,
                **catalog_document(row, served.database.file_url(root, row["name"])),
            }
            for row in rows
            if (served := services.of_name(row["name"])) is not None and served.is_served(row)
        ]
        following = following_page(request, after=rows[-1]["name"]) if len(rows) == limit else None
        return {"next": following, "signatures": found}

    return CompactJSON(await run_in_threadpool(answer))
