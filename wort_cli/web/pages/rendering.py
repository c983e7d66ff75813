"""Writes pages as HTML or JSON.

Everything that a template writes is escaped, and characters that control a terminal or the direction of text are
written as they are in Python: names, reasons and messages come from outside.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from wort_cli import __version__
from wort_cli.errors import printable
from wort_cli.model.failure import Reason
from wort_cli.model.units import format_bases, format_bytes, format_count, format_duration, format_share, iso_time
from wort_cli.web.pages.places import page_path
from wort_cli.web.pages.static_files import address_of
from wort_cli.web.pages.viewer import viewer_of

TEMPLATES = Path(__file__).with_name("templates")
HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept, Cookie"}
PRIVATE = HEADERS | {"Cache-Control": "private, no-cache"}
"""Headers of a page that was made for one client."""


def visible(value: Any) -> Any:
    """Return what a template writes of a value: control characters are shown, None is nothing."""
    if value is None:
        return ""
    if isinstance(value, Markup) or not isinstance(value, str) or value.isprintable():
        return value
    return "\n".join(map(printable, value.split("\n")))


def moment(iso: str | None) -> str:
    """Return a time in ISO 8601 as an element for people: to the minute, in UTC."""
    if not iso:
        return ""
    return Markup('<time datetime="{0}" title="{0}">{1} {2} UTC</time>').format(iso, iso[:10], iso[11:16])


def minute(iso: str | None) -> str:
    """Return a time in ISO 8601 as an element, to the minute; where it stands says that it is in UTC."""
    if not iso:
        return ""
    return Markup('<time class="wraps" datetime="{0}" title="{0}"><span>{1}</span> <span>{2}</span></time>').format(
        iso, iso[:10], iso[11:16]
    )


def day(iso: str | None) -> str:
    """Return the day of a time in ISO 8601 as an element."""
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(iso, iso[:10]) if iso else ""


def capitalize_first(text: str) -> str:
    """Return a sentence with a capital letter; the rest stays."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Return a sentence without its capital letter; an abbreviation keeps it."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def ticks(text: str) -> Markup:
    """Return a text whose commands are elements, instead of between backticks."""
    parts = [escape(visible(part)) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return Markup("`").join(parts)
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def query_of(values: Mapping[str, Any]) -> str:
    """Return those values that are there as the query of a URL."""
    return urlencode({key: value for key, value in values.items() if value})


def sentence_of(reason: str) -> str:
    """Return a reason as a sentence."""
    return Reason(reason).sentence


@cache
def environment() -> Environment:
    """Return the environment of the templates."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "moment": moment,
        "minute": minute,
        "day": day,
        "size": format_bytes,
        "bases": format_bases,
        "count": format_count,
        "share": format_share,
        "duration": format_duration,
        "path": page_path,
        "epoch": iso_time,
        "capitalize_first": capitalize_first,
        "lower_first": lower_first,
        "query": query_of,
        "ticks": ticks,
        "sentence": sentence_of,
    }
    made.globals |= {"asset": address_of, "version": __version__}
    return made


def wants_json(request: Request) -> bool:
    """Return whether a client wants the JSON twin of a page."""
    accepted = request.headers.get("accept", "")
    asked = request.query_params.get("format", "")
    return asked == "json" or (not asked and "application/json" in accepted and "text/html" not in accepted)


def base_url(request: Request) -> str:
    """Return the URL of the server, as its clients see it, without a slash at the end."""
    return str(request.base_url).rstrip("/")


def render(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page as HTML."""
    root = request.scope.get("root_path", "")
    viewer = viewer_of(request)
    shared = {
        "viewer": viewer,
        "root": root,
        "origin": base_url(request),
        "here": request.url.path,
        "twin": f"{quote(request.url.path)}?{request.url.include_query_params(format='json').query}",
        "still": f"?{request.url.include_query_params(still=1).query}",
        "reload": "still" not in request.query_params,
    }
    text = environment().get_template(template).render(**shared, **values)
    return HTMLResponse(text, status, PRIVATE if viewer.name else HEADERS)


def render_as(request: Request, template: str, media_type: str, headers: Mapping[str, str], **values: Any) -> Response:
    """Return something that is no HTML page."""
    text = environment().get_template(template).render(origin=base_url(request), **values)
    return Response(text, 200, dict(headers), media_type)


def answer(request: Request, template: str, page: Any, status: int = 200, **values: Any) -> Response:
    """Return a page as JSON, if the client wants that, else as HTML."""
    if wants_json(request):
        return JSONResponse(page.document(), status, HEADERS)
    return render(request, template, status, page=page, **values)
