"""Whose address a request has that came through a proxy."""

import asyncio
from typing import Any

import pytest

from wort_cli.web.proxy import BehindProxy


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([], "10.0.0.1"),
        ([(b"x-forwarded-for", b"192.0.2.7")], "192.0.2.7"),
        ([(b"x-forwarded-for", b"6.6.6.6, 192.0.2.7")], "192.0.2.7"),
        ([(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"2001:db8::1")], "2001:db8::1"),
        ([(b"x-forwarded-for", b"<script>")], "10.0.0.1"),
    ],
)
def test_client_is_the_last_address_that_the_proxy_names(headers: list[tuple[bytes, bytes]], client: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"][0])

    async def unused(*_: Any) -> Any:
        raise AssertionError

    scope = {"type": "http", "headers": headers, "client": ("10.0.0.1", 5)}
    asyncio.run(BehindProxy(app)(scope, unused, unused))
    assert seen == [client]
