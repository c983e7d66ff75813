"""`POST /v1/submit/{db}/{id}` takes a signature that somebody else made, as `wort submit` does.

It is checked in the sandbox, stored apart as unverified, and a verification is queued.  One of a taxon of IMG stays
unverified, because IMG has no archive of its reads.

`POST /submit` with a token is the path of the first version of the earlier service: the signature's own name, or the
field `public_url`, says what it was made from.  Without a token it is the form of a page (`pages/submit_page.py`).
"""

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.api.submitting import submit_and_verify
from wort_cli.errors import shown
from wort_cli.model.accession import Name
from wort_cli.model.submission import Submission
from wort_cli.reading.refusal import SubmissionRefused
from wort_cli.submission.intake import Claims, SourceUnreachable, Ways
from wort_cli.system.temporary import scratch_directory
from wort_cli.web.access_file import Right
from wort_cli.web.auth import authorized
from wort_cli.web.compute import parse_run
from wort_cli.web.databases import IMG, SRA
from wort_cli.web.errors import CompactJSON, Problem
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services
from wort_cli.web.task_id import task_id
from wort_cli.web.upload import receive_file, receive_form
from wort_cli.web.view import NO_DATABASE

FIELD = "file"
BY_REQUEST = Ways(
    "send it to `/v1/submit/sra/ACCESSION`, or the address of the data in the field `public_url` of `/submit`",
    "send it to the URL of that run if the name is right",
)
ACCEPTED = "Signature accepted"


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route("/v1/submit/{database}/{dataset}", submit, methods=["POST"])]


@unguarded
async def submit(request: Request) -> Response:
    """Take a signature."""
    token = await authorized(request, Right.SUBMIT)
    database, text = request.path_params["database"], request.path_params["dataset"]
    if database not in (SRA.name, IMG.name):
        return CompactJSON(NO_DATABASE, 404)
    name = parse_taxon(text) if database == IMG.name else parse_run(text)
    check_is_form(request)
    services: Services = request.app.state.services
    settings = services.home.settings
    with scratch_directory(settings.cache_dir) as directory:
        path = directory / "upload"
        with path.open("wb") as file:
            await receive_file(request, FIELD, file, settings.submit_size)
        return CompactJSON(await taken(services, path, Claims(token.name, name, ways=BY_REQUEST)), 202)


async def submit_named(request: Request) -> Response:
    """Take a signature whose own name, or the form, says what it was made from."""
    token = await authorized(request, Right.SUBMIT)
    check_is_form(request)
    services: Services = request.app.state.services
    settings = services.home.settings
    with scratch_directory(settings.cache_dir) as directory:
        path = directory / "upload"
        with path.open("wb") as file:
            fields, _, size = await receive_form(request, FIELD, file, settings.submit_size)
        if not size:
            raise missing_file()
        claims = Claims(token.name, url=fields.get("public_url", "")[:2000], ways=BY_REQUEST)
        return CompactJSON(await taken(services, path, claims))


async def taken(services: Services, path: Path, claims: Claims) -> dict[str, object]:
    """Check and store the signature in a file; return the answer to the client.  Raises Problem 400 or 503."""
    try:
        async with services.sandboxes:
            accepted, task = await run_in_threadpool(accept, services, str(path), claims)
    except SubmissionRefused as refused:
        why = f"{refused.refusal.why} ({refused.refusal.where})" if refused.refusal.where else refused.refusal.why
        raise Problem(400, f"the signature is refused: {why}", reason="refused", hint=refused.hint) from None
    except SourceUnreachable as error:
        raise Problem(503, error.sentence, reason="source-unreachable", hint=error.hint) from None
    document: dict[str, object] = {"status": ACCEPTED, "digest": accepted.digest, "trust": str(accepted.trust)}
    return document | ({"task_id": task} if task else {})


def missing_file() -> Problem:
    """Return the refusal of a form without the file."""
    detail = f"Missing formdata parameter '{FIELD}'"
    return Problem(400, detail, reason="invalid", hint="send multipart/form-data: curl -F file=@ID.sig")


def check_is_form(request: Request) -> None:
    """Raise Problem 400 if a request has no body, or a form that cannot have a file."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in ("", "application/x-www-form-urlencoded"):
        raise missing_file()


def parse_taxon(text: str) -> Name:
    """Return the id of a taxon of IMG.  Raises Problem 400."""
    taxon = IMG.parse(text)
    if taxon is None:
        raise Problem(400, f"{shown(text)} is not {IMG.words}", reason="invalid-id", hint=f"such as {IMG.example}")
    return taxon


def accept(services: Services, path: str, claims: Claims) -> tuple[Submission, str]:
    """Check and store a signature; return its submission, and the id of the task that verifies it; empty for none."""
    home = services.home
    shown_as = f"an upload by {claims.submitter}"
    submission, job = submit_and_verify(path, claims, home.ledger, home.settings, shown_as=shown_as)
    return submission, task_id(home.ledger.controls.home_id(), job) if job is not None else ""
