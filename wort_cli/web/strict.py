"""Refuses requests that the HTTP library takes, and no client of good will sends.

Two servers could read such a request differently, or its size is only there to use memory.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from wort_cli.web.errors import Problem

MAX_HEAD = 32 * 1024
"""Bytes of the head of a request."""
MAX_HEADERS = 100
MAX_TARGET = 16 * 1024
"""Bytes of a path with its query."""
HOST = re.compile(rb"[A-Za-z0-9._~-]*(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
VERSIONS = ("1.0", "1.1")
CLOSE = {"Connection": "close"}


class StrictRequests:
    """Answers only requests that have nothing odd in their head."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it and close the connection."""
        problem = oddity_of(scope) if scope["type"] == "http" else None
        await (self.app if problem is None else problem.response)(scope, receive, send)


def oddity_of(scope: Scope) -> Problem | None:
    """Return the refusal of a request whose head is odd; None if it is not."""
    if scope["http_version"] not in VERSIONS:
        return odd(505, "the server speaks HTTP/1.1")
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET:
        return odd(414, f"a path with its query has at most {MAX_TARGET} bytes")
    headers = scope["headers"]
    names = {name for name, _ in headers}
    if b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0"):
        return odd(400, "a body in chunks has no length, and HTTP/1.0 no chunks")
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEAD:
        return odd(431, f"a request has at most {MAX_HEADERS} headers of {MAX_HEAD} bytes")
    for name, value in headers:
        if name == b"host" and not HOST.fullmatch(value):
            return odd(400, "the header Host is not the name of a host")
    return None


def odd(status: int, detail: str) -> Problem:
    """Return the refusal of a request whose head is odd."""
    return Problem(status, detail, reason="invalid", headers=CLOSE)
