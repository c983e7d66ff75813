"""The access log: a JSON line for each request, on stderr or in a file.

A line has no query, no header and no body, because these may hold secrets.  Lines are collected for a twentieth of a
second and then written at once; Python's logging would take longer than most answers.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as quoted

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_PATH = 500
"""Characters of a path."""
DELAY = 0.05
"""Seconds for which lines are collected."""


def write_to_stderr(text: str) -> None:
    """Write lines to stderr."""
    sys.stderr.write(text)
    sys.stderr.flush()


class AccessLog:
    """Logs each request when its response has been sent, or the client has left."""

    def __init__(self, app: ASGIApp, write: Callable[[str], object] = write_to_stderr) -> None:
        self.app = app
        self._write = write
        self._lines: list[str] = []
        self._second, self._time = 0, ""

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
            milliseconds = (time.perf_counter() - started) * 1000
            line = (
                f'{{"time": "{self._now()}", "client": {quoted(client[0] if client else "")}, '
                f'"method": {quoted(scope["method"][:20])}, "path": {quoted(scope["path"][:LONGEST_PATH])}, '
                f'"status": {status}, "bytes": {size}, "complete": {"true" if complete else "false"}, '
                f'"ms": {milliseconds:.1f}}}'
            )
            if not self._lines:
                asyncio.get_running_loop().call_later(DELAY, self.flush)
            self._lines.append(line.replace("\x7f", "\\u007f"))

    def _now(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._time = second, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
        return self._time

    def flush(self) -> None:
        """Write the lines that were collected."""
        lines, self._lines = self._lines, []
        if lines:
            self._write("\n".join(lines) + "\n")
