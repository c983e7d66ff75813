"""A server on loopback that answers as the bucket of the public signatures does: S3 without credentials, path style."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow
from pyarrow import parquet

from tests.support.small_world import SmallWorld, reference
from wort_cli.settings import load_settings

MANIFEST = "SOURMASH-MANIFEST.parquet"
RANGE = re.compile(r"bytes=(\d+)-(\d+)")
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Key>{key}</Key></Error>'
MISSING = {404: "NoSuchKey", 403: "AccessDenied"}
"""Answers of Ceph and AWS about an object that does not exist: with and without the permission to list."""


class PublicTwin:
    """The bucket; `contents` by key.  `breaks` is asked first: a key, and the name of a failure or ''."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.missing = 404
        self.breaks: Callable[[str], str] = lambda key: ""
        self.requests: list[str] = []
        """Method and key of each request."""
        self.sent = 0
        """Bytes of content."""
        twin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60.0

            def do_GET(self) -> None:
                twin.answer(self)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/wort-sra"

    @contextlib.contextmanager
    def serving(self) -> Iterator[PublicTwin]:
        """Serve while the context lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop()
            thread.join()

    def stop(self) -> None:
        """Stop serving: connections are refused from now on."""
        self._server.shutdown()
        self._server.server_close()

    def put(self, *runs: str) -> None:
        """Have the right signatures of some runs, as the public service writes them."""
        for run in runs:
            self.contents[f"sigs/{run}.sig"] = reference(run)

    def put_manifest(self, names: Sequence[str]) -> None:
        """Have a manifest with three sketches of each name."""
        self.contents[MANIFEST] = manifest(names)

    def asked_for(self) -> set[str]:
        """Return the keys that were asked for."""
        return {request.partition(" ")[2] for request in self.requests}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        assert "Authorization" not in handler.headers, "requests must not be signed"
        key = handler.path.partition("?")[0].removeprefix("/wort-sra/")
        self.requests.append(f"{handler.command} {key}")
        failure = self.breaks(key)
        if failure in ("503", "429"):
            self.send(handler, int(failure), {}, ERROR.format(code="SlowDown", key=key).encode())
        elif failure == "page":
            self.send(handler, 200, {"Content-Type": "text/html", "ETag": '"x"'}, b"<html>please log in</html>")
        elif failure == "portal":
            self.send(handler, 403, {"Content-Type": "text/html"}, b"<html>please log in</html>")
        elif key not in self.contents:
            self.send(handler, self.missing, {}, ERROR.format(code=MISSING[self.missing], key=key).encode())
        else:
            self.send_object(handler, self.contents[key], failure)

    def send_object(self, handler: BaseHTTPRequestHandler, content: bytes, failure: str) -> None:
        """Send an object, or the part that is asked for."""
        headers = {"ETag": f'"{hashlib.md5(content).hexdigest()}"', "Accept-Ranges": "bytes"}
        headers |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        found = RANGE.fullmatch(handler.headers.get("Range", ""))
        if found is None or failure == "no ranges":
            self.send(handler, 200, headers, content, cut=failure == "cut")
            return
        start, end = int(found[1]), min(int(found[2]), len(content) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self.send(handler, 206, headers, content[start : end + 1])

    def send(
        self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False
    ) -> None:
        """Send an answer; `cut` ends it halfway."""
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if cut:
            body, handler.close_connection = body[: len(body) // 2], True
        self.sent += len(body)
        with contextlib.suppress(OSError):
            handler.wfile.write(body)


def manifest(names: Sequence[str]) -> bytes:
    """Return a manifest with the columns of the public one, and three rows for each name."""
    rows = [(name, ksize) for name in names for ksize in (21, 31, 51)]
    number = len(rows)
    columns: dict[str, list[object]] = {
        "internal_location": [f"sigs/{name}.sig" for name, _ in rows],
        "md5": [hashlib.md5(f"{name} {ksize}".encode()).hexdigest() for name, ksize in rows],
        "md5short": [hashlib.md5(f"{name} {ksize}".encode()).hexdigest()[:8] for name, ksize in rows],
        "ksize": [ksize for _, ksize in rows],
        "moltype": ["DNA"] * number,
        "num": [0] * number,
        "scaled": [1000] * number,
        "n_hashes": [100] * number,
        "with_abundance": [1] * number,
        "name": [name for name, _ in rows],
        "filename": [""] * number,
        "sha256": [hashlib.sha256(name.encode()).hexdigest() for name, _ in rows],
        "creation_date": [datetime(2025, 12, 1)] * number,
        "size": [4321] * number,
    }
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file, compression="zstd", row_group_size=30_000)
    return file.getvalue()


class PublicWorld(SmallWorld):
    """A home without a bucket that reads the public signatures of a server on loopback."""

    def __init__(self, root: Path, twin: PublicTwin) -> None:
        super().__init__(root, None)
        self.twin = twin
        self.env |= {"WORT_S3_BUCKET": "", "WORT_S3_PRESET": twin.url, "WORT_S3_TIMEOUT": "2"}
        self.settings = load_settings(self.env)

    def url(self, run: str) -> str:
        """Return the URL of a public signature."""
        return f"{self.twin.url}/sigs/{run}.sig"
