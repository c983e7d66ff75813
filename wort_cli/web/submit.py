"""`POST /v1/submit/{db}/{id}` takes a signature that somebody else made, as `wort submit` does.

It is checked in the sandbox, stored apart as unverified, and a verification is queued.  One of a taxon of IMG stays
unverified, because IMG has no archive of its reads.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.api.submitting import submit_and_verify
from wort_cli.errors import shown
from wort_cli.model.accession import Name
from wort_cli.model.submission import Submission
from wort_cli.reading.refusal import SubmissionRefused
from wort_cli.submission.intake import Claims, SourceUnreachable
from wort_cli.system.temporary import scratch_directory
from wort_cli.web.access_file import Right
from wort_cli.web.auth import authorized
from wort_cli.web.compute import parse_run
from wort_cli.web.databases import IMG, SRA
from wort_cli.web.errors import CompactJSON, Problem
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services
from wort_cli.web.task_id import task_id
from wort_cli.web.upload import receive_file
from wort_cli.web.view import NO_DATABASE

FIELD = "file"
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
        try:
            async with services.sandboxes:
                accepted, job = await run_in_threadpool(accept, services, str(path), name, token.name)
        except SubmissionRefused as refused:
            why = f"{refused.refusal.why} ({refused.refusal.where})" if refused.refusal.where else refused.refusal.why
            raise Problem(400, f"the signature is refused: {why}", reason="refused", hint=refused.hint) from None
        except SourceUnreachable as error:
            raise Problem(503, error.sentence, reason="source-unreachable", hint=error.hint) from None
    document: dict[str, object] = {"status": ACCEPTED, "digest": accepted.digest, "trust": str(accepted.trust)}
    if job is not None:
        document["task_id"] = task_id(await run_in_threadpool(home_id, services), job)
    return CompactJSON(document, 202)


def check_is_form(request: Request) -> None:
    """Raise Problem 400 if a request has no body, or a form that cannot have a file."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type in ("", "application/x-www-form-urlencoded"):
        detail = f"Missing formdata parameter '{FIELD}'"
        raise Problem(400, detail, reason="invalid", hint="send multipart/form-data: curl -F file=@ID.sig")


def parse_taxon(text: str) -> Name:
    """Return the id of a taxon of IMG.  Raises Problem 400."""
    taxon = IMG.parse(text)
    if taxon is None:
        raise Problem(400, f"{shown(text)} is not {IMG.words}", reason="invalid-id", hint=f"such as {IMG.example}")
    return taxon


def home_id(services: Services) -> str:
    """Return the id of the home."""
    return services.home.ledger.controls.home_id()


def accept(services: Services, path: str, name: Name, submitter: str) -> tuple[Submission, int | None]:
    """Check and store a signature; return its submission, and the job that verifies it."""
    home = services.home
    return submit_and_verify(
        path, Claims(submitter, name), home.ledger, home.settings, shown_as=f"an upload by {submitter}"
    )
