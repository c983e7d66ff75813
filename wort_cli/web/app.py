"""The ASGI application: its routes, and what each request passes through.

A request passes through, from outside to inside: the access log, the security headers, the router, a handler.  Each
module with handlers has a function `routes`; those of the pages are in `pages/`.
"""

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp

from wort_cli.web import manifest, pages, view
from wort_cli.web.access_log import AccessLog
from wort_cli.web.errors import HANDLERS, problem_response
from wort_cli.web.headers import SecurityHeaders
from wort_cli.web.served_home import ServedHome
from wort_cli.web.services import Services


def all_routes() -> list[BaseRoute]:
    """Return all routes.  The first that matches a path answers: the interface comes before the pages."""
    return [*view.routes(), *manifest.routes(), *pages.routes()]


def make_app(home: ServedHome) -> ASGIApp:
    """Return the application that serves a home."""
    routes = all_routes()
    app = Starlette(routes=routes, exception_handlers={**HANDLERS, Exception: problem_response})
    router: Router = app.router
    router.redirect_slashes = False
    app.state.home = home
    app.state.services = Services.of(home)
    return AccessLog(SecurityHeaders(app, routes, tls=home.options.has_tls))
