"""Opens thousands of connections to a running server: `make connections CONNECTIONS=10000`.

They come from several loopback addresses, and send half of the head of a request.  Meanwhile a client at another
address is answered.  Prints how many connections were kept, how many were refused, how long the client waited, and the
memory of the server.
"""

import argparse
import contextlib
import resource
import select
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.homes import Home
from tests.support.polling import until
from tests.support.processes import memory_of_tree
from tests.support.web_server import WebServer, serving

HALF = b"GET /health HTTP/1.1\r\nHost: x\r\n"
REFUSED = b"HTTP/1.1 503 "
OF_ONE_ADDRESS = 2500
"""Connections from one address, before the next one is used."""
SPARE = 200
"""Files of the client beside its connections."""


@dataclass(frozen=True)
class Outcome:
    """The fate of the connections."""

    kept: int
    refused: int
    seconds: float
    """The longest time for which the other client waited."""
    memory: int

    def __str__(self) -> str:
        megabytes = self.memory // 1_000_000
        return f"{self.kept} kept, {self.refused} refused; another client: {self.seconds:.2f} s; server: {megabytes} MB"


def open_all(server: WebServer, number: int, of_one_address: int = OF_ONE_ADDRESS) -> Iterator[socket.socket]:
    """Open connections, and send half of a request on each."""
    address = urlsplit(server.url)
    for n in range(number):
        source = f"127.0.0.{2 + n // of_one_address}"
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):  # it was refused
            connection = socket.create_connection((address.hostname, address.port), 60, (source, 0))
            connection.sendall(HALF)
            yield connection


def ask(server: WebServer) -> float:
    """Ask for something at an address of one's own; return how many seconds the answer takes."""
    address, started = urlsplit(server.url), time.monotonic()
    with socket.create_connection((address.hostname, address.port), 120, ("127.0.0.200", 0)) as connection:
        connection.sendall(HALF + b"Connection: close\r\n\r\n")
        answer = b""
        while block := connection.recv(65536):
            answer += block
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
    return time.monotonic() - started


def is_refused(connection: socket.socket) -> bool:
    """Return whether the server has refused a connection."""
    try:
        return bool(select.select([connection], [], [], 0)[0])
    except ValueError:  # select takes numbers below 1024 only
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))


def attack(server: WebServer, number: int, kept: int, of_one_address: int = OF_ONE_ADDRESS) -> Outcome:
    """Open connections until all except `kept` are refused; return their fate."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, number + SPARE)), hard))
    connections, waited = [], [ask(server)]
    try:
        for connection in open_all(server, number, of_one_address):
            connections.append(connection)
            if len(connections) % 500 == 0:
                waited.append(ask(server))
        until(lambda: sum(not is_refused(one) for one in connections) <= kept, "the others are refused", pause=0.5)
        remaining = sum(not is_refused(one) for one in connections)
        waited.append(ask(server))
        memory = memory_of_tree(server.running.process.pid)
        return Outcome(remaining, number - remaining, max(waited), memory)
    finally:
        for connection in connections:
            connection.close()


def main() -> int:
    """Do it with many connections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000)
    number = parser.parse_args().connections
    with tempfile.TemporaryDirectory() as root:
        home = Home(Path(root) / "h")
        with serving(home, "--rate", "0") as server:
            outcome = attack(server, number, 2000)
        home.end()
    print(outcome)
    return int(outcome.memory > 200_000_000)


if __name__ == "__main__":
    sys.exit(main())
