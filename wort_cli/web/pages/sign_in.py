"""Signing in, with a token, with a password, or once with the link that the server printed; and signing out."""

import time
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from wort_cli.web.access_file import Access
from wort_cli.web.auth import address_of, user_of
from wort_cli.web.errors import Problem
from wort_cli.web.forms import check_same_origin, field_of, local_path, read_fields, sent_form
from wort_cli.web.pages.redirect import to
from wort_cli.web.pages.rendering import answer, render
from wort_cli.web.reading import unguarded
from wort_cli.web.services import Services
from wort_cli.web.sessions import By, cookie_name, key_of, session_of, set_cookie

MOST = 1000
"""Characters of a token or a password."""


@dataclass(frozen=True)
class SignInPage:
    """The page at which one signs in."""

    signed_in: str
    """The name of who has signed in; empty if nobody has."""
    may: tuple[str, ...]
    expires_at: float | None
    has_link: bool
    """Whether the server has printed a link that was not used."""
    is_local: bool
    """Whether only this machine can reach the server."""
    link: str = field(default="", repr=False)
    """The secret of the link that was opened."""
    then: str = "/"
    """Where to go then."""
    why: str = ""
    """Why it failed."""
    name: str = ""

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return {"signed_in": self.signed_in or None, "may": list(self.may)}


def sign_in_page(request: Request, **values: Any) -> SignInPage:
    """Return the page."""
    services: Services = request.app.state.services
    found, options = session_of(request), services.home.options
    given = {"link": request.query_params.get("link", "")[:100], "then": local_path(request.query_params.get("to", ""))}
    return SignInPage(
        signed_in=found[1].name if found else "",
        may=tuple(map(str, found[1].may)) if found else (),
        expires_at=found[0].expires_at if found else None,
        has_link=bool(services.sessions.link),
        is_local=options.has_link,
        **{**given, **values},
    )


@unguarded
def sign_in(request: Request) -> Response:
    """Answer with the page at which one signs in."""
    response = answer(request, "sign_in.html", sign_in_page(request))
    response.headers["Cache-Control"] = "no-store"
    return response


@unguarded
async def signed_in(request: Request) -> Response:
    """Sign in, and go where one wanted to."""
    services: Services = request.app.state.services
    check_same_origin(request)
    fields = await read_fields(request)
    then, name = local_path(field_of(fields, "to", 2000)), field_of(fields, "user", 100)
    token, password, link = (field_of(fields, key, MOST) for key in ("token", "password", "link"))
    try:
        secret = await begin_session(request, link, token, name, password)
    except Problem as problem:
        if problem.status != 401:
            raise
        page = sign_in_page(request, why=problem.detail, then=then, name=name)
        return await run_in_threadpool(render, request, "sign_in.html", 403, page=page)
    services.sessions.end(request.cookies.get(cookie_name(request), ""))
    response = to(request, then, 303)
    set_cookie(request, response, secret)
    return response


async def begin_session(request: Request, link: str, token: str, name: str, password: str) -> str:
    """Begin a session; return the secret of its cookie.  Raises Problem 401, or 429 if an address tries many."""
    services: Services = request.app.state.services
    sessions, failures, address = services.sessions, services.limits.failures, address_of(request)
    failures.check(address, "too many wrong tokens or passwords")
    if link:
        secret = sessions.begin_with_link(link)
        if not secret:
            raise Problem(401, "the link was used, or is of an earlier start of the server", reason="unauthorized")
    elif token:
        access: Access = await run_in_threadpool(services.access.read)
        found = access.token(token, time.time())
        if found is None:
            raise Problem(
                401, "the token is not valid: it is wrong, has expired, or was revoked", reason="unauthorized"
            )
        secret = sessions.begin(By.TOKEN, found.sha256, found.expires_at)
    elif name and password:
        user = await user_of(request, name, password)
        if user is None:
            raise Problem(401, "the name or the password is wrong", reason="unauthorized")
        secret = sessions.begin(By.PASSWORD, key_of(user))
    else:
        raise Problem(401, "give a token, or a name and a password", reason="unauthorized")
    failures.wait(address, -1.0)  # it was not a failure
    return secret


@unguarded
async def sign_out(request: Request) -> Response:
    """End the session."""
    await sent_form(request)
    services: Services = request.app.state.services
    services.sessions.end(request.cookies.get(cookie_name(request), ""))
    response = to(request, "/", 303)
    set_cookie(request, response, "")
    return response
