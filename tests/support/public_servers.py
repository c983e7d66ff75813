"""The servers of the test network (public_network.py): a public site, a private one, DNS, and misbehaving servers."""

from __future__ import annotations

import gzip
import os
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from tests.support.certificate import make_certificate
from tests.support.submissions import valid_signature

PUBLIC, PUBLIC_6 = "8.8.4.4", "2606:4700::1111"
"""The addresses of the public site."""
NAMES: dict[str, list[list[str]]] = {
    # name: its addresses in the first response, in the second response, ...
    "public.example": [[PUBLIC]],
    "other.example": [[PUBLIC]],
    "private.example": [["127.0.0.1"]],
    "metadata.example": [["169.254.169.254"]],
    "mixed.example": [[PUBLIC, "10.0.0.1"]],
    "rebind.example": [[PUBLIC], ["127.0.0.1"]],
    "nothing.example": [[]],
}


class Site(BaseHTTPRequestHandler):
    """The public site; the path decides the response."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[str]] = []
    """Method, host and path of each request."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_HEAD(self) -> None:
        """Respond without a body."""
        self.respond(body=False)

    def do_GET(self) -> None:
        """Respond with a body."""
        self.respond(body=True)

    def respond(self, *, body: bool) -> None:
        """Send the response for the path."""
        self.seen.append(f"{self.command} {self.headers['Host']} {self.path}")
        assert "Authorization" not in self.headers and "Cookie" not in self.headers
        self.close_connection = True
        word, _, rest = self.path.strip("/").partition("/")
        redirects = {
            "to": f"/{rest}",
            "circle": "/circle",
            "hop": "/secret",
            "to-private": "http://127.0.0.1/secret",
            "to-private-name": "http://private.example/secret",
            "to-file": "file:///etc/passwd",
            "to-password": "http://user:password@public.example/ok",
            "to-nowhere": "",
        }
        if word == "hops":
            self.send(302, location="/ok" if rest == "1" else f"/hops/{int(rest) - 1}")
        elif word in redirects:
            self.send(302, location=redirects[word])
        elif word == "no-head" and not body:
            self.send(405)
        elif word.isdigit():
            self.send(int(word))
        elif word in RAW_RESPONSES:
            RAW_RESPONSES[word](self.wfile.write)
        else:
            content = CONTENT.get(word, lambda: b"ok")()
            self.send(200, content if body else b"", length=len(content))

    def send(self, status: int, content: bytes = b"", location: str = "", length: int = 0) -> None:
        """Send a complete response."""
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)


def drip(write: Callable[[bytes], object], data: bytes, pause: float = 0.1) -> None:
    """Send a byte at a time."""
    for byte in data:
        write(bytes([byte]))
        time.sleep(pause)


def endless(write: Callable[[bytes], object], data: bytes) -> None:
    """Send data until the client closes the connection."""
    while True:
        write(data)


RAW_RESPONSES: dict[str, Callable[[Callable[[bytes], object]], object]] = {
    "drip-headers": lambda write: drip(write, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000),
    "endless-headers": lambda write: endless(write, b"HTTP/1.1 200 OK\r\n" + b"X-More: x\r\n" * 100),
    "long-header": lambda write: endless(write, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000),
    "drip.sig": lambda write: drip(write, b"HTTP/1.1 200 OK\r\n\r\n" + valid_signature()),
    "endless.sig": lambda write: endless(write, b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 100_000),
    "short.sig": lambda write: write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + valid_signature()),
    "chunked.sig": lambda write: write(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
        % (len(valid_signature()), valid_signature())
    ),
}  # fmt: skip
CONTENT: dict[str, Callable[[], bytes]] = {
    "good.sig": valid_signature,
    "packed.sig": lambda: gzip.compress(valid_signature(), mtime=0),
    "page.sig": lambda: b"<html>404</html>",
}


class Secret(BaseHTTPRequestHandler):
    """The private server on this machine; no client may reach it."""

    asked: ClassVar[list[str]] = []
    """The path of each request."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        """Send the secret."""
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the secret")

    do_HEAD = do_GET


class Names(socketserver.BaseRequestHandler):
    """A DNS server for NAMES: one question, A records (RFC 1035)."""

    asked: ClassVar[dict[str, int]] = {}

    def handle(self) -> None:
        """Respond to a query."""
        data, connection = self.request
        at, labels = 12, []
        while length := data[at]:
            labels.append(data[at + 1 : at + 1 + length].decode())
            at += 1 + length
        name, (kind,) = ".".join(labels), struct.unpack(">H", data[at + 1 : at + 3])
        known = NAMES.get(name)
        addresses: list[str] = []
        if known is not None and kind == 1:
            turn = self.asked[name] = self.asked.get(name, -1) + 1
            addresses = known[min(turn, len(known) - 1)]
        flags = 0x8180 if known is not None else 0x8183
        response = struct.pack(">2sHHHHH", data[:2], flags, 1, len(addresses), 0, 0) + data[12 : at + 5]
        for address in addresses:
            response += struct.pack(">HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(address)
        connection.sendto(response, self.client_address)


class Web6(ThreadingHTTPServer):
    """An HTTP server on IPv6."""

    address_family = socket.AF_INET6


class Web(ThreadingHTTPServer):
    """An HTTP server that does not wait for its slow responses when it stops."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Ignore clients that close the connection."""


def raw_server(port: int, serve_connection: Callable[[socket.socket], None]) -> None:
    """Start a server that does not speak HTTP."""

    def serve() -> None:
        with socket.create_server((PUBLIC, port)) as server:
            while True:
                connection, _ = server.accept()
                threading.Thread(target=serve_connection, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def reset(connection: socket.socket) -> None:
    """Reset the connection without a response."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def send_ssh_banner(connection: socket.socket) -> None:
    """Respond in another protocol."""
    with connection:
        connection.sendall(b"SSH-2.0-OpenSSH\r\n")


def stay_silent(connection: socket.socket) -> None:
    """Send nothing until the client closes the connection."""
    with connection:
        while connection.recv(1000):
            pass


def start_servers(scratch: Path) -> None:
    """Start all servers in threads; make their certificate the trusted one of this process and its children."""
    servers: list[socketserver.BaseServer] = [
        socketserver.ThreadingUDPServer(("127.0.0.1", 53), Names),
        Web((PUBLIC, 80), Site),
        Web((PUBLIC, 8080), Site),
        Web6((PUBLIC_6, 80), Site),
        Web(("127.0.0.1", 80), Secret),
        Web6(("::1", 80), Secret),
    ]
    certificate, key = scratch / "certificate.pem", scratch / "key.pem"
    make_certificate(certificate, key, "public.example", "DNS:public.example")
    os.environ["SSL_CERT_FILE"] = str(certificate)
    secure = Web((PUBLIC, 443), Site)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    for server in (*servers, secure):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    raw_server(9001, stay_silent)
    raw_server(9002, send_ssh_banner)
    raw_server(9003, reset)
