"""Decides who sends a request, and what that client may do.

A client sends a token as `Authorization: Bearer TOKEN`, a browser the cookie of a session; a user and a
password (Basic) are only taken where tokens are given.  `requester` says who it is, for those who read (`reading.py`).
A handler that changes something calls `authorized`, which takes no cookie; of a form it calls `sent_form` (`forms.py`).

401 is what makes clients get a new token, so that one which is wrong or has expired is never answered with 403.  The
sentences are those of the earlier service, which sent no WWW-Authenticate header.
"""

import base64
import binascii
import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from wort_cli.web.access_file import Right, Token, User
from wort_cli.web.errors import Problem
from wort_cli.web.services import Services
from wort_cli.web.sessions import session_of

MAX_HEADER = 4096
NO_TOKEN, NO_SCHEME = "No authorization token provided", "Invalid authorization header"
WRONG_TOKEN, WRONG_PASSWORD = "Provided token is not valid", "Provided authorization is not valid"
HOW = "`wort token add NAME` makes a token; send it as `Authorization: Bearer TOKEN`"


def unauthorized(detail: str) -> Problem:
    """Return the refusal of a request without a valid token or password."""
    return Problem(401, detail, reason="unauthorized", hint=HOW)


def address_of(request: Request) -> str:
    """Return the address of the client."""
    return request.client.host if request.client else ""


def credentials(request: Request) -> tuple[str, str]:
    """Return the scheme, in lower case, and the credentials of a request.  Raises Problem 401."""
    header = request.headers.get("authorization", "")[:MAX_HEADER]
    if not header:
        raise unauthorized(NO_TOKEN)
    scheme, space, value = header.partition(" ")
    if not space or not value.strip():
        raise unauthorized(NO_SCHEME)
    return scheme.lower(), value.strip()


def check_may_change(services: Services) -> None:
    """Raise Problem 403 if the server is read-only."""
    if services.home.options.read_only:
        raise Problem(403, "this server is read-only", reason="read-only", hint="send the request to another server")


async def authorized(request: Request, right: Right) -> Token:
    """Return the token of a request that has a right, and count the request.  Raises Problem 401, 403 or 429."""
    check_may_change(request.app.state.services)
    scheme, secret = credentials(request)
    if scheme != "bearer":
        raise unauthorized(NO_TOKEN)
    return allowed(request, await known_token(request, secret), right)


async def requester(request: Request) -> Token | None:
    """Return the valid token of a request, or what its session allows; None if it has neither.

    Raises Problem 401 for a token that is not valid.
    """
    if not request.headers.get("authorization"):
        found = session_of(request)
        return found[1] if found else None
    scheme, secret = credentials(request)
    return await known_token(request, secret) if scheme == "bearer" else None


def allowed(request: Request, token: Token, right: Right) -> Token:
    """Return a token that has a right, and count its request.  Raises Problem 403 or 429."""
    services: Services = request.app.state.services
    if right not in token.may:
        raise Problem(403, f"the token {token.name} does not allow this", reason="not-allowed", hint=f"needed: {right}")
    services.limits.changes.check(token.name, "this token sends too many requests")
    return token


async def known_token(request: Request, secret: str) -> Token:
    """Return the valid token of a secret, which nobody can guess.  Raises Problem 401."""
    services: Services = request.app.state.services
    access = await run_in_threadpool(services.access.read)
    token = access.token(secret, time.time())
    if token is None:
        raise unauthorized(WRONG_TOKEN)
    return token


async def known_user(request: Request, value: str) -> User:
    """Return the user of Basic credentials.  Raises Problem 401, or 429 if an address tries many."""
    services: Services = request.app.state.services
    try:
        name, colon, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise unauthorized(NO_SCHEME) from None
    address = address_of(request)
    services.limits.failures.check(address, "too many wrong passwords")
    user = await user_of(request, name, password) if colon else None
    if user is None:
        raise unauthorized(WRONG_PASSWORD)
    services.limits.failures.wait(address, -1.0)  # it was not a failure
    return user


async def user_of(request: Request, name: str, password: str) -> User | None:
    """Return the user of a name and a password; None if they are wrong."""
    services: Services = request.app.state.services
    access = await run_in_threadpool(services.access.read)
    async with services.password_checks:  # scrypt takes 16 MB and a tenth of a second
        return await run_in_threadpool(access.user, name, password)
