"""The access log has no secret, and no line that a client has written."""

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from wort_cli.web.access_log import AccessLog

SECRET = "sEcReT-0123456789"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what no log may have."""
    headers = [(b"set-cookie", f"session={SECRET}".encode()), (b"location", f"https://x/?signature={SECRET}".encode())]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": SECRET.encode()})


def logged(scope: dict[str, Any]) -> str:
    """Return the lines of one request."""
    lines: list[str] = []

    async def answer() -> None:
        log = AccessLog(app, lines.append)
        await log(scope, nothing, ignore)
        log.flush()

    asyncio.run(answer())
    return "".join(lines)


async def nothing() -> Any:
    """Receive nothing."""
    return {"type": "http.disconnect"}


async def ignore(message: Any) -> None:
    """Send nothing."""


def request(path: str = "/v1/jobs", **more: Any) -> dict[str, Any]:
    """Return a request that has a secret wherever a client can put one."""
    headers = {
        "authorization": f"Bearer {SECRET}",
        "cookie": f"wort-session-1={SECRET}",
        "referer": f"https://x/{SECRET}",
        "user-agent": SECRET,
    }
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": b"/",
        "query_string": f"token={SECRET}".encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.1", 1),
        **more,
    }


def test_line_has_no_token_password_query_or_cookie() -> None:
    line = logged(request())
    assert SECRET not in line
    assert json.loads(line)["path"] == "/v1/jobs"


@pytest.mark.parametrize(
    "path",
    [
        "/\n{}",
        "/\r\n",
        "/\x1b[2J\x07",
        "/\u202e\u2028",
        '/"}',
        "/\ud800",
        "/" + "x" * 100_000,
        "/\x00\x7f",
        "/<script>",
    ],
    ids=[*map(str, range(9))],
)
def test_path_is_one_line_of_ascii_whatever_it_has(path: str) -> None:
    line = logged(request(path))
    assert line.count("\n") == 1
    assert line.isascii()
    assert not [character for character in line[:-1] if ord(character) < 32 or ord(character) == 127]
    assert len(line) < 5000
    assert json.loads(line)["path"] == path[:500]


def test_method_is_cut() -> None:
    assert json.loads(logged(request(method="A" * 1000)))["method"] == "A" * 20
