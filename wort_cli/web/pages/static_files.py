"""The style sheet and the script of the pages: files of this package, sent from memory."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from wort_cli.web.errors import Problem
from wort_cli.web.reading import unguarded

DIRECTORY = Path(__file__).with_name("static")
TYPES = {
    "style.css": "text/css",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "spectrum.svg": "image/svg+xml",
}
A_YEAR = 365 * 86400


@cache
def content_of(name: str) -> bytes:
    """Return the content of a file."""
    return (DIRECTORY / name).read_bytes()


@cache
def address_of(name: str) -> str:
    """Return the path of a file; it changes with the content, so that a browser may keep the file."""
    return f"/static/{name}?{hashlib.sha256(content_of(name)).hexdigest()[:12]}"


@unguarded
async def static_file(request: Request) -> Response:
    """Send a file."""
    name = request.path_params["name"]
    if name not in TYPES:
        raise Problem(404, "there is no such file", reason="no-such-path")
    current = address_of(name).endswith(f"?{request.url.query}")
    caching = f"public, max-age={A_YEAR}, immutable" if current else "no-cache"
    return Response(content_of(name), headers={"Cache-Control": caching}, media_type=TYPES[name])
