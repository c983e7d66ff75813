"""Whose address a request has that came through a proxy."""

import asyncio
from typing import Any

import pytest

from wort_cli.web import protocol
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


def test_connections_are_limited_by_the_client_that_the_proxy_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS_OF_A_CLIENT", 2)

    async def check() -> None:
        done = asyncio.Event()
        statuses: list[int] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await done.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        async def unused() -> Any:
            raise AssertionError

        proxy = BehindProxy(app)

        def request(client: bytes) -> Any:
            scope = {"type": "http", "headers": [(b"x-forwarded-for", client)], "client": ("10.0.0.1", 5)}
            return asyncio.ensure_future(proxy(scope, unused, send))

        running = [request(b"192.0.2.7"), request(b"192.0.2.7"), request(b"192.0.2.8")]
        await request(b"6.6.6.6, 192.0.2.7")
        assert statuses == [503]
        done.set()
        await asyncio.gather(*running)
        await request(b"192.0.2.7")
        assert statuses == [503, 200, 200, 200, 200]
        assert not proxy.running

    asyncio.run(check())
