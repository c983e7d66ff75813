"""HTTP connections with limits: how many there are, and how long each may take to send a request or read a response.

uvicorn limits none of these.  If there are too many connections, the one that has waited for a request longest is
closed; if none waits, or one address has too many, the new one gets 503.  A slow client is disconnected.
"""

import asyncio
import sys
from asyncio.sslproto import SSLProtocol
from http import HTTPStatus
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from wort_cli.system.open_files import allow_open_files
from wort_cli.web.errors import Problem
from wort_cli.web.listener import HandshakeLimit

MAX_CONNECTIONS = 2000
MAX_ENCRYPTED = 1000
"""Connections at the same time if the server encrypts."""
ENCRYPTED_BLOCK = 32 * 1024
"""Bytes that an encrypted connection reads at once; asyncio has a buffer of 256 kB for each."""
OTHER_FILES = 2000
"""Files that a server has open beside its connections: ledgers of threads, signatures, connections to be refused."""
MAX_CONNECTIONS_OF_A_CLIENT = 1500
"""Connections from one address; behind a proxy, from one that the proxy names."""
REQUEST_SECONDS = 30.0
"""Seconds within which the head of a request must arrive."""
READING_SECONDS = 120.0
"""Seconds after which a connection is closed whose client reads nothing of a response."""
NOT_HTTP = "this is not a request in HTTP/1.1"
TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 10\r\nConnection: close\r\n\r\n"


def allow_connections(*, tls: bool = False, behind_proxy: bool = False) -> None:
    """Let this process have as many connections as the limits say, or fewer if the system does not allow that.

    tls: whether the server encrypts; a connection then takes more memory
    behind_proxy: whether all come from a proxy, which names their clients (proxy.py)
    """
    BoundedProtocol.counts_addresses = not behind_proxy
    allowed = allow_open_files(MAX_CONNECTIONS + OTHER_FILES)
    BoundedProtocol.most = min(max(allowed // 2, allowed - OTHER_FILES), MAX_ENCRYPTED if tls else MAX_CONNECTIONS)
    if tls:
        SSLProtocol.max_size = ENCRYPTED_BLOCK


class BoundedProtocol(H11Protocol):
    """One connection."""

    open_of: ClassVar[dict[str, int]] = {}
    """The number of open connections of each address."""
    counts_addresses: ClassVar[bool] = True
    """Whether the connections of one address are limited."""
    most: ClassVar[int] = MAX_CONNECTIONS
    """Connections at the same time."""
    handshakes: ClassVar[HandshakeLimit] = HandshakeLimit()
    """The connections that are to be encrypted, and are not yet."""
    without_request: ClassVar[dict["BoundedProtocol", None]] = {}
    """The connections that wait for a request, or for the rest of its head; the oldest first."""

    _address = ""
    _request_due: float | None = None
    """When the head of a request must have arrived, on the loop's clock; None while a request is answered."""
    _request_timer: asyncio.TimerHandle | None = None
    """Looks whether it has.  It stays over many requests, because a timer for each would cost more than a redirect."""
    _reading_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection, or refuse it if there are too many."""
        peer = transport.get_extra_info("peername")
        self.handshakes.remove(peer)
        address = str(peer[0]) if isinstance(peer, tuple) else "-"
        of_address = self.open_of.get(address, 0)
        too_many = self.counts_addresses and of_address >= MAX_CONNECTIONS_OF_A_CLIENT
        if too_many or not self._has_room():
            transport.write(TOO_MANY)
            transport.close()
            return
        self.open_of[address] = of_address + 1
        self._address = address
        super().connection_made(transport)
        self._expect_request()

    def _has_room(self) -> bool:
        """Return whether one more connection is possible; close the one that has waited for a request longest."""
        if len(self.connections) < self.most:
            return True
        oldest = next(iter(self.without_request), None)
        if oldest is None:
            return False
        del self.without_request[oldest]
        self.connections.discard(oldest)
        oldest.transport.abort()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._stop_timers()
        self.without_request.pop(self, None)
        if not self._address:  # it was refused
            return
        self.open_of[self._address] -= 1
        if not self.open_of[self._address]:
            del self.open_of[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take data of a request; once its head is complete, a handler limits the time of its body."""
        if not self._address:
            return
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._request_due = None
            self.without_request.pop(self, None)

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are no request, or the body of none, and close the connection."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # a response is on its way
            self.transport.close()
            return
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        refusal = Problem(status, NOT_HTTP, reason="invalid").response
        headers = [*refusal.raw_headers, (b"x-content-type-options", b"nosniff"), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode()),
            h11.Data(data=bytes(refusal.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._expect_request()

    def pause_writing(self) -> None:
        """Limit the time for which a client reads nothing."""
        if self._address:
            super().pause_writing()
            self._reading_timer = self.loop.call_later(READING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Continue with a response that the client reads."""
        if self._reading_timer is not None:
            self._reading_timer.cancel()
        if self._address:
            super().resume_writing()

    def _expect_request(self) -> None:
        self._request_due = self.loop.time() + REQUEST_SECONDS
        if self._request_timer is None:
            self._request_timer = self.loop.call_at(self._request_due, self._check_request)
        self.without_request.pop(self, None)
        self.without_request[self] = None

    def _check_request(self) -> None:
        self._request_timer = None
        if self._request_due is None:
            return
        if self.loop.time() >= self._request_due:
            self.transport.abort()
        else:
            self._request_timer = self.loop.call_at(self._request_due, self._check_request)

    def _stop_timers(self) -> None:
        for timer in (self._request_timer, self._reading_timer):
            if timer is not None:
                timer.cancel()
