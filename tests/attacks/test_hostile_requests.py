"""Hostile requests to `wort serve`: each is refused, and the server goes on."""

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.homes import Home
from tests.support.submissions import document, text
from tests.support.web_server import WebServer, serving

RUN = "SRR000001"
MOST_MEMORY = 200_000_000
"""Bytes that the server may have in memory."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("hostile") / "h")
    made("status").expect(0)
    yield made
    made.end()


@pytest.fixture(scope="module")
def running(world: Home) -> Iterator[WebServer]:
    with serving(world, "--rate", "0") as server:
        yield server


@pytest.fixture
def server(running: WebServer) -> Iterator[WebServer]:
    yield running
    assert httpx.get(f"{running.url}/health", timeout=60).status_code == 200
    status = Path(f"/proc/{running.running.process.pid}/status").read_text(encoding="ascii")
    [memory] = [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:")]
    assert memory < MOST_MEMORY


@pytest.fixture(scope="module")
def allowed(world: Home) -> dict[str, str]:
    return {"Authorization": f"Bearer {world('token', 'add', 'lab').expect(0).out.strip()}"}


def raw(server: WebServer, request: bytes) -> bytes:
    """Send bytes, and return all bytes that come back until the server closes the connection."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        received = b""
        with contextlib.suppress(OSError):  # the server has closed the connection
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while block := connection.recv(65536):
                received += block
        return received


def codes(answers: bytes) -> list[int]:
    """Return the status codes of the responses in some bytes."""
    return [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]


PATHS = (
    "/wort-sra/sigs/../../ledger.db",
    "/wort-sra/sigs/..%2f..%2fledger.db",
    "/wort-sra/sigs/%2e%2e/%2e%2e/access.json",
    "/wort-sra/sigs/..%5c..%5caccess.json",
    "/wort-sra/../access.json",
    "//etc/passwd",
    "/wort-sra/sigs/SRR000001%00.sig",
    "/wort-sra/sigs/SRR000001.sig/",
    "/wort-sra/sigs/SRR000001.sig%0d%0aX-Evil:%201",
    "/wort-sra/sigs//etc/passwd.sig",
    "/wort-sra/access.json",
    "/access.json",
    "/static/../../../access.json",
    "/static/%2e%2e/%2e%2e/app.py",
    "/v1/view/sra/http://127.0.0.1/",
    "/v1/view/sra/<script>alert(1)</script>",
    "/v1/view/sra/%1b%5b2J",
    "/v1/view/../v1/view/sra/x",
    "/v1/status/SRR000001'--",
    "/v1/view/sra/%ff%fe",
    "/v1/view/sra/" + "A" * 20_000,
    "/" + "a/" * 10_000,
)


@pytest.mark.parametrize("path", PATHS, ids=[*map(str, range(len(PATHS)))])
def test_path_that_leads_elsewhere_is_not_found(path: str, server: WebServer) -> None:
    answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    [code] = codes(answer)
    assert code in (400, 404)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"X-Evil" not in head
    assert b"x-content-type-options: nosniff" in head.lower() or code == 400
    assert b"SQLite" not in body
    assert b"<script>alert" not in body or b"json" in head


GET = b"GET /v1/view/sra/SRR000009 HTTP/1.1\r\n"
SMUGGLED = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
FRAMES = {
    "two lengths": b"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n" + SMUGGLED,
    "odd length": b"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n" + SMUGGLED,
    "negative length": b"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n" + SMUGGLED,
    "huge length": b"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n" + SMUGGLED,
    "unknown coding": b"POST /v1/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n" + SMUGGLED,
    "two codings": b"POST /v1/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + SMUGGLED,
    "odd chunk": b"POST /v1/status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n" + SMUGGLED,
    "space in a name": GET + b"Host: x\r\nContent-Length : 5\r\n\r\n" + SMUGGLED,
    "folded header": GET + b" Host: x\r\n\r\n" + SMUGGLED,
    "two hosts": GET + b"Host: x\r\nHost: y\r\n\r\n",
    "no host": GET + b"\r\n",
    "null in a header": GET + b"Host: x\r\nX: a\0b\r\n\r\n",
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500 + b"\r\n\r\n",
    "huge head": GET + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    "many headers": GET + b"".join(b"X%d: x\r\n" % n for n in range(20_000)) + b"\r\n",
}


@pytest.mark.parametrize("name", FRAMES)
def test_request_that_two_servers_would_read_differently_is_refused(name: str, server: WebServer) -> None:
    assert codes(raw(server, FRAMES[name])) in ([400], [413], [431], [])


def test_length_and_chunks_together_are_one_request(server: WebServer) -> None:
    """RFC 9112, 6.3: the length is ignored.  What a proxy might take for a second request is not answered."""
    head = b"POST /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert codes(raw(server, head + b"0\r\n\r\n")) == [400]
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    assert codes(raw(server, head + body)) == [400]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW"])
def test_other_methods_are_refused(method: str, server: WebServer) -> None:
    for path in (f"/wort-sra/sigs/{RUN}.sig", f"/v1/view/sra/{RUN}", "/v1/status", "/health"):
        assert httpx.request(method, server.url + path).status_code == 405


def test_log_has_one_line_whatever_the_path_has(server: WebServer) -> None:
    path = '/v1/view/sra/x%0a%7b%22status%22:200%7d%1b[31m%e2%80%ae"'
    httpx.get(server.url + path)
    line = server.logged('/v1/view/sra/x\n{"status":200}\x1b[31m\u202e"')
    assert line["status"] == 404
    text_of_log = server.running.err.read_text(encoding="utf-8")
    assert "\x1b" not in text_of_log
    assert "\u202e" not in text_of_log


def test_client_that_claims_an_address_is_not_believed(server: WebServer) -> None:
    httpx.get(f"{server.url}/v1/view/sra/SRR000123", headers={"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=x"})
    assert server.logged("/v1/view/sra/SRR000123")["client"] == "127.0.0.1"


def test_other_sites_cannot_change_anything(server: WebServer) -> None:
    """A browser asks first whether another site may send such a request, and is not allowed to."""
    for path in (f"/v1/compute/sra/{RUN}", "/v1/auth/tokens", f"/v1/submit/sra/{RUN}", "/v1/compute"):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        answer = httpx.options(server.url + path, headers=headers)
        assert "access-control-allow-origin" not in answer.headers
    read = httpx.options(f"{server.url}/v1/status/{RUN}", headers={"Origin": "https://other.example"})
    assert read.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "access-control-allow-credentials" not in read.headers


@pytest.mark.parametrize(
    "token",
    ["", "null", "undefined", "' OR 1=1 --", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJsYWIifQ.", "lab", "\u00ff" * 50, "a b c"],
    ids=[*map(str, range(8))],
)
def test_forged_token_is_refused(token: str, server: WebServer, world: Home) -> None:
    headers = {b"Authorization": b"Bearer " + token.encode("latin-1") + b"x"}
    assert httpx.post(f"{server.url}/v1/compute/sra/{RUN}", headers=headers).status_code == 401
    stored = (
        json.loads((world.path / "access.json").read_bytes())["tokens"] if (world.path / "access.json").exists() else []
    )
    for one in stored:  # what is stored is no token
        headers = {b"Authorization": b"Bearer " + one["sha256"].encode()}
        assert httpx.post(f"{server.url}/v1/compute/sra/{RUN}", headers=headers).status_code == 401


def test_submitted_signature_makes_the_server_ask_nobody_inside(
    server: WebServer, world: Home, allowed: dict[str, str]
) -> None:
    asked = []

    class Inside(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_GET = do_HEAD

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Inside) as inside:
        threading.Thread(target=inside.serve_forever, daemon=True).start()
        for address in (f"http://127.0.0.1:{inside.server_port}/", f"http://localhost:{inside.server_port}/"):
            content = text(document(RUN, filename=address))
            answer = httpx.post(
                f"{server.url}/v1/submit/sra/{RUN}", headers=allowed, files={"file": ("x", content)}, timeout=60
            )
            assert answer.status_code in (202, 400)
        inside.shutdown()
    assert asked == []


@pytest.mark.parametrize("name", ["../../x.sig", "<img src=x onerror=alert(1)>", "x\x1b[2J", "a" * 3000])
def test_name_of_an_uploaded_file_is_ignored(
    name: str, server: WebServer, world: Home, allowed: dict[str, str]
) -> None:
    before = {path for path in world.root.rglob("*") if "submitted" not in path.parts}
    httpx.post(
        f"{server.url}/v1/submit/sra/{RUN}",
        headers=allowed,
        files={"file": (name, text(document(RUN, seed=5)))},
        timeout=60,
    )
    after = {path for path in world.root.rglob("*") if "submitted" not in path.parts}
    assert {path.name for path in after - before} <= {"ledger.db-wal", "ledger.db-shm", "listings"}


def test_upload_within_an_upload_is_one_upload(server: WebServer, allowed: dict[str, str]) -> None:
    parts = b"".join(b'--a\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % n for n in range(1000))
    twice = b'--a\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n' * 2
    for body in (parts + b"--a--\r\n", twice + b"--a--\r\n", b"--a\r\n" * 10_000, b"--a\r\nX: " + b"x" * 50_000):
        headers = {**allowed, "Content-Type": "multipart/form-data; boundary=a"}
        answer = httpx.post(f"{server.url}/v1/submit/sra/{RUN}", headers=headers, content=body)
        assert answer.status_code == 400, answer.text


def test_connections_that_send_nothing_do_not_stop_others(server: WebServer) -> None:
    address = urlsplit(server.url)
    silent = []
    try:
        for _ in range(600):
            connection = socket.create_connection((address.hostname, address.port), timeout=60)
            connection.sendall(GET)  # the head never ends
            silent.append(connection)
        assert httpx.get(f"{server.url}/v1/view/sra/{RUN}", timeout=60).status_code == 404
    finally:
        for connection in silent:
            connection.close()
