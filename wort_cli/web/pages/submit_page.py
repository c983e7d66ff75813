"""The page at which one submits a signature that was made elsewhere, and the form on it."""

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from wort_cli.errors import shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.profile import SRA_V1
from wort_cli.model.units import iso_time
from wort_cli.reading.checks import Check
from wort_cli.reading.strict import recipe
from wort_cli.submission.intake import URL, Claims, Ways
from wort_cli.system.temporary import scratch_directory
from wort_cli.web.access_file import Right
from wort_cli.web.databases import DATABASES, database_of
from wort_cli.web.errors import Problem
from wort_cli.web.forms import check_token, field_of, signed_in
from wort_cli.web.limits import too_often
from wort_cli.web.pages.redirect import done
from wort_cli.web.pages.rendering import answer
from wort_cli.web.pages.shared import pages_of
from wort_cli.web.pages.viewer import viewer_of
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services
from wort_cli.web.submit import submit_named
from wort_cli.web.upload import receive_form

OWN = 10
"""Intakes of a submitter that the page lists."""
BY_FORM = Ways(
    "give the accession in the field Run, or the address of the data in the field URL of the reads",
    "leave the field Run empty if the name is right",
)
MAX_ORIGIN = 100
"""Characters of the name of a file that are kept."""


@dataclass(frozen=True)
class OwnIntake:
    """An intake of who looks at the page."""

    id: str
    origin: str
    received_at: str | None
    state: str
    name: str


@dataclass(frozen=True)
class SubmitPage:
    """The content of the page."""

    max_bytes: int
    newest: tuple[OwnIntake, ...]

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return asdict(self)


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route("/submit", submit_page), Route("/submit", submitted, methods=["POST"])]


def own_intakes(ledger: Ledger, submitter: str) -> tuple[OwnIntake, ...]:
    """Return the newest intakes of a submitter."""
    newest = ledger.intakes.newest(submitter, OWN) if submitter else []
    return tuple(OwnIntake(one.id, one.origin, iso_time(one.received_at), str(one.state), one.name) for one in newest)


def submit_page(request: Request) -> Response:
    """Answer with the page."""
    pages = pages_of(request)
    page = SubmitPage(pages.home.settings.submit_size, own_intakes(pages.ledger, viewer_of(request).name))
    return answer(request, "submit.html", page, checks=tuple(Check), recipe=recipe(SRA_V1, "SRR139146"))


@unguarded
async def submitted(request: Request) -> Response:
    """Take a signature: the file in the form, or what is at its URL; redirect to the page of the intake."""
    if "authorization" in request.headers:
        return await submit_named(request)
    services: Services = request.app.state.services
    session, token = signed_in(request, Right.SUBMIT)
    intakes, settings = services.intakes, services.home.settings
    if intakes.is_full:
        raise too_often("many signatures are being checked", 30.0)
    with ExitStack() as held:
        path = held.enter_context(scratch_directory(settings.cache_dir)) / "upload"
        with path.open("wb") as file:
            fields, file_name, size = await receive_form(request, "file", file, settings.submit_size)
        check_token(session, fields)
        url, has_file = field_of(fields, "from", 2000), bool(file_name or size)
        if bool(url) == has_file:
            detail = "choose a file or give its URL, not both" if url else "choose a file, or give its URL"
            raise Problem(400, detail, reason="invalid")
        if url and not URL.match(url):
            raise Problem(400, f"{shown(url)} is not a URL", reason="invalid", hint="a URL begins with https://")
        name = name_in(field_of(fields, "accession"))
        claims = Claims(token.name, name, field_of(fields, "url", 2000), BY_FORM)
        origin = url or printable_name(file_name)
        intake = await intakes.begin(claims, origin, url or str(path), held.pop_all())
    message = "The signature has arrived. You may leave this page: its address stays."
    return done(request, session, f"/submission/{intake.id}/", message)


def name_in(text: str) -> Name | None:
    """Return the id that a form names; None if it names none.  Raises Problem 400."""
    if not text:
        return None
    upper = text.upper() if text.isascii() else text
    database = database_of(upper)
    if database is None:
        wanted = "; ".join(one.words for one in DATABASES.values())
        raise Problem(400, f"{shown(text)} is not an id of a database", reason="invalid-accession", hint=wanted)
    return database.parse(upper)


def printable_name(name: str) -> str:
    """Return the name of a file as it is recorded."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "?" for c in last[:MAX_ORIGIN]) or "a file"
