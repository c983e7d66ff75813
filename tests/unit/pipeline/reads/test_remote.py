"""Tests of files of reads at URLs: what breaks off is continued, and only from the same file."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.http import HttpClient
from wort_cli.pipeline.reads import remote
from wort_cli.pipeline.reads.remote import RemoteFile, http_url
from wort_cli.system.cancellation import NEVER

DATA = bytes(range(256)) * 1000
Answer = Callable[[BaseHTTPRequestHandler, int], None]


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE", 0.0)


@contextmanager
def served(*answers: Answer) -> Iterator[str]:
    """Serve one answer after the other, the last one repeatedly; each is given the position that is asked for."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = int(self.headers.get("Range", "bytes=0-")[6:-1])
            (left.pop(0) if len(left) > 1 else left[0])(self, start)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/x.fq.gz?key=secret"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def sends(end: int = len(DATA), tag: str = '"1"', size: int = len(DATA)) -> Answer:
    """Return an answer that breaks off at byte `end`."""

    def answer(handler: BaseHTTPRequestHandler, start: int) -> None:
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        handler.send_header("Content-Length", str(size - start))
        handler.send_header("ETag", tag)
        handler.end_headers()
        handler.wfile.write(DATA[start:end])

    return answer


def status(code: int) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def without_length(handler: BaseHTTPRequestHandler, _: int) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(DATA)


def content(url: str) -> bytes:
    with HttpClient() as client:
        file = RemoteFile(url, client, NEVER)
        return b"".join(iter(file.read, b""))


def failure(url: str) -> tuple[Reason, str]:
    with pytest.raises(JobFailed) as failed:
        content(url)
    assert "secret" not in str(failed.value)
    return failed.value.failure.reason, str(failed.value)


def test_file_is_read_to_its_end() -> None:
    with served(sends()) as url:
        assert content(url) == DATA


def test_what_breaks_off_is_continued() -> None:
    with served(sends(70_000), sends(70_001), sends(200_000), sends()) as url:
        assert content(url) == DATA


@pytest.mark.parametrize(
    ("answers", "reason", "message"),
    [
        ([sends(100), sends(tag='"2"')], Reason.NETWORK, "has another file by now"),
        ([sends(100), sends(size=len(DATA) + 1)], Reason.NETWORK, "has another file by now"),
        ([sends(0)], Reason.NETWORK, "broke off"),
        ([status(404)], Reason.NOT_FOUND, "does not have the file (HTTP status 404)"),
        ([status(403)], Reason.NOT_FOUND, "denies access to the file (HTTP status 403)"),
        ([status(429)], Reason.RATE_LIMITED, "asks for fewer requests (HTTP status 429)"),
        ([status(500)], Reason.NETWORK, "has an error of its own (HTTP status 500)"),
        ([status(522)], Reason.NETWORK, "has an error of its own (HTTP status 522)"),
        ([status(408)], Reason.NETWORK, "did not wait for the request (HTTP status 408)"),
        ([sends(100), status(416)], Reason.NETWORK, "has a shorter file than"),
        ([without_length], Reason.NETWORK, "does not say how long"),
    ],
    ids=[
        "changed",
        "longer",
        "nothing",
        "missing",
        "denied",
        "limited",
        "down",
        "proxy",
        "slow",
        "shorter",
        "no-length",
    ],
)
def test_failures_have_their_reasons(answers: list[Answer], reason: Reason, message: str) -> None:
    with served(*answers) as url:
        found, sentence = failure(url)
    assert found is reason
    assert message in sentence


def test_object_of_s3_has_a_presigned_url(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "y"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    url = http_url("s3://reads-bucket/a/b.fq.gz")
    assert url.startswith("http://127.0.0.1:1/reads-bucket/a/b.fq.gz?")
    assert "Signature=" in url
