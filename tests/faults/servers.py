"""A local server that imitates NCBI: it locates runs, serves their archives, and misbehaves as real servers do.

The SRA toolkit sends it the requests that it sends to NCBI: POST to the resolver (the data locator, SDL version 2,
JSON), then HEAD and GET with ranges for the archive in the answer.  A function of the test decides the fate of each
request.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

PAGE = b"<!DOCTYPE html><html><body><h1>Service Unavailable</h1></body></html>\n" * 40


class Asked(Enum):
    """The purpose of a request."""

    RESOLVER = "where is a run?"
    ARCHIVE = "a part of an archive"


class Fate(Enum):
    """What the server does with a request."""

    ANSWER = "it is answered correctly"
    SILENCE = "the connection is accepted, and nothing is sent"
    HANG_UP = "the connection is closed at once"
    DIE = "half of the answer is sent, then the connection breaks"
    STALL = "half of the answer is sent, then nothing more"
    RUBBISH = "the answer is an HTML page with status 200"
    NOISE = "the answer is not HTTP"
    BUSY = "503"
    TOO_MANY = "429"


class Web(ThreadingHTTPServer):
    """A server that ignores broken connections, because killed tools leave some."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore it."""


Decision = Callable[[Asked, str, str], Fate]
"""Chooses a fate from the purpose of a request, the program that sent it, and the run."""


class Ncbi:
    """The server: `with Ncbi(runs).serving() as ncbi`; `decide` may be changed at any time."""

    def __init__(self, runs: dict[str, Path]) -> None:
        self.runs = runs
        self.decide: Decision = lambda asked, program, run: Fate.ANSWER
        self.statuses: dict[str, tuple[int, str]] = {}
        """Runs for which the resolver returns a status and message instead of a location."""
        self.requests: list[tuple[Asked, str]] = []
        self._over = threading.Event()
        ncbi = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                ncbi._resolve(self)

            def do_GET(self) -> None:
                ncbi._serve(self)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Ignore it."""

        self._server = Web(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def toolkit_lines(self) -> tuple[str, ...]:
        """Return the lines of a toolkit configuration that uses this server only."""
        kinds = ("main/SDL.2", "main/CGI", "protected/SDL.2", "protected/CGI")
        return (
            *(f'/repository/remote/{kind}/resolver-cgi = "{self.url}/sdl/2/retrieve"' for kind in kinds),
            '/libs/cloud/report_instance_identity = "false"',
        )

    @contextlib.contextmanager
    def serving(self) -> Iterator[Ncbi]:
        """Answer requests within the context."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    # ---- answers

    def _resolve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0)).decode()
        run = parse_qs(body).get("acc", [""])[0]
        answer = json.dumps({"version": "2", "result": [self._found(run)]}).encode()
        self._answer(request, Asked.RESOLVER, run, 200, answer, {"Content-Type": "application/json"})

    def _found(self, run: str) -> dict[str, object]:
        archive = self.runs.get(run)
        status, message = self.statuses.get(run, (200, "ok") if archive else (404, "Cannot resolve accession"))
        if archive is None or status != 200:
            return {"bundle": run, "status": status, "msg": message}
        data = archive.read_bytes()
        place = {"service": "s3", "region": "us-east-1", "link": f"{self.url}/archives/{run}.sra"}
        file = {
            "object": f"remote|{run}", "accession": run, "type": "sra", "name": run, "size": len(data),
            "md5": hashlib.md5(data).hexdigest(), "modificationDate": "2020-01-01T00:00:00Z", "noqual": False,
            "locations": [place],
        }  # fmt: skip
        return {"bundle": run, "status": 200, "msg": "ok", "files": [file]}

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        run = Path(request.path).stem
        archive = self.runs.get(run)
        if archive is None:
            self._answer(request, Asked.ARCHIVE, run, 404, b"", {})
            return
        data = archive.read_bytes()
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if wanted is None:
            self._answer(request, Asked.ARCHIVE, run, 200, data, headers)
            return
        first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self._answer(request, Asked.ARCHIVE, run, 206, data[first : last + 1], headers)

    def _answer(
        self, request: BaseHTTPRequestHandler, asked: Asked, run: str, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        program = request.headers.get("User-Agent", "")
        self.requests.append((asked, program))
        fate = self.decide(asked, program, run)
        if fate in (Fate.SILENCE, Fate.HANG_UP, Fate.NOISE):
            request.close_connection = True
            if fate is Fate.NOISE:
                request.wfile.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20)
            elif fate is Fate.SILENCE:
                self._over.wait()
            return
        replaced = {Fate.RUBBISH: (200, PAGE), Fate.BUSY: (503, PAGE), Fate.TOO_MANY: (429, b"")}
        if fate in replaced:
            status, body = replaced[fate]
            headers = {"Content-Type": "text/html"}
        broken = fate in (Fate.DIE, Fate.STALL)
        with contextlib.suppress(OSError):
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            if request.command != "HEAD":
                request.wfile.write(body[: len(body) // 2] if broken else body)
                request.wfile.flush()
        if broken:
            request.close_connection = True
            if fate is Fate.STALL:
                self._over.wait()
            with contextlib.suppress(OSError):
                request.connection.shutdown(socket.SHUT_RDWR)
