"""An HTTP client for URLs that strangers name: it requests a URL only if it is public (SSRF protection).

For each URL, and for each redirect again: parse it strictly; resolve the host once; refuse it unless every address is
public; connect to one of these very addresses; send the request.  public_address.py decides which addresses are public.
urllib3 carries TLS and HTTP.  No proxy, credential or cookie is used, and no content is decompressed.

One deadline covers everything, so that a server that sends a byte a second gains nothing, and reads are bounded.
URLs from the settings, which may be private, are requested by pipeline/archives/http.py.
"""

import contextlib
import http.client
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

import wort_cli
from wort_cli.errors import shown
from wort_cli.reading.refusal import Refusal
from wort_cli.submission.public_address import why_not_public

MAX_URL_LENGTH = 2000
MAX_REDIRECTS = 5
MAX_MESSAGE_LENGTH = 200
REDIRECTS = (301, 302, 303, 307, 308)
CHUNK = 1 << 16
FIRST_UNPRIVILEGED_PORT = 1024
AUTHORITY = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")


class Unreachable(Exception):
    """A URL did not answer, or not completely.  It may be the network; another try later may succeed."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{shown(url)} does not answer: {why}")
        self.why = why


@dataclass(frozen=True)
class Target:
    """The parts of a valid URL."""

    url: str
    secure: bool
    host: str
    """A name, or an address without brackets."""
    port: int
    path: str
    """The path with the query."""


@dataclass(frozen=True)
class UrlResponse:
    """The last response of a URL."""

    url: str
    """After redirects."""
    status: int


def parse_url(url: str) -> Target:
    """Return the parts of a URL; raise Refusal if it must not be requested."""
    if len(url) > MAX_URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Refusal(f"{shown(url)} is not a URL of at most {MAX_URL_LENGTH} printable ASCII characters", "URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refusal(f"{shown(url)} is not a valid URL: {error}", "URL") from None
    if parts.scheme not in ("http", "https"):
        raise Refusal(f"{shown(url)} is neither http:// nor https://", "URL")
    if "@" in parts.netloc:
        raise Refusal(f"{shown(url)} contains a user or a password", "URL", "leave them out: public data need none")
    authority = AUTHORITY.fullmatch(parts.netloc)
    if authority is None:
        raise Refusal(f"{shown(url)} has no valid host", "URL")
    secure = parts.scheme == "https"
    port = port if port is not None else 443 if secure else 80
    if port not in (80, 443) and port < FIRST_UNPRIVILEGED_PORT:
        raise Refusal(f"port {port} is not a port of a web server: use 80, 443, or one above 1023", "URL")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, secure, authority[1].strip("[]"), port, path)


class Client:
    """Requests URLs, all together within `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds

    def check(self, url: str) -> UrlResponse:
        """Return the response of a URL; raise Refusal if it is private or missing, Unreachable without a response.

        The request is HEAD; if the server rejects that, GET for the first byte.
        """
        response = self._follow("HEAD", url, None)
        if not is_success(response.status):
            response = self._follow("GET", url, lambda _: None, first_byte=True)
        if not is_success(response.status):
            raise Refusal(f"{shown(url)} answers with status {response.status}", "URL")
        return response

    def fetch(self, url: str, write: Callable[[bytes], None]) -> UrlResponse:
        """Pass the content of a URL to `write`, which may raise Refusal; errors as in `check`."""
        response = self._follow("GET", url, write)
        if response.status != http.client.OK:
            raise Refusal(f"{shown(url)} answers with status {response.status}", "URL")
        return response

    def _follow(
        self, method: str, url: str, write: Callable[[bytes], None] | None, *, first_byte: bool = False
    ) -> UrlResponse:
        for _ in range(MAX_REDIRECTS + 1):
            target = parse_url(url)
            with self._network_errors(url), self._request(target, method, first_byte=first_byte) as response:
                if response.status not in REDIRECTS:
                    if write is not None and is_success(response.status):
                        read_body(response, write, first_byte=first_byte)
                    return UrlResponse(url, response.status)
                location = response.headers.get("Location", "")
            if not location:
                raise Refusal(f"{shown(url)} redirects without a Location", "URL")
            try:
                url = urljoin(url, location)
            except ValueError:
                raise Refusal(f"{shown(url)} redirects to {shown(location)}, which is not a URL", "URL") from None
        raise Refusal(f"it redirects more than {MAX_REDIRECTS} times", "URL")

    @contextmanager
    def _network_errors(self, url: str) -> Iterator[None]:
        """Turn every error of the network, of TLS and of HTTP into Unreachable."""
        try:
            yield
        except (OSError, http.client.HTTPException, HTTPError, ValueError) as error:
            if time.monotonic() >= self._deadline:
                raise Unreachable(url, f"the response was not complete within {self._seconds:g} seconds") from None
            raise Unreachable(url, bounded_message(str(error) or type(error).__name__)) from None

    @contextmanager
    def _request(self, target: Target, method: str, *, first_byte: bool) -> Iterator[HTTPResponse]:
        """Send a request; yield the response, whose body is not read yet."""
        headers = {"User-Agent": f"wort/{wort_cli.__version__}", "Accept": "*/*", "Accept-Encoding": "identity",
                   "Connection": "close"}  # fmt: skip
        if first_byte:
            headers["Range"] = "bytes=0-0"
        with closing(self._connect(target)) as connection, self._until_deadline(connection):
            connection.request(method, target.path, headers=headers, preload_content=False, decode_content=False,
                               enforce_content_length=False)  # fmt: skip
            with closing(connection.getresponse()) as response:
                yield response

    def _connect(self, target: Target) -> HTTPConnection:
        """Return a connection to one of the checked addresses of a host."""
        failure = OSError("the host has no address")
        for address in self._resolve(target):
            kind = PinnedHTTPSConnection if target.secure else PinnedHTTPConnection
            connection = kind(target.host, target.port, address, self._left())
            try:
                connection.connect()
                if connection.sock is None or connection.sock.getpeername()[0] != address:
                    connection.close()
                    raise Refusal(f"{shown(target.host)} connected to an address that was not checked", "URL")
                return connection
            except OSError as error:
                connection.close()
                failure = error
        raise failure

    @contextmanager
    def _until_deadline(self, connection: HTTPConnection) -> Iterator[None]:
        """Shut a connection down at the deadline, because timeouts of sockets hold for one read each.

        Raise TimeoutError after the deadline: what was cut short may look complete.
        """
        timer = threading.Timer(self._left(), shut_down, (connection.sock,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        self._left()

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _resolve(self, target: Target) -> list[str]:
        """Return the addresses of a host, resolved once; raise Refusal if any of them is not public."""
        found: list[Any] = []

        def resolve() -> None:  # in a thread, because getaddrinfo has no timeout
            try:
                found.append(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                found.append(OSError(f"{target.host} cannot be resolved: {error}"))

        thread = threading.Thread(target=resolve, daemon=True)
        thread.start()
        thread.join(self._left())
        if not found:
            raise TimeoutError
        if isinstance(found[0], OSError):
            raise found[0]
        addresses = [str(address[0]) for *_, address in found[0]]
        for address in addresses:
            if why := why_not_public(address):
                raise Refusal(
                    f"{shown(target.url)} is not public: it resolves to {shown(address)}, which is {why}",
                    "URL",
                    "use a public URL",
                )
        return addresses


class PinnedHTTPConnection(HTTPConnection):
    """A connection to a given address; the Host header, SNI and the check of the certificate use the host's name."""

    def __init__(self, host: str, port: int, address: str, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self._address = address

    def _new_conn(self) -> socket.socket:
        return socket.create_connection((self._address, self.port), self.timeout)


class PinnedHTTPSConnection(PinnedHTTPConnection, HTTPSConnection):
    """The same with TLS."""


def read_body(response: HTTPResponse, write: Callable[[bytes], None], *, first_byte: bool) -> None:
    """Pass the body to `write`, or its first byte; raise OSError if it ends before its announced length."""
    while data := response.read(1 if first_byte else CHUNK):
        write(data)
        if first_byte:
            return
    if response.length_remaining:
        raise OSError(f"the connection closed {response.length_remaining:,} bytes too early")


def shut_down(sock: socket.socket) -> None:
    """End every read of a socket, also one that another thread waits for."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # SSLSocket's own method would change the TLS state


def bounded_message(text: str) -> str:
    """Return a message that may come from a server without control characters, and of bounded length."""
    return text if text.isprintable() and len(text) <= MAX_MESSAGE_LENGTH else shown(text, MAX_MESSAGE_LENGTH)


def is_success(status: int) -> bool:
    """Whether a status means that the URL has content."""
    return status in (200, 203, 206)
