"""Hostile requests to `wort serve`: each is refused, the server continues, and others are answered meanwhile.

The table is in `hostile_requests.py`.
"""

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from tests.attacks.hostile_requests import ALL, NEVER, UNPACKED, Hostile
from tests.support.homes import Home, all_below
from tests.support.processes import memory_of_tree
from tests.support.served_home import DONE, served_home
from tests.support.submissions import document, text
from tests.support.web_server import WebServer, serving

RUN = "SRR000001"
MOST_MEMORY = 200_000_000
"""Bytes that the server and its children may have in memory."""
GET = b"GET /v1/view/sra/SRR000009 HTTP/1.1\r\n"
RIGHTS = "read,compute,submit,cancel,retry,pause"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with served_home(tmp_path_factory.mktemp("hostile") / "h") as home:
        yield home


@pytest.fixture(scope="module")
def running(world: Home, secret: str) -> Iterator[WebServer]:
    with serving(world, "--rate", "0", env={"WORT_SUBMIT_UNPACKED": str(UNPACKED)}) as server:
        with neighbour(server) as answered:
            yield server
        assert len(answered) > 10
        assert set(answered) == {302}
        assert secret not in server.running.err.read_text(encoding="utf-8")


@contextlib.contextmanager
def neighbour(server: WebServer) -> Iterator[list[int]]:
    """Ask for a signature all the time; yield the list of the status codes."""
    answered: list[int] = []
    stopped = threading.Event()

    def ask() -> None:
        while not stopped.wait(0.05):
            try:
                answered.append(httpx.get(f"{server.url}/v1/view/sra/{DONE}", timeout=60).status_code)
            except httpx.HTTPError:
                answered.append(0)

    thread = threading.Thread(target=ask)
    thread.start()
    yield answered
    stopped.set()
    thread.join(90)


@pytest.fixture
def server(running: WebServer) -> Iterator[WebServer]:
    yield running
    assert httpx.get(f"{running.url}/health", timeout=60).status_code == 200
    assert memory_of_tree(running.running.process.pid) < MOST_MEMORY


@pytest.fixture(scope="module")
def secret(world: Home) -> str:
    return world("token", "add", "lab", "--may", RIGHTS).expect(0).out.strip()


@pytest.fixture(scope="module")
def allowed(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def raw(server: WebServer, request: bytes) -> bytes:
    """Send bytes, and return all bytes that come back until the server closes the connection."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=120) as connection:
        received = b""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the server has closed the connection
            connection.sendall(request)
        with contextlib.suppress(ConnectionResetError):
            while block := connection.recv(65536):
                received += block
        return received


def codes(answers: bytes) -> tuple[int, ...]:
    """Return the status codes of the responses in some bytes."""
    return tuple(int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:])


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name.replace(" ", "-"))
def test_hostile_request_is_refused(row: Hostile, server: WebServer, world: Home, secret: str) -> None:
    stored = json.loads((world.path / "access.json").read_bytes())["tokens"][0]["sha256"]
    sent = row.sent.replace(b"{TOKEN}", secret.encode()).replace(b"{HASH}", stored.encode())
    answer = raw(server, sent.replace(b"{HALF}", secret[:16].encode()))
    if not answer and len(row.sent) > 65_536:  # the server refused before all was sent, and the system dropped that
        return
    assert codes(answer) == row.codes
    assert row.says in answer
    head, _, _ = answer.partition(b"\r\n\r\n")
    assert b"x-content-type-options: nosniff" in head.lower()
    assert b"X-Evil" not in head
    if b"content-encoding: gzip" not in head:
        assert [words for words in NEVER if words in answer and (words[:1] != b"<" or b"json" not in head)] == []
    if row.codes and max(row.codes) >= 400:
        assert b"application/problem+json" in head or b"content-type: application/json" in head


def test_pages_show_what_came_in_hostile_requests_as_text(server: WebServer) -> None:
    for path in ("/", "/queue", "/groups", "/catalog", "/view/sra/SRR000009/", "/view/sra/SRR000001/"):
        page = httpx.get(server.url + path, headers={"Accept": "text/html"}).text
        assert "<img src=x" not in page
        assert "\x1b" not in page


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW"])
def test_other_methods_are_refused(method: str, server: WebServer) -> None:
    for path in (f"/wort-sra/sigs/{RUN}.sig", f"/v1/view/sra/{RUN}", "/v1/status", "/health"):
        assert httpx.request(method, server.url + path).status_code == 405


def test_garbage_behind_a_request_ends_its_response(server: WebServer) -> None:
    """The response is on its way when the next request turns out to be none."""
    request = f"GET /wort-sra/sigs/{DONE}.sig HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert codes(raw(server, request + b"\x00garbage\r\n\r\n"))[:1] in ((), (200,))


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
    before = {path for path in all_below(world.root) if "submitted" not in path.parts}
    httpx.post(
        f"{server.url}/v1/submit/sra/{RUN}",
        headers=allowed,
        files={"file": (name, text(document(RUN, seed=5)))},
        timeout=60,
    )
    after = {path for path in all_below(world.root) if "submitted" not in path.parts}
    assert {path.name for path in after - before} <= {"ledger.db-wal", "ledger.db-shm", "listings"}


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
