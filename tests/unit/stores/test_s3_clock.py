"""Requests are signed with the server's time if the server refuses this machine's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import Headers, StoreError
from wort_cli.stores.s3 import S3Store

HOUR = 3600.0
REFUSAL = b"<?xml version='1.0'?><Error><Code>RequestTimeTooSkewed</Code><Message>wrong</Message></Error>"


class Server(ThreadingHTTPServer):
    """A server with a clock of its own, that refuses requests of other times as S3 does."""

    def __init__(self, ahead: float, *, says: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ahead, self.says = ahead, says
        self.times: list[float] = []
        """For each request, the difference between its time and the server's."""

    @property
    def now(self) -> float:
        """The server's time."""
        return time.time() + self.ahead


class Handler(BaseHTTPRequestHandler):
    """Answers GET and PUT."""

    server: Server
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        sent = datetime.strptime(self.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        self.server.times.append(sent.timestamp() - self.server.now)
        refused = abs(self.server.times[-1]) > 900
        body = REFUSAL if refused else b"content" if self.command == "GET" else b""
        self.send_response_only(403 if refused else 200)
        self.send_header("Date", formatdate(time.time() + self.server.says, usegmt=True))
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = answer

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(ahead: float, *, says: float) -> Iterator[tuple[Server, S3Store]]:
    """Run a server whose clock is ahead, and which says another time or the same; yield also a store there."""
    with Server(ahead, says=says) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server, S3Store(S3Target("bucket", endpoint=f"http://127.0.0.1:{server.server_port}", timeout=30))
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_requests_have_the_time_of_the_server(ahead: float) -> None:
    with serving(ahead, says=ahead) as (server, store):
        store.put("key", b"content", Headers("text/plain"))
        store.put("other", b"content", Headers("text/plain"))
    refused, *accepted = server.times
    assert abs(refused) == pytest.approx(HOUR, abs=900)
    assert [abs(difference) < 900 for difference in accepted] == [True, True], "only the first one was refused"


def test_urls_that_are_signed_have_the_time_of_the_server() -> None:
    with serving(HOUR, says=HOUR) as (server, store):
        store.put("key", b"content", Headers("text/plain"))
        query = parse_qs(urlsplit(store.presigned_url("key", 60, "key")).query)
        sent = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert abs(sent.timestamp() - server.now) < 900


@pytest.mark.parametrize(("ahead", "says"), [(HOUR, 0.0), (2 * 86_400.0, 2 * 86_400.0)])
def test_request_is_not_repeated_if_the_time_cannot_be_corrected(ahead: float, says: float) -> None:
    wrong_clock = pytest.raises(StoreError, match="the clock of this machine is wrong")
    with serving(ahead, says=says) as (server, store), wrong_clock:
        store.put("key", b"content", Headers("text/plain"))
    assert len(server.times) == 1
