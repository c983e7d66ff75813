"""The access log: a JSON line for each request, on stderr.

A line has no query, no header and no body, because these may hold secrets.
"""

import json
import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("wort.serve.access")
LONGEST_PATH = 500
"""Characters of a path."""


class AccessLog:
    """Logs each request when its response has been sent, or the client has left."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = size = 0
        complete = False

        async def send_and_count(message: Message) -> None:
            nonlocal status, size, complete
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                size += len(message.get("body", b""))
                complete = not message.get("more_body", False)
            await send(message)

        try:
            await self.app(scope, receive, send_and_count)
        finally:
            client = scope.get("client")
            LOG.info(
                json.dumps(
                    {
                        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                        "client": client[0] if client else "",
                        "method": scope["method"][:20],
                        "path": scope["path"][:LONGEST_PATH],
                        "status": status,
                        "bytes": size,
                        "complete": complete,
                        "ms": round((time.perf_counter() - started) * 1000, 1),
                    }
                )
            )
