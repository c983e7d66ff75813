"""The viewer of a page: the client that requested it, and what the page offers to it."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from starlette.requests import Request

from wort_cli.web.access_file import Right
from wort_cli.web.services import Services
from wort_cli.web.sessions import session_of

NOTICE = "notice"
"""The key in the query of a URL under which the session has the message of what was done."""


@dataclass(frozen=True)
class Viewer:
    """The client that requested a page; `name` is empty if it has not signed in."""

    name: str = ""
    rights: Collection[Right] = ()
    csrf: str = ""
    """The token of the forms."""
    notice: str = ""
    """The result of the form that led to the page."""
    is_read_only: bool = False
    is_closed: bool = False
    """Whether reading needs a sign-in."""
    here: str = "/"
    """The page, as a path of this server, to which a form or the sign-in leads back."""

    def may(self, right: str) -> bool:
        """Return whether the page offers what needs a right."""
        return not self.is_read_only and right in self.rights

    @property
    def may_sign_in(self) -> bool:
        """Whether the page offers to sign in."""
        return not self.name and (self.is_closed or not self.is_read_only)


def viewer_of(request: Request) -> Viewer:
    """Return who looks at a page."""
    services: Services = request.app.state.services
    server = Viewer(
        is_read_only=services.home.options.read_only, is_closed=services.home.is_closed, here=path_of(request)
    )
    found = session_of(request)
    if found is None:
        return server
    session, token = found
    notice = session.notices.get(request.query_params.get(NOTICE, ""), "")
    return replace(server, name=token.name, rights=token.may, csrf=session.csrf, notice=notice)


def path_of(request: Request) -> str:
    """Return the path and the query of a page, below the root path and without what was done."""
    path = quote(request.url.path.removeprefix(request.scope.get("root_path", "")))
    kept = [(key, value) for key, value in request.query_params.multi_items() if key not in (NOTICE, "format")]
    return f"{path}?{urlencode(kept)}" if kept else path
