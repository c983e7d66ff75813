"""Headers of every response: what a browser may do with it, and who may read it.

Reads are open to pages of other sites (CORS `*`, never with credentials), unless reading is closed; nothing else is.
"""

from collections.abc import Mapping, Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READS = ("GET", "HEAD")
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
REDIRECTS = (301, 302, 303, 307, 308)
NO_GUESSING = {"X-Content-Type-Options": "nosniff"}
FOR_CONTENT = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
FOR_OTHER_SITES = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Range, ETag, Location, Retry-After, Wort-Trust",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match, If-Range, Range",
    "Access-Control-Max-Age": "86400",
}
PRIVATE = {"Cache-Control": "private, no-cache"}
"""If reading is closed, no cache that others share may keep a response."""
STRICT_TRANSPORT = "max-age=31536000"

VARY = (b"vary", b"Authorization, Cookie")
Headers = list[tuple[bytes, bytes]]


def encoded(headers: Mapping[str, str]) -> Headers:
    """Return headers as ASGI has them."""
    return [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def with_names(headers: Headers) -> tuple[Headers, frozenset[bytes]]:
    """Return headers, and their names."""
    return headers, frozenset(name for name, _ in headers)


class SecurityHeaders:
    """Adds the headers, and answers OPTIONS with the methods that a path has."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], *, tls: bool = False, closed: bool = False) -> None:
        self.app = app
        self._routes = routes
        fixed = NO_GUESSING | ({"Strict-Transport-Security": STRICT_TRANSPORT} if tls else {})
        of_reads = PRIVATE if closed else FOR_OTHER_SITES
        self._for_others = {} if closed else FOR_OTHER_SITES | PREFLIGHT
        self._of_changes = with_names(encoded(fixed | FOR_CONTENT))
        self._of_reads = with_names(encoded(fixed | FOR_CONTENT | of_reads))
        self._of_redirected_reads = with_names(encoded(fixed | of_reads))
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method = scope["method"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = self.without_replaced(message["headers"])
                added, names = self.added(method, message["status"])
                present = {name for name, _ in headers}
                missing = added if names.isdisjoint(present) else [pair for pair in added if pair[0] not in present]
                message["headers"] = [*headers, *missing]
            await send(message)

        if method == "OPTIONS" and (methods := self.methods_of(scope)):
            answer = {"Allow": ", ".join(sorted({*methods, "OPTIONS"})), "Content-Length": "0"}
            if "GET" in methods:
                answer |= self._for_others
            await send_with_headers({"type": "http.response.start", "status": 200, "headers": encoded(answer)})
            await send({"type": "http.response.body", "body": b""})
            return
        await self.app(scope, receive, send_with_headers)

    def added(self, method: str, status: int) -> tuple[Headers, frozenset[bytes]]:
        """Return the headers of a response, and their names; a browser shows nothing of a redirect."""
        if method not in READS:
            return self._of_changes
        return self._of_redirected_reads if status in REDIRECTS else self._of_reads

    def without_replaced(self, headers: Headers) -> Headers:
        """Return headers; if reading is closed, without what lets caches that others share keep a response."""
        if not self._closed:
            return headers
        kept = (b"no-store", b"immutable")  # nothing is stored; the static files are for everybody
        found = [pair for pair in headers if pair[0] != b"cache-control" or any(word in pair[1] for word in kept)]
        return [*found, VARY]

    def methods_of(self, scope: Scope) -> set[str]:
        """Return the methods of the routes that a path matches."""
        matching = [r for r in self._routes if isinstance(r, Route) and r.matches(scope)[0] is not Match.NONE]
        return {method for route in matching for method in route.methods or ()}
