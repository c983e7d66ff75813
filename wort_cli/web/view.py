"""`GET /v1/view/{db}/{id}` redirects to the file of a signature, and `/wort-{db}/sigs/{id}.sig` is that file.

A redirect is sent only to what is there: a file that was compared with the catalog, or an object that the bucket has.
`/viewer/{id}` is the path of the first version of the earlier service.
The file is sent as it is stored, in gzip, whatever Accept-Encoding says: its clients store the bytes as they come.
"""

from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.web.databases import SRA
from wort_cli.web.errors import CompactJSON
from wort_cli.web.file_response import file_response
from wort_cli.web.services import ServedDatabase, Services
from wort_cli.web.signature_files import CatalogEntry, ServedFile

NO_DATABASE, NO_DATASET = "Database not supported", "Dataset not found"
REDIRECTION = """<!doctype html>
<html lang=en>
<title>Redirecting...</title>
<h1>Redirecting...</h1>
<p>You should be redirected automatically to the target URL: <a href="{url}">{url}</a>. If not, click the link.
"""


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route("/v1/view/{database}/{dataset}", view, methods=["GET"]),
        Route("/viewer/{dataset}", view, methods=["GET"]),
        Route("/wort-{database}/sigs/{name}.sig", signature_file, methods=["GET"]),
    ]


async def view(request: Request) -> Response:
    """Redirect to the file of a signature."""
    services: Services = request.app.state.services
    served = services.databases.get(request.path_params.get("database", SRA.name))
    if served is None:
        return CompactJSON(NO_DATABASE, 404)
    entry = served.files.entry(services.home.ledger, request.path_params["dataset"])
    url = await address(request, served, entry) if entry else ""
    if not entry or not url:
        return CompactJSON(NO_DATASET, 404)
    headers = {"Location": url, "Wort-Trust": entry.recorded.trust.value, "Cache-Control": "no-cache"}
    return Response(REDIRECTION.format(url=escape(url)), 302, headers, "text/html")


async def address(request: Request, served: ServedDatabase, entry: CatalogEntry) -> str:
    """Return where the file of an entry is; empty if it is nowhere."""
    if await find_file(served, entry):
        return served.database.file_url(request.scope.get("root_path", ""), entry.name)
    if not served.bucket.is_in_this_bucket(entry.remote):
        return ""
    return served.bucket.remembered(entry.name) or await run_in_threadpool(served.bucket.url, entry.name)


async def find_file(served: ServedDatabase, entry: CatalogEntry) -> ServedFile | None:
    """Return the compared file of an entry; a thread compares it if that was not done."""
    return served.files.remembered(entry) or await run_in_threadpool(served.files.compared, entry)


async def signature_file(request: Request) -> Response:
    """Send the file of a signature."""
    services: Services = request.app.state.services
    served = services.databases.get(request.path_params["database"])
    if served is None:
        return CompactJSON(NO_DATABASE, 404)
    entry = served.files.entry(services.home.ledger, request.path_params["name"])
    found = await find_file(served, entry) if entry else None
    file = await run_in_threadpool(served.files.opened, found) if found else None
    if entry is None or found is None or file is None:
        return CompactJSON(NO_DATASET, 404)
    return file_response(
        request,
        file,
        found.state[2],
        sha256=found.sha256,
        changed_at=entry.created_at,
        headers={
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Content-Disposition": f'attachment; filename="{entry.name}.sig"',
            "Wort-Trust": entry.recorded.trust.value,
        },
    )
