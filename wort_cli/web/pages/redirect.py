"""Redirects of the pages."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from wort_cli.web.pages.shared import pages_of
from wort_cli.web.pages.viewer import NOTICE
from wort_cli.web.sessions import Session


def to(request: Request, path: str, status: int, query: str = "") -> Response:
    """Redirect to a path of this server."""
    address = f"{request.scope.get('root_path', '')}{path}" + (f"?{query}" if query else "")
    return RedirectResponse(address, status)


def done(request: Request, session: Session, path: str, message: str) -> Response:
    """Redirect to the page that shows what a form has done; the page says it."""
    pages_of(request).forget_daemon()
    path, hash_sign, anchor = path.partition("#")
    key = f"{NOTICE}={session.notice(message)}"
    return to(request, f"{path}{'&' if '?' in path else '?'}{key}{hash_sign}{anchor}", 303)
