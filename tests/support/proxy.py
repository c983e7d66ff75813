"""A proxy in front of an S3 server that injects faults: lost responses, truncated bodies, status 503.

The test's own function of the method and the path decides the fate of each request.  It may also act while the request
is in flight.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Fate(Enum):
    """The fate of a request; the values describe it."""

    PASS = "the request is forwarded"
    BUSY = "the response is 503; the server does not get the request"
    LOSE_REQUEST = "the connection breaks before the server gets the request"
    LOSE_HALF = "the server gets half of the body; then both connections break"
    LOSE_ANSWER = "the server carries out the request; its response is lost"
    EXPIRED = "the response is 400 ExpiredToken; the server does not get the request"
    HTML = "the response is a page of HTML with status 200; the server does not get the request"


Decision = Callable[[str, str], Fate]


@dataclass
class Answer:
    """A response of the server, which a test may change before it is passed on."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes


Change = Callable[[Answer], object]


class Proxy:
    """A proxy on its own port; tests may replace `decide` at any time."""

    def __init__(self, port: int) -> None:
        self.decide: Decision = lambda method, path: Fate.PASS
        self.on_half: Callable[[], object] = lambda: None
        self.on_answer: Callable[[], object] = lambda: None
        """`on_half` is called after half of a body was sent, `on_answer` after a response was lost."""
        self.change: Change = lambda answer: None
        """Changes each response that is passed on."""
        self.on_request: Callable[[dict[str, str]], object] = lambda headers: None
        """Called with the headers of each request."""
        self.requests: list[tuple[str, str]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                proxy._handle(self, port)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        """The address of the proxy."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Proxy]:
        """Serve requests until the context ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def sent(self, method: str, part: str) -> int:
        """Return the number of requests of a method with `part` in the path."""
        return sum(m == method and part in path for m, path in self.requests)

    def _handle(self, request: BaseHTTPRequestHandler, port: int) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        self.requests.append((request.command, request.path))
        self.on_request(dict(request.headers.items()))
        fate = self.decide(request.command, request.path)
        request.close_connection = True
        if fate is Fate.BUSY:
            send(request, 503, "application/xml", b"")
        elif fate is Fate.EXPIRED:
            send_error(request, 400, "ExpiredToken", "The provided token has expired.")
        elif fate is Fate.HTML:
            send_html(request)
        elif fate is Fate.LOSE_HALF:
            send_half(request, body, port)
            self.on_half()
        elif fate is not Fate.LOSE_REQUEST:
            answer = forward(request, body, port)
            if fate is Fate.PASS and answer is not None:
                self.change(answer)
                pass_on(request, answer)
            else:
                self.on_answer()
        with contextlib.suppress(OSError):
            request.connection.shutdown(socket.SHUT_RDWR)


def send_error(request: BaseHTTPRequestHandler, status: int, code: str, message: str) -> None:
    """Send an error as S3 does; the response to HEAD has no body, and so no code."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    send(request, status, "application/xml", body)


def send_html(request: BaseHTTPRequestHandler) -> None:
    """Send the login page of a captive portal."""
    send(request, 200, "text/html", b"<html><body>Please log in to this network</body></html>" * 20)


def send(request: BaseHTTPRequestHandler, status: int, content_type: str, body: bytes) -> None:
    """Send a response of the proxy's own."""
    with contextlib.suppress(OSError):
        request.send_response(status)
        request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Connection", "close")
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(body)


def forward(request: BaseHTTPRequestHandler, body: bytes, port: int) -> Answer | None:
    """Forward a request; return the response, or None without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            if name.lower() != "expect":
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content, headers = answer.read(), dict(answer.getheaders())
        if request.command != "HEAD":
            headers["Content-Length"] = str(len(content))
        return Answer(request.command, request.path, answer.status, headers, content)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def pass_on(request: BaseHTTPRequestHandler, answer: Answer) -> None:
    """Send the server's response to the client; without a Content-Length, the end of the connection ends the body."""
    with contextlib.suppress(OSError):
        request.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("connection", "transfer-encoding"):
                request.send_header(name, value)
        request.send_header("Connection", "close")
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(answer.body)


def send_half(request: BaseHTTPRequestHandler, body: bytes, port: int) -> None:
    """Send the headers of a request and half of its body to the server."""
    head = f"{request.command} {request.path} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items() if name.lower() != "expect")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(head.encode("latin-1") + b"\r\n" + body[: len(body) // 2])
