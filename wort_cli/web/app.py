"""The ASGI application: its routes, and what each request passes through.

A request passes through, from outside to inside: the access log, the security headers, the limit of its address,
the router, a handler.  Each
module with handlers has a function `routes`; those of the pages are in `pages/`.
"""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router

from wort_cli.errors import WortError
from wort_cli.web import (
    compute,
    events,
    health,
    job_changes,
    jobs,
    manifest,
    openapi,
    pages,
    status,
    submit,
    tokens,
    view,
)
from wort_cli.web.access_log import AccessLog, write_to_stderr
from wort_cli.web.errors import Problem, as_problem
from wort_cli.web.headers import SecurityHeaders
from wort_cli.web.limits import RateLimited
from wort_cli.web.pages.error_page import error_page, wants_page
from wort_cli.web.pages.shared import Pages
from wort_cli.web.reading import guard
from wort_cli.web.served_home import ServedHome
from wort_cli.web.services import Services
from wort_cli.web.strict import StrictRequests

REFUSALS = (Problem, WortError, HTTPException, Exception)
"""The errors for which `refuse` is called."""


def all_routes() -> list[BaseRoute]:
    """Return all routes.  The first that matches a path answers: the interface comes before the pages."""
    parts = (view, manifest, compute, submit, tokens, status, jobs, job_changes, events, health, openapi, pages)
    return [route for part in parts for route in part.routes()]


async def refuse(request: Request, error: Exception) -> Response:
    """Return the response to a refusal: a page for a browser, else a problem document."""
    problem = as_problem(error)
    return error_page(request, problem) if wants_page(request) else problem.response


def make_app(
    home: ServedHome, services: Services | None = None, write: Callable[[str], object] = write_to_stderr
) -> AccessLog:
    """Return the application that serves a home; by default with services of its own.

    write: writes lines of the access log
    """
    routes = all_routes()
    if home.is_closed:
        guard(routes)
    app = Starlette(routes=routes, exception_handlers=dict.fromkeys(REFUSALS, refuse))
    router: Router = app.router
    router.redirect_slashes = False
    app.state.home = home
    services = services or Services.of(home)
    app.state.services = services
    app.state.pages = Pages(home)
    limited = RateLimited(StrictRequests(app), services.limits)
    return AccessLog(SecurityHeaders(limited, routes, tls=home.options.has_tls, closed=home.is_closed), write)
