"""Limits of connections, in a server of this process."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.support.polling import until
from wort_cli.web import protocol
from wort_cli.web.protocol import BoundedProtocol


async def app(scope: dict[str, object], receive: object, send: object) -> None:
    """Answer a large response."""
    assert callable(send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(200):
        await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@contextlib.contextmanager
def running() -> Iterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=BoundedProtocol, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    until(lambda: server.started, "the server has started")
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(60)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def ends(connection: socket.socket) -> bool:
    """Return whether the server closes a connection before the test's patience ends."""
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:"])
def test_connection_without_a_request_is_closed(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.2)
    with running() as port, connect(port) as connection:
        connection.sendall(sent)
        assert ends(connection)


def test_connections_of_a_proxy_are_not_limited_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS_OF_A_CLIENT", 1)
    monkeypatch.setattr(BoundedProtocol, "most", BoundedProtocol.most)
    monkeypatch.setattr(BoundedProtocol, "counts_addresses", True)
    protocol.allow_connections(behind_proxy=True)
    with running() as port, connect(port), connect(port):
        until(lambda: BoundedProtocol.open_of == {"127.0.0.1": 2}, "both are open")


def test_client_that_reads_nothing_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "READING_SECONDS", 0.2)
    with running() as port, connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: not BoundedProtocol.open_of, "the connection is forgotten")
        assert ends(connection)


def test_connections_above_the_limit_get_503_until_others_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS_OF_A_CLIENT", 2)
    with running() as port:
        first, second = connect(port), connect(port)
        until(lambda: BoundedProtocol.open_of == {"127.0.0.1": 2}, "both are open")
        with connect(port) as third:
            assert third.recv(65536).startswith(b"HTTP/1.1 503 ")
        first.close()
        second.close()
        until(lambda: not BoundedProtocol.open_of, "both are forgotten")
        with connect(port) as fourth:
            fourth.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert fourth.recv(12) == b"HTTP/1.1 200"


def test_server_that_is_full_closes_the_connection_that_has_waited_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "most", 2)
    with running() as port:
        first = connect(port)
        until(lambda: len(BoundedProtocol.without_request) == 1, "the first waits")
        first.sendall(b"GET / HTTP/1.1\r\n")
        second = connect(port)
        until(lambda: len(BoundedProtocol.without_request) == 2, "the second waits")
        with connect(port) as third:
            third.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert third.recv(15) == b"HTTP/1.1 200 OK"
            assert ends(first)
            first.close()
            second.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert second.recv(15) == b"HTTP/1.1 200 OK"
            with connect(port) as fourth:  # nobody waits for a request
                assert fourth.recv(65536).startswith(b"HTTP/1.1 503 ")
        second.close()
    until(lambda: not BoundedProtocol.without_request, "all are forgotten")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000, b"431 Request Header Fields Too Large"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501 Not Implemented"),
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
    ],
    ids=["431", "501", "400"],
)
def test_bytes_that_are_no_request_get_a_problem_document(sent: bytes, status: bytes) -> None:
    with running() as port, connect(port) as connection:
        connection.sendall(sent)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    assert answer.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert b"content-type: application/problem+json" in answer
    assert b'"reason": "invalid"' in answer
