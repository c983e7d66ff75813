"""A client that sends the same request over a few connections, as fast as the answers come.

It is plain: it sends prepared bytes, and reads an answer by its Content-Length.  So one core of it asks more than one
core of a Python server can answer.
"""

import asyncio
import time
from dataclasses import dataclass

CONNECTIONS = 16
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass(frozen=True)
class Load:
    """A measurement: answers per second, the status of the first one, and the seconds of each, in order."""

    per_second: float
    status: int
    seconds: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """Return the seconds within which a share of the answers came."""
        return self.seconds[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


class Client(asyncio.Protocol):
    """One connection, which sends a request after each answer."""

    def __init__(self, request: bytes, until: float) -> None:
        self._request, self._until = request, until
        self._left = 0
        self._data = b""
        self._sent_at = 0.0
        self.status = 0
        self.seconds: list[float] = []
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection has ended."""
        if not self.ended.done():
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        if self._left:
            self._left -= len(data)
        else:
            self._data += data
            end = self._data.find(HEAD_END)
            if end < 0:
                return
            head = self._data[:end].lower()
            self.status = self.status or int(head[9:12])
            at = head.index(LENGTH) + len(LENGTH)
            self._left = int(head[at:].split(b"\r", 1)[0]) - (len(self._data) - end - len(HEAD_END))
            self._data = b""
        if self._left == 0:
            self.seconds.append(time.perf_counter() - self._sent_at)
            if time.monotonic() < self._until:
                self._send()
            else:
                self._transport.close()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)


async def ask(port: int, path: str, seconds: float, connections: int, headers: str) -> Load:
    """Send a request for some seconds."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()
    loop, until, started = asyncio.get_running_loop(), time.monotonic() + seconds, time.monotonic()
    clients = [
        (await loop.create_connection(lambda: Client(request, until), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    await asyncio.gather(*(client.ended for client in clients))
    taken = time.monotonic() - started
    times = sorted(each for client in clients for each in client.seconds)
    return Load(len(times) / taken, clients[0].status, tuple(times))


def load(port: int, path: str, seconds: float, connections: int = CONNECTIONS, headers: str = "") -> Load:
    """Ask for a path for some seconds; the headers end with CR and LF."""
    return asyncio.run(ask(port, path, seconds, connections, headers))
