"""Sends a file that is open, or a part of it, in constant memory."""

import functools
from collections.abc import Mapping
from email.utils import formatdate
from typing import IO

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wort_cli.web.errors import Problem
from wort_cli.web.ranges import wanted_part

BLOCK = 1 << 18
"""Bytes that are read at once."""


class OpenFileResponse(Response):
    """Sends `length` bytes of a file from `start`, and closes it.  The headers are complete."""

    def __init__(self, file: IO[bytes], status: int, headers: Mapping[str, str], start: int, length: int) -> None:
        super().__init__(None, status)
        self.init_headers({**headers, "Content-Length": str(length)})
        self._file, self._start, self._left = file, start, length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD" or self._left == 0:
                await send({"type": "http.response.body", "body": b""})
                return
            if self._start:
                self._file.seek(self._start)
            while self._left > 0:
                block = await run_in_threadpool(functools.partial(self._file.read, min(BLOCK, self._left)))
                if not block:
                    raise OSError("the file became shorter while it was sent")
                self._left -= len(block)
                await send({"type": "http.response.body", "body": block, "more_body": self._left > 0})
        finally:
            with anyio.CancelScope(shield=True):
                self._file.close()


def file_response(
    request: Request, file: IO[bytes], size: int, *, sha256: str, changed_at: float, headers: Mapping[str, str]
) -> Response:
    """Return the response with an open file, whole or in part, as the request wants it.

    sha256: of its bytes; it is the ETag
    changed_at: in seconds since 1970
    headers: Content-Type, and Content-Encoding if the file has one
    """
    etag = f'"{sha256}"'
    common = {
        "ETag": etag,
        "Last-Modified": formatdate(changed_at, usegmt=True),
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-cache",
        **headers,
    }
    part = wanted_part(request.headers, size, etag)
    if part.status == 304:
        file.close()
        return Response(None, 304, {name: common[name] for name in ("ETag", "Last-Modified", "Cache-Control")})
    if part.status == 416:
        file.close()
        problem = Problem(416, f"the file has {size} bytes", reason="no-such-range")
        problem.headers = {"Content-Range": f"bytes */{size}"}
        return problem.response
    if part.status == 206:
        common["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{size}"
    return OpenFileResponse(file, part.status, common, part.start, part.length)
