"""Forms that change something: who sends them, and whether a page of this server made them.

A form is refused unless the browser says that a page of this server sent it (`Sec-Fetch-Site`, or `Origin` of older
ones), the cookie is that of a session, and the form has the token of that session.
"""

import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.requests import Request

from wort_cli.web.access_file import Right, Token
from wort_cli.web.auth import check_may_change
from wort_cli.web.bodies import read_body
from wort_cli.web.errors import Problem
from wort_cli.web.services import Services
from wort_cli.web.sessions import Session, session_of

CSRF = "csrf"
"""The field of every form."""
MOST_FIELDS = 30
LOCAL_PATH = re.compile(r"/(?:[A-Za-z0-9?._~!$&'()*+,;=:@%-][A-Za-z0-9?._~!$&'()*+,;=:@%/-]*)?")
"""A path of this server with its query: no second slash, behind which another host would be."""
SEND_AGAIN = "open the page again, and send its form"


@dataclass(frozen=True)
class Sent:
    """A form from a client that has signed in."""

    session: Session
    token: Token
    fields: dict[str, str]

    def get(self, name: str, most: int = 300) -> str:
        """Return a field; empty if it is missing.  Raises Problem if it is too long."""
        return field_of(self.fields, name, most)


def field_of(fields: dict[str, str], name: str, most: int = 300) -> str:
    """Return a field; empty if it is missing.  Raises Problem if it is too long."""
    value = fields.get(name, "").strip()
    if len(value) > most:
        raise Problem(400, f"the field {name} has more than {most} characters", reason="invalid")
    return value


def check_same_origin(request: Request) -> None:
    """Raise Problem 403 unless a page of this server sent the form."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    is_own = site == "same-origin" if site is not None else origin is not None and origin.lower() == own.lower()
    if not is_own:
        raise Problem(403, "the form was not sent by a page of this server", reason="foreign-form", hint=SEND_AGAIN)


def signed_in(request: Request, right: Right | None = None) -> tuple[Session, Token]:
    """Return the session of a form, which a page of this server has sent.  Raises Problem 403."""
    services: Services = request.app.state.services
    check_same_origin(request)
    found = session_of(request)
    if found is None:
        raise Problem(403, "you are not signed in", reason="not-signed-in", hint="sign in, and send the form again")
    token = found[1]
    if right is not None:
        check_may_change(services)
        if right not in token.may:
            raise Problem(403, f"{token.name} may not do this", reason="not-allowed", hint=f"the right is: {right}")
        services.limits.changes.check(token.name, "you send too many forms")
    return found


def check_token(session: Session, fields: dict[str, str]) -> None:
    """Raise Problem 403 unless a form has the token of its session."""
    if not hmac.compare_digest(fields.get(CSRF, "").encode(), session.csrf.encode()):
        detail = "the form is not of the session in which you are signed in"
        raise Problem(403, detail, reason="foreign-form", hint=SEND_AGAIN)


async def sent_form(request: Request, right: Right | None = None) -> Sent:
    """Return a form that may be acted on.  Raises Problem."""
    session, token = signed_in(request, right)
    fields = await read_fields(request)
    check_token(session, fields)
    return Sent(session, token, fields)


async def read_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form, the first of each name.  Raises Problem if the body is no form."""
    body = await read_body(request)
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Problem(400, "this is not a form", reason="invalid") from None
    return {name: values[0] for name, values in found.items()}


def local_path(text: str) -> str:
    """Return a path of this server to which a browser may be sent; `/` if the text is not one."""
    return text if len(text) <= 2000 and LOCAL_PATH.fullmatch(text) else "/"
