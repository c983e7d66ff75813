"""A server on loopback that imitates NCBI: a locator, and archives by ranges, as fast and as badly as a test wants.

`ArchiveServer(files)` serves each file below `/NAME`, and answers every POST as the locator (SDL version 2).  It serves
wort and the SRA toolkit.  `fate` decides what happens to a request.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tests.support.locator_answers import answer as locator_answer
from tests.support.locator_answers import error_entry, file_entry, run_entry
from tests.support.polling import LONGEST

PAGE = b"<!DOCTYPE html><html><body><h1>Please log in</h1></body></html>\n"


@dataclass
class Request:
    """A request: a method, a path, and the range if there is one."""

    method: str
    path: str
    first: int = 0
    last: int = -1
    number: int = 0
    """The number of earlier requests."""
    run: str = ""
    """The run that the locator is asked about, or the name of the file."""
    program: str = ""
    """The User-Agent."""
    at: float = 0.0
    """When it came, in seconds on the monotonic clock."""


@dataclass
class Fate:
    """The fate of a request; the default is a proper answer."""

    status: int = 0
    """Another status, with a page of HTML."""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Another body."""
    cut: float = 1.0
    """The share of the body that is sent before the connection breaks."""
    stall: bool = False
    """After that share the connection does not break; nothing more is sent."""
    noise: bytes | None = None
    """Sent instead of HTTP, and then the connection breaks."""
    change: Callable[[bytes], bytes] | None = None
    """Applied to the body, which keeps its length."""
    silent: bool = False
    """Nothing is sent until the server stops."""
    drip: float = 0.0
    """Seconds between two bytes."""
    without: tuple[str, ...] = ()
    """Headers that are not sent."""


class Server(ThreadingHTTPServer):
    daemon_threads = False  # they are joined, so no socket is left to the garbage collector
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients may go at any time."""


def end(connection: socket.socket) -> None:
    """End a connection for both sides, also for a thread that reads from it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class ArchiveServer:
    """Serves files by ranges; `with ArchiveServer(files).serving() as server`."""

    def __init__(
        self, files: dict[str, bytes], *, latency: float = 0.0, rate: float = 0.0, total_rate: float = 0.0
    ) -> None:
        self.files = files
        self.latency = latency
        """Seconds before each answer."""
        self.rate = rate
        """Bytes a second that a connection gets; 0 for any."""
        self.total_rate = total_rate
        """Bytes a second that all connections get together; 0 for any."""
        self.allowed = float("inf")
        """Bytes that may be sent in all; a test that sets it holds downloads where it likes, and lets them continue."""
        self._link_free_at = 0.0
        self._sums: dict[int, tuple[bytes, str]] = {}
        """The md5 of each file, by the id of the object, which is kept so that no other gets its id."""
        self.fate: Callable[[Request], Fate] = lambda request: Fate()
        self.locator: Callable[[str], dict[str, object]] = self.described
        self.requests: list[Request] = []
        self.open = self.most_open = 0
        """Requests that are being answered."""
        self.connected = self.most_connected = 0
        """Connections that are open, with a request or idle."""
        self._connections: set[socket.socket] = set()
        self.sent = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = LONGEST

            def setup(self) -> None:
                super().setup()
                server._open_connection(self.connection)

            def finish(self) -> None:
                server._close_connection(self.connection)
                super().finish()

            def do_GET(self) -> None:
                server._serve(self)

            do_HEAD = do_GET

            def do_POST(self) -> None:
                server._locate(self)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def wrap(self, context: ssl.SSLContext) -> None:
        """Serve by TLS."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @contextlib.contextmanager
    def serving(self) -> Iterator[ArchiveServer]:
        """Serve while the context lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._server.shutdown()
            with self._lock:
                for connection in self._connections:
                    end(connection)
            self._server.server_close()
            thread.join()

    def toolkit_lines(self) -> tuple[str, ...]:
        """Return the lines of a toolkit configuration that uses this server only."""
        kinds = ("main/SDL.2", "main/CGI", "protected/SDL.2", "protected/CGI")
        return (
            *(f'/repository/remote/{kind}/resolver-cgi = "{self.url}/sdl/2/retrieve"' for kind in kinds),
            '/libs/cloud/report_instance_identity = "false"',
        )

    def described(self, run: str, *urls: str) -> dict[str, object]:
        """The answer of the locator about a run: its file at these URLs, or at this server."""
        data = self.files.get(run)
        if data is None:
            return error_entry(run, 404, "Cannot resolve accession")
        return run_entry(run, file_entry(run, data, urls or (f"{self.url}/{run}",), self._md5(data)))

    def _open_connection(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)
            self.connected = len(self._connections)
            self.most_connected = max(self.most_connected, self.connected)
            if self._over.is_set():
                end(connection)

    def _close_connection(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)
            self.connected = len(self._connections)

    def _md5(self, data: bytes) -> str:
        """Return the md5 of a file, which is computed once."""
        if id(data) not in self._sums:
            self._sums[id(data)] = data, hashlib.md5(data).hexdigest()
        return self._sums[id(data)][1]

    def _locate(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        run = parse_qs(body).get("acc", [""])[0]
        answer = json.dumps(locator_answer(self.locator(run))).encode()
        request = Request("POST", handler.path, run=run, program=handler.headers.get("User-Agent", ""))
        self._answer(handler, request, 200, answer, {"Content-Type": "application/json"})

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.lstrip("/").partition("?")[0]
        data = self.files.get(name)
        program = handler.headers.get("User-Agent", "")
        request = Request(handler.command, handler.path, run=name, program=program)
        if data is None:
            self._answer(handler, request, 404, PAGE, {"Content-Type": "text/html"})
            return
        headers = {"ETag": f'"{self._md5(data)}"', "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        if wanted is None:
            self._answer(handler, request, 200, data, headers)
            return
        request.first, request.last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        headers["Content-Range"] = f"bytes {request.first}-{request.last}/{len(data)}"
        self._answer(handler, request, 206, data[request.first : request.last + 1], headers)

    def _answer(
        self, handler: BaseHTTPRequestHandler, request: Request, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        with self._lock:
            request.number, request.at = len(self.requests), time.monotonic()
            self.requests.append(request)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            with contextlib.suppress(OSError):
                self._send(handler, self.fate(request), status, body, headers)
        finally:
            with self._lock:
                self.open -= 1

    def _send(
        self, handler: BaseHTTPRequestHandler, fate: Fate, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        self._over.wait(self.latency)
        if fate.silent:
            handler.close_connection = True
            self._over.wait()
            return
        if fate.noise is not None:
            handler.close_connection = True
            handler.wfile.write(fate.noise)
            return
        if fate.status:
            status, body, headers = fate.status, PAGE, {"Content-Type": "text/html"}
        body = body if fate.body is None else fate.body
        body = fate.change(body) if fate.change else body
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), **fate.headers}.items():
            if name not in fate.without:
                handler.send_header(name, value)
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if "Content-Length" in fate.without or fate.cut < 1:
            handler.close_connection = True
        self._write(handler, body[: int(len(body) * fate.cut)], fate.drip)
        if fate.stall:
            handler.wfile.flush()
            self._over.wait()

    def _wait_for_link(self, size: int) -> float:
        """Return the seconds until the link that all connections share has sent so many more bytes."""
        if not self.total_rate:
            return 0.0
        with self._lock:
            now = time.monotonic()
            self._link_free_at = max(self._link_free_at, now) + size / self.total_rate
            return self._link_free_at - now

    def _write(self, handler: BaseHTTPRequestHandler, body: bytes, drip: float) -> None:
        step = 1 if drip else max(1 << 15, int(self.total_rate / 100))
        started, view = time.monotonic(), memoryview(body)
        for start in range(0, len(body), step):
            while self.sent + len(view[start : start + step]) > self.allowed:
                handler.wfile.flush()
                if self._over.wait(0.02):
                    return
            handler.wfile.write(view[start : start + step])
            with self._lock:
                self.sent += len(view[start : start + step])
            due = drip or (started + (start + step) / self.rate - time.monotonic() if self.rate else 0.0)
            due = max(due, self._wait_for_link(step))
            if due > 0 and self._over.wait(due):
                return
