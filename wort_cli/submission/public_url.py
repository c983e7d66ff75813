"""Asks a URL that a stranger named, and only if it is public: a client for HTTP that can't be led astray.

A name is resolved once, every address it has must be public, the connection goes to one of these and nowhere else, and
each redirect is judged anew.  There are no proxies, no credentials, no cookies; nothing is unpacked.  One deadline
holds for everything together, so that a server that drips a byte a second gains nothing, and what is read is bounded.

`trusted` is for addresses of the settings, which may be anywhere: only then is a private one asked.
"""

import http.client
import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import urljoin, urlsplit

import wort_cli
from wort_cli.errors import shown
from wort_cli.submission.public_address import why_not_public
from wort_cli.submission.refusal import Refusal

LONGEST_URL = 2000
MOST_REDIRECTS = 5
LONGEST_MESSAGE = 200
REDIRECTS = (301, 302, 303, 307, 308)
CHUNK = 1 << 16
LOWEST_FREE_PORT = 1024
AUTHORITY = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")


class Unreachable(Exception):
    """Nobody answered, or not to the end: it may be the network, and may be otherwise later."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{shown(url)} does not answer: {why}")
        self.why = why


@dataclass(frozen=True)
class Target:
    """A URL in its parts, checked."""

    url: str
    secure: bool
    host: str
    """A name, or an address without brackets."""
    port: int
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """For the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True)
class UrlResponse:
    """What a URL answered in the end."""

    url: str
    """After redirects."""
    status: int


def parse_url(url: str, *, trusted: bool = False) -> Target:
    """A URL that may be asked, in its parts; Refusal says what is wrong with it."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Refusal(f"{shown(url)} is no URL of at most {LONGEST_URL} plain letters", "URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refusal(f"{shown(url)} is no URL: {error}", "URL") from None
    if parts.scheme not in ("http", "https"):
        raise Refusal(f"{shown(url)} is neither http:// nor https://", "URL")
    if "@" in parts.netloc:
        raise Refusal(f"{shown(url)} has a user or a password in it", "URL", "public data need none")
    authority = AUTHORITY.fullmatch(parts.netloc)
    if authority is None:
        raise Refusal(f"{shown(url)} has no proper host", "URL")
    secure = parts.scheme == "https"
    port = port if port is not None else 443 if secure else 80
    if not trusted and port not in (80, 443) and port < LOWEST_FREE_PORT:
        raise Refusal(f"port {port} is none of the web's", "URL")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(url, secure, authority[1].strip("[]"), port, path)


class Client:
    """Asks URLs, all together within `seconds`."""

    def __init__(self, seconds: float, *, trusted: bool = False) -> None:
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._trusted = trusted

    def check(self, url: str) -> UrlResponse:
        """See that a URL answers; Refusal if it is not public or says no, Unreachable if it says nothing.

        HEAD first; of a server that does not like that, the first byte.
        """
        answer = self._follow("HEAD", url, None)
        if not is_good(answer.status):
            answer = self._follow("GET", url, lambda _: None, first_byte=True)
        if not is_good(answer.status):
            raise Refusal(f"{shown(url)} answers with status {answer.status}", "URL")
        return answer

    def fetch(self, url: str, take: Callable[[bytes], None]) -> UrlResponse:
        """Hand what a URL has to `take`, which may refuse; Refusal and Unreachable as in `check`."""
        answer = self._follow("GET", url, take)
        if answer.status != http.client.OK:
            raise Refusal(f"{shown(url)} answers with status {answer.status}", "URL")
        return answer

    def get(self, url: str, most: int) -> tuple[int, bytes]:
        """The status and the body of a URL; Refusal if there is more than that."""
        body = bytearray()

        def take(data: bytes) -> None:
            body.extend(data)
            if len(body) > most:
                raise Refusal(f"{shown(url)} sends more than {most:,} bytes", "URL")

        return self._follow("GET", url, take).status, bytes(body)

    def _follow(
        self, method: str, url: str, take: Callable[[bytes], None] | None, *, first_byte: bool = False
    ) -> UrlResponse:
        for _ in range(MOST_REDIRECTS + 1):
            target = parse_url(url, trusted=self._trusted)
            try:
                with closing(self._connect(target)) as connection:
                    response = self._ask(connection, target, method, first_byte=first_byte)
                    if response.status not in REDIRECTS:
                        if take is not None and is_good(response.status):
                            self._read(response, take, first_byte=first_byte)
                        return UrlResponse(url, response.status)
                    where = response.headers.get("Location", "")
            except TimeoutError:
                raise Unreachable(url, f"not all was said within {self._seconds:g} seconds") from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unreachable(url, readable(str(error) or type(error).__name__)) from None
            if not where:
                raise Refusal(f"{shown(url)} redirects to nowhere", "URL")
            try:
                url = urljoin(url, where)
            except ValueError:
                raise Refusal(f"{shown(url)} redirects to {shown(where)}, which is no URL", "URL") from None
        raise Refusal(f"it redirects more than {MOST_REDIRECTS} times", "URL")

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _connect(self, target: Target) -> socket.socket:
        """A connection to an address that was judged, and to no other."""
        trouble: OSError = OSError("the name has no address")
        for family, address in self._resolve(target):
            plain = socket.socket(family, socket.SOCK_STREAM)
            try:
                plain.settimeout(self._left())
                plain.connect((address, target.port))
                if plain.getpeername()[0] != address:
                    raise Refusal(f"{shown(target.host)} led to another address than it has", "URL")
                if not target.secure:
                    return plain
                return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
            except OSError as error:
                plain.close()
                trouble = error
            except BaseException:
                plain.close()
                raise
        raise trouble

    def _resolve(self, target: Target) -> list[tuple[socket.AddressFamily, str]]:
        """The addresses of a host, asked once; Refusal if any of them is not public."""
        found: list[Any] = []

        def ask() -> None:  # the resolver knows no deadline
            try:
                found.append(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
            except (OSError, UnicodeError) as error:
                found.append(OSError(f"{target.host} can't be resolved: {error}"))

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(self._left())
        if not found:
            raise TimeoutError
        if isinstance(found[0], OSError):
            raise found[0]
        addresses = [(family, str(address[0])) for family, _, _, _, address in found[0]]
        for _, address in addresses:
            why = "" if self._trusted else why_not_public(address)
            if why:
                raise Refusal(f"{shown(target.url)} is not public: it leads to {shown(address)}, and {why}", "URL")
        return addresses

    def _ask(
        self, connection: socket.socket, target: Target, method: str, *, first_byte: bool
    ) -> http.client.HTTPResponse:
        lines = [
            f"{method} {target.path} HTTP/1.1",
            f"Host: {target.authority}",
            f"User-Agent: wort/{wort_cli.__version__}",
            "Accept: */*",
            "Accept-Encoding: identity",
            "Connection: close",
            *(["Range: bytes=0-0"] if first_byte else []),
        ]
        connection.settimeout(self._left())
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        reader: BinaryIO = io.BufferedReader(DeadlineReader(connection, self._left), CHUNK)
        response = http.client.HTTPResponse(cast(socket.socket, SocketStandIn(reader)), method=method)
        response.begin()
        return response

    def _read(self, response: http.client.HTTPResponse, take: Callable[[bytes], None], *, first_byte: bool) -> None:
        while data := response.read(1 if first_byte else CHUNK):
            take(data)
            if first_byte:
                return
        if response.length:  # of a body that was announced, some is missing
            raise OSError(f"the connection ended, {response.length:,} bytes too early")


def readable(text: str) -> str:
    """A message that may have come from outside, without control characters and of bounded length."""
    return text if text.isprintable() and len(text) <= LONGEST_MESSAGE else shown(text, LONGEST_MESSAGE)


def is_good(status: int) -> bool:
    """Whether a status says that there is something."""
    return status in (200, 203, 206)


class DeadlineReader(io.RawIOBase):
    """What a connection receives, each time within what is left of the time for all."""

    def __init__(self, connection: socket.socket, left: Callable[[], float]) -> None:
        self._connection = connection
        self._left = left

    def readable(self) -> bool:
        """See RawIOBase."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See RawIOBase; TimeoutError when the time is over."""
        self._connection.settimeout(self._left())
        return self._connection.recv_into(buffer)


class SocketStandIn:
    """All that HTTPResponse wants of a socket."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader

    def makefile(self, mode: str) -> BinaryIO:
        """The reader, whatever the mode."""
        return self._reader
