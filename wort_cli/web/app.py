"""The ASGI application: its routes, and what each request passes through.

A request passes through, from outside to inside: the access log, the security headers, the limit of its address,
the router, a handler.  Each
module with handlers has a function `routes`; those of the pages are in `pages/`.
"""

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp

from wort_cli.web import compute, events, health, jobs, manifest, openapi, pages, status, submit, tokens, view
from wort_cli.web.access_log import AccessLog
from wort_cli.web.errors import HANDLERS, problem_response
from wort_cli.web.headers import SecurityHeaders
from wort_cli.web.limits import RateLimited
from wort_cli.web.served_home import ServedHome
from wort_cli.web.services import Services


def all_routes() -> list[BaseRoute]:
    """Return all routes.  The first that matches a path answers: the interface comes before the pages."""
    parts = (view, manifest, compute, submit, tokens, status, jobs, events, health, openapi, pages)
    return [route for part in parts for route in part.routes()]


def make_app(home: ServedHome, services: Services | None = None) -> ASGIApp:
    """Return the application that serves a home; by default with services of its own."""
    routes = all_routes()
    app = Starlette(routes=routes, exception_handlers={**HANDLERS, Exception: problem_response})
    router: Router = app.router
    router.redirect_slashes = False
    app.state.home = home
    services = services or Services.of(home)
    app.state.services = services
    return AccessLog(SecurityHeaders(RateLimited(app, services.limits), routes, tls=home.options.has_tls))
