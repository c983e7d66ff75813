"""A small internet in a network namespace: public addresses on the loopback, DNS names, and misbehaving servers.

`python -m tests.support.public_network` sets it up, tries every case of CASES in it with the real client, runs the
commands from standard input, and prints one JSON document.  `enter` starts it in a namespace, as root or as any user
who may create one.
"""

from __future__ import annotations

import gzip
import json
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.support.certificate import make_certificate
from tests.support.submissions import proper
from wort_cli.submission.public_url import Client, Unreachable
from wort_cli.submission.refusal import Refusal

PUBLIC, PUBLIC_6 = "8.8.4.4", "2606:4700::1111"
ADDRESSES = (PUBLIC, "8.8.8.8")
SECONDS = 1.5
"""Within which the client must be done with each case."""

NAMES: dict[str, list[list[str]]] = {
    # name: what it has, the first time it is asked for, the second time, ...
    "public.example": [[PUBLIC]],
    "other.example": [[PUBLIC]],
    "private.example": [["127.0.0.1"]],
    "metadata.example": [["169.254.169.254"]],
    "mixed.example": [[PUBLIC, "10.0.0.1"]],
    "rebind.example": [[PUBLIC], ["127.0.0.1"]],
    "nothing.example": [[]],
}

# case: the URL, and what must be in what is said; "answers" if the URL is good
CASES: dict[str, tuple[str, str]] = {
    "an address": ("http://8.8.4.4/ok", "answers"),
    "an IPv6 address": (f"http://[{PUBLIC_6}]/ok", "answers"),
    "a mapped public address": ("http://[::ffff:8.8.4.4]/ok", "answers"),
    "a name": ("http://public.example/ok", "answers"),
    "another port": ("http://public.example:8080/ok", "answers"),
    "https": ("https://public.example/ok", "answers"),
    "https of another name": ("https://other.example/ok", "does not answer"),
    "a server without HEAD": ("http://8.8.4.4/no-head", "answers"),
    "a redirect": ("http://public.example/to/ok", "answers"),
    "five redirects": ("http://public.example/hops/5", "answers"),
    "six redirects": ("http://public.example/hops/6", "more than 5 times"),
    "a redirect in a circle": ("http://public.example/circle", "more than 5 times"),
    "a redirect to this machine": ("http://public.example/to-private", "this machine"),
    "a redirect to a private name": ("http://public.example/to-private-name", "this machine"),
    "a redirect to a file": ("http://public.example/to-file", "neither http:// nor https://"),
    "a redirect with a password": ("http://public.example/to-password", "password"),
    "a redirect to nowhere": ("http://public.example/to-nowhere", "redirects to nowhere"),
    "not there": ("http://public.example/404", "status 404"),
    "a server's own trouble": ("http://public.example/500", "status 500"),
    "a private name": ("http://private.example/ok", "this machine"),
    "the metadata of a cloud": ("http://metadata.example/latest", "one link|private"),
    "a name with a private address too": ("http://mixed.example/ok", "private"),
    "a name that is rebound": ("http://rebind.example/hop", "this machine"),
    "a name without an address": ("http://nothing.example/ok", "resolved"),
    "a name that is not there": ("http://no.such.example/ok", "resolved"),
    "headers that drip": ("http://public.example/drip-headers", "within 1.5 seconds"),
    "headers without an end": ("http://public.example/endless-headers", "within 1.5 seconds|more than 100 headers"),
    "headers that drip over https": ("https://public.example/drip-headers", "within 1.5 seconds"),
    "a handshake without an answer": ("https://public.example:9001/", "within 1.5 seconds"),
    "a header of a megabyte": ("http://public.example/long-header", "line"),
    "a server that says nothing": ("http://public.example:9001/", "within 1.5 seconds"),
    "a server that talks rubbish": ("http://public.example:9002/", "does not answer"),
    "a server that hangs up": ("http://public.example:9003/", "does not answer"),
    "nobody there": ("http://8.8.8.8:81/", "none of the web's"),
    "nobody at a free port": ("http://8.8.8.8:8099/", "refused"),
    "loopback": ("http://127.0.0.1/secret", "this machine"),
    "loopback, short": ("http://127.1/secret", "this machine"),
    "loopback, decimal": ("http://2130706433/secret", "this machine"),
    "loopback, hexadecimal": ("http://0x7f000001/secret", "this machine"),
    "loopback, octal": ("http://0177.0.0.1/secret", "this machine"),
    "loopback, elsewhere": ("http://127.8.8.8/secret", "this machine"),
    "zero": ("http://0/secret", "this machine"),
    "loopback of IPv6": ("http://[::1]/secret", "this machine"),
    "unspecified of IPv6": ("http://[::]/secret", "this machine"),
    "mapped loopback": ("http://[::ffff:127.0.0.1]/secret", "this machine"),
    "mapped loopback, hexadecimal": ("http://[::ffff:7f00:1]/secret", "this machine"),
    "compatible loopback": ("http://[::127.0.0.1]/secret", "private"),
    "NAT64 of loopback": ("http://[64:ff9b::7f00:1]/secret", "this machine"),
    "6to4 of loopback": ("http://[2002:7f00:1::]/secret", "private"),
    "Teredo": ("http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/secret", "private"),
    "site local": ("http://[fec0::1]/secret", "private"),
    "unique local": ("http://[fd00:ec2::254]/secret", "private"),
    "link local": ("http://[fe80::1]/secret", "one link"),
    "with a zone": ("http://[fe80::1%25lo]/secret", "no proper host"),
    "multicast": ("http://224.0.0.1/secret", "multicast"),
    "multicast of IPv6": ("http://[ff02::1]/secret", "multicast"),
    "broadcast": ("http://255.255.255.255/secret", "private"),
    "10/8": ("http://10.0.0.1/secret", "private"),
    "172.16/12": ("http://172.31.255.255/secret", "private"),
    "192.168/16": ("http://192.168.0.1/secret", "private"),
    "carriers'": ("http://100.64.0.1/secret", "private"),
    "Azure's inside": ("http://168.63.129.16/secret", "private"),
    "documentation": ("http://192.0.2.1/secret", "private"),
    "localhost": ("http://localhost/secret", "this machine"),
    "a password": ("http://user:password@public.example/ok", "password"),
    "a user": ("http://127.0.0.1@public.example/ok", "password"),
    "ftp": ("ftp://public.example/ok", "neither http:// nor https://"),
    "gopher": ("gopher://127.0.0.1:6379/_FLUSHALL", "neither http:// nor https://"),
    "file": ("file:///etc/passwd", "neither http:// nor https://"),
    "no host": ("http:///etc/passwd", "no proper host"),
    "a backslash": ("http://public.example\\@127.0.0.1/", "no URL"),
    "a line feed": ("http://public.example/ok\r\nHost: x", "no URL"),
    "not ASCII": ("http://１２７.0.0.1/", "no URL"),
    "a port of mail": ("http://public.example:25/", "none of the web's"),
    "a port that is none": ("http://public.example:99999/", "no URL"),
    "too long": ("http://public.example/" + "x" * 3000, "no URL"),
}


class Site(BaseHTTPRequestHandler):
    """The public server."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[str]] = []
    """Method, host and path of each request."""

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_HEAD(self) -> None:
        """See `answer`."""
        self.answer(body=False)

    def do_GET(self) -> None:
        """See `answer`."""
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        """What the path asks for."""
        self.seen.append(f"{self.command} {self.headers['Host']} {self.path}")
        assert "Authorization" not in self.headers and "Cookie" not in self.headers
        self.close_connection = True
        what, _, more = self.path.strip("/").partition("/")
        redirects = {
            "to": f"/{more}",
            "circle": "/circle",
            "hop": "/secret",
            "to-private": "http://127.0.0.1/secret",
            "to-private-name": "http://private.example/secret",
            "to-file": "file:///etc/passwd",
            "to-password": "http://user:password@public.example/ok",
            "to-nowhere": "",
        }
        if what == "hops":
            self.reply(302, location="/ok" if more == "1" else f"/hops/{int(more) - 1}")
        elif what in redirects:
            self.reply(302, location=redirects[what])
        elif what == "no-head" and not body:
            self.reply(405)
        elif what.isdigit():
            self.reply(int(what))
        elif what in ODDITIES:
            ODDITIES[what](self.wfile.write)
        else:
            content = CONTENT.get(what, lambda: b"ok")()
            self.reply(200, content if body else b"", length=len(content))

    def reply(self, status: int, content: bytes = b"", location: str = "", length: int = 0) -> None:
        """A plain answer."""
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)


def drip(write: Callable[[bytes], object], data: bytes, pause: float = 0.1) -> None:
    """A byte at a time."""
    for byte in data:
        write(bytes([byte]))
        time.sleep(pause)


def endless(write: Callable[[bytes], object], data: bytes) -> None:
    """On and on, until nobody listens."""
    while True:
        write(data)


ODDITIES: dict[str, Callable[[Callable[[bytes], object]], object]] = {
    "drip-headers": lambda write: drip(write, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000),
    "endless-headers": lambda write: endless(write, b"HTTP/1.1 200 OK\r\n" + b"X-More: x\r\n" * 100),
    "long-header": lambda write: endless(write, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000),
    "drip.sig": lambda write: drip(write, b"HTTP/1.1 200 OK\r\n\r\n" + proper()),
    "endless.sig": lambda write: endless(write, b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 100_000),
    "short.sig": lambda write: write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + proper()),
    "chunked.sig": lambda write: write(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(proper()), proper())
    ),
}  # fmt: skip
CONTENT: dict[str, Callable[[], bytes]] = {
    "good.sig": proper,
    "packed.sig": lambda: gzip.compress(proper(), mtime=0),
    "page.sig": lambda: b"<html>404</html>",
}


class Secret(BaseHTTPRequestHandler):
    """The server on this machine, which nobody may be led to."""

    asked: ClassVar[list[str]] = []

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """Give the secret away."""
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the secret")

    do_HEAD = do_GET


class Names(socketserver.BaseRequestHandler):
    """A name server for NAMES: one question, A records (RFC 1035)."""

    asked: ClassVar[dict[str, int]] = {}

    def handle(self) -> None:
        """Answer."""
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
        answer = struct.pack(">2sHHHHH", data[:2], flags, 1, len(addresses), 0, 0) + data[12 : at + 5]
        for address in addresses:
            answer += struct.pack(">HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(address)
        connection.sendto(answer, self.client_address)


class Web6(ThreadingHTTPServer):
    """On IPv6."""

    address_family = socket.AF_INET6


class Web(ThreadingHTTPServer):
    """Does not wait for requests that drip."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """A client that has had enough is no error here."""


def raw_server(port: int, speak: Callable[[socket.socket], None]) -> None:
    """A server that does not speak HTTP."""

    def serve() -> None:
        with socket.create_server((PUBLIC, port)) as server:
            while True:
                connection, _ = server.accept()
                threading.Thread(target=speak, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def hang_up(connection: socket.socket) -> None:
    """A reset, in the midst of nothing."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def speak_otherwise(connection: socket.socket) -> None:
    """As another protocol begins."""
    with connection:
        connection.sendall(b"SSH-2.0-OpenSSH\r\n")


def say_nothing(connection: socket.socket) -> None:
    """Until the other side goes."""
    with connection:
        while connection.recv(1000):
            pass


def start_servers(scratch: Path) -> None:
    """Everything that answers."""
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
    raw_server(9001, say_nothing)
    raw_server(9002, speak_otherwise)
    raw_server(9003, hang_up)


def set_up(scratch: Path) -> None:
    """Addresses on the loopback of this namespace, and a resolver that asks our name server."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ADDRESSES:
        subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    subprocess.run(["ip", "-6", "addr", "add", f"{PUBLIC_6}/128", "dev", "lo", "nodad"], check=True)
    for name, content in (
        ("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
        ("nsswitch.conf", "hosts: files dns\n"),
        ("hosts", "127.0.0.1 localhost\n"),
    ):
        (scratch / name).write_text(content)
        place = Path("/etc", name).resolve()
        if place.exists():
            subprocess.run(["mount", "--bind", scratch / name, place], check=True)


def try_case(url: str) -> dict[str, Any]:
    """What the client makes of a URL, and how long it takes."""
    started = time.monotonic()
    try:
        said = f"answers: {Client(SECONDS).check(url).status}"
    except Refusal as refusal:
        said = f"refused: {refusal.why}"
    except Unreachable as error:
        said = f"unreachable: {error}"
    return {"said": said, "seconds": time.monotonic() - started}


def run_commands(commands: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """How commands end that are run in this network."""
    ended = []
    for command in commands:
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        ended.append({"code": done.returncode, "out": done.stdout, "err": done.stderr,
                      "seconds": time.monotonic() - started})  # fmt: skip
    return ended


def enter(commands: Sequence[Sequence[str]], env: dict[str, str]) -> dict[str, Any]:
    """Make the network in a namespace, try all cases and run `commands` there; what came of it."""
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    done = subprocess.run(
        ["unshare", *mapped, "--net", "--mount", sys.executable, "-m", "tests.support.public_network"],
        input=json.dumps(list(map(list, commands))), capture_output=True, text=True, check=False, env=env, timeout=110,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """See above; the commands are JSON on standard input."""
    commands = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as scratch:
        set_up(Path(scratch))
        start_servers(Path(scratch))
        cases = {name: try_case(url) for name, (url, _) in CASES.items()}
        ended = run_commands(commands)
        json.dump({"cases": cases, "commands": ended, "secret": Secret.asked, "seen": Site.seen}, sys.stdout)
        sys.stdout.flush()
        os._exit(0)  # servers that drip are in no hurry


if __name__ == "__main__":
    main()
