"""`/wort-{db}/SOURMASH-MANIFEST.parquet` and `.csv.gz`: a table of all sketches of a database that the server has."""

from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.errors import UsageError, shown
from wort_cli.web.errors import CompactJSON, Problem
from wort_cli.web.file_response import file_response
from wort_cli.web.manifest_files import ManifestFormat
from wort_cli.web.services import Services
from wort_cli.web.view import NO_DATABASE

MEDIA_TYPES = {
    ManifestFormat.PARQUET: "application/vnd.apache.parquet",
    ManifestFormat.CSV_GZ: "application/gzip",
}


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [
        Route(f"/wort-{{database}}/SOURMASH-MANIFEST.{form}", manifest, methods=["GET"], name=form.value)
        for form in ManifestFormat
    ]


async def manifest(request: Request) -> Response:
    """Send a manifest, which is made if there is none of the present ledger."""
    services: Services = request.app.state.services
    served = services.databases.get(request.path_params["database"])
    if served is None:
        return CompactJSON(NO_DATABASE, 404)
    form = next(form for form in ManifestFormat if request.url.path.endswith(f".{form}"))
    since = parse_since(request.query_params.get("since", ""))
    version = services.home.version
    opened = served.manifests.kept(form, since, version)
    if opened is None:
        try:
            opened = await run_in_threadpool(served.manifests.made, form, since, version)
        except UsageError as error:
            raise Problem(501, error.sentence, reason="not-installed", hint=error.hint) from error
    headers = {
        "Content-Type": MEDIA_TYPES[form],
        "Content-Disposition": f'attachment; filename="SOURMASH-MANIFEST.{form}"',
    }
    found, file = opened
    return file_response(request, file, found.size, sha256=found.sha256, changed_at=found.made_at, headers=headers)


def parse_since(text: str) -> float:
    """Return a date or a time in seconds since 1970; one without a time zone is in UTC.  Raises Problem."""
    if not text:
        return 0.0
    try:
        when = datetime.fromisoformat(text[:40])
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Problem(
            400, f"since={shown(text)} is not a date", reason="invalid", hint="give a date such as 2026-11-27"
        ) from None
