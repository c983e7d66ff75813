"""Takes the client's address and scheme from the reverse proxy through which all requests come.

The proxy has one address for all its clients, so that requests are counted by the address that it names: each takes one
connection as long as it runs.
"""

import ipaddress
from collections import Counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from wort_cli.web import protocol
from wort_cli.web.limits import too_often


class BehindProxy:
    """Replaces the address of the proxy by the one that it names last; what stands before it, the client can write."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.running: Counter[str] = Counter()
        """The requests of each client that run."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            address = (headers.getlist("x-forwarded-for") or [""])[-1].rpartition(",")[2].strip()
            if is_address(address):
                scope["client"] = (address, 0)
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers["x-forwarded-proto"]
            if is_address(address):
                await self._answer_one(address, scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _answer_one(self, address: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of a client, unless too many of it run."""
        if self.running[address] >= protocol.MAX_CONNECTIONS_OF_A_CLIENT:
            problem = too_often("this address has too many connections", 10.0)
            problem.status = 503
            await problem.response(scope, receive, send)
            return
        self.running[address] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.running[address] -= 1
            if not self.running[address]:
                del self.running[address]


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
