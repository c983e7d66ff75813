"""A proxy before an S3 server that does to requests what networks and servers do: loses answers, cuts bodies, says 503.

What happens to a request is decided by the test's own function of its method and path, which may also do things while
the request is on its way.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Fate(Enum):
    """What becomes of a request."""

    PASS = "it passes"
    BUSY = "the answer is 503, the server never hears of it"
    LOSE_REQUEST = "the connection breaks before the server hears of it"
    LOSE_HALF = "the server gets half of the body, then both connections break"
    LOSE_ANSWER = "the server does it, its answer is lost"
    RUBBISH = "the answer is a page of HTML and 200, the server never hears of it"


Decision = Callable[[str, str], Fate]


class Proxy:
    """A proxy on a port of its own; `decide` may be changed at any time."""

    def __init__(self, port: int) -> None:
        self.decide: Decision = lambda method, path: Fate.PASS
        self.on_half: Callable[[], object] = lambda: None
        self.on_answer: Callable[[], object] = lambda: None
        """Called while half of a body is with the server, and while a lost answer is."""
        self.requests: list[tuple[str, str]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                proxy._handle(self, port)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Proxy]:
        """While it takes requests."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def sent(self, method: str, part: str) -> int:
        """How many requests of a method came whose path has that part."""
        return sum(m == method and part in path for m, path in self.requests)

    def _handle(self, request: BaseHTTPRequestHandler, port: int) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.requests.append((request.command, request.path))
        fate = self.decide(request.command, request.path)
        request.close_connection = True
        if fate is Fate.BUSY:
            request.send_response(503)
            request.send_header("Content-Length", "0")
            request.send_header("Connection", "close")
            request.end_headers()
        elif fate is Fate.RUBBISH:
            answer_rubbish(request)
        elif fate is Fate.LOSE_HALF:
            send_half(request, body, port)
            self.on_half()
        elif fate is not Fate.LOSE_REQUEST:
            answer = forward(request, body, port)
            if fate is Fate.PASS and answer is not None:
                pass_on(request, *answer)
            else:
                self.on_answer()
        with contextlib.suppress(OSError):
            request.connection.shutdown(socket.SHUT_RDWR)


def answer_rubbish(request: BaseHTTPRequestHandler) -> None:
    """What a captive portal says to everything."""
    page = b"<html><body>Please log in to this network</body></html>" * 20
    with contextlib.suppress(OSError):
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(page)))
        request.send_header("Connection", "close")
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(page)


def forward(request: BaseHTTPRequestHandler, body: bytes, port: int) -> tuple[http.client.HTTPResponse, bytes] | None:
    """The server's answer, whole; None if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            if name.lower() != "expect":
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def pass_on(request: BaseHTTPRequestHandler, answer: http.client.HTTPResponse, body: bytes) -> None:
    """Give the client an answer."""
    with contextlib.suppress(OSError):
        request.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                request.send_header(name, value)
        length = answer.getheader("Content-Length") if request.command == "HEAD" else str(len(body))
        request.send_header("Content-Length", length or "0")
        request.send_header("Connection", "close")
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)


def send_half(request: BaseHTTPRequestHandler, body: bytes, port: int) -> None:
    """Let the server have the head of a request and half of its body."""
    head = f"{request.command} {request.path} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items() if name.lower() != "expect")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n" + body[: len(body) // 2])
