"""Closes reading, if the setting `serve_reading` says so: then each route needs a token with the right `read`.

The guard is around every handler but those that are marked with `unguarded`: they show nothing of the home, or need
another right, which they check (`auth.py`).  A new handler is therefore closed until it is marked.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from wort_cli.web.access_file import Right, Token
from wort_cli.web.auth import HOW, requester
from wort_cli.web.errors import Problem
from wort_cli.web.services import Services

Handler = TypeVar("Handler", bound=Callable[..., Any])
UNGUARDED: set[Callable[..., Any]] = set()
"""The handlers that decide themselves who may use them."""


def unguarded(handler: Handler) -> Handler:
    """Mark a handler that shows nothing of the home, or checks another right."""
    UNGUARDED.add(handler)
    return handler


class ReadingGuard:
    """Answers a request only if its client may read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.  Raises Problem 401, 403 or 429."""
        await check_may_read(Request(scope))
        await self.app(scope, receive, send)


def guard(routes: Sequence[BaseRoute]) -> None:
    """Put the guard around the handlers of routes, but not around those that are unguarded."""
    for route in routes:
        if not isinstance(route, Route):
            raise TypeError(f"no guard for {route!r}")
        if route.endpoint not in UNGUARDED:
            route.app = ReadingGuard(route.app)


async def check_may_read(request: Request) -> Token:
    """Return the token of a client that may read, and count the request.  Raises Problem 401, 403 or 429."""
    token = await requester(request)
    if token is None:
        raise Problem(401, "this server answers only clients with a token", reason="unauthorized", hint=HOW)
    if Right.READ not in token.may:
        raise Problem(403, f"the token {token.name} does not allow this", reason="not-allowed", hint="needed: read")
    services: Services = request.app.state.services
    services.limits.reads.check(token.name, "this token sends too many requests")
    return token


async def may_read(request: Request) -> bool:
    """Return whether a client may read, for a handler that says less to others."""
    services: Services = request.app.state.services
    if not services.home.is_closed:
        return True
    try:
        token = await requester(request)
    except Problem:
        return False
    return token is not None and Right.READ in token.may
