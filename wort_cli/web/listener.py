"""The socket at which a server that encrypts listens: it bounds how many connections have not agreed on keys yet.

asyncio makes the state of TLS for each of them, and tells the protocol of a connection only when keys were agreed on.
A connection above the limit closes the one that has waited longest.
"""

import contextlib
import gc
import socket
import weakref
from collections import OrderedDict

MAX_HANDSHAKES = 200
COLLECTED_AFTER = 200
"""Closed connections after which their memory is freed."""
AT_ONCE = 50
"""Connections that are accepted before others continue."""


class HandshakeLimit:
    """The connections without keys, by the addresses of their clients; the oldest first."""

    def __init__(self, most: int = MAX_HANDSHAKES) -> None:
        self._most = most
        self._closed = 0
        self._waiting: OrderedDict[object, weakref.ref[socket.socket]] = OrderedDict()

    def add(self, connection: socket.socket, address: object) -> None:
        """Add a connection; close the one that has waited longest if there are too many."""
        self._waiting[address] = weakref.ref(connection)
        while len(self._waiting) > self._most:
            oldest = self._waiting.popitem(last=False)[1]()
            if oldest is not None:
                with contextlib.suppress(OSError):  # it is closed
                    oldest.shutdown(socket.SHUT_RDWR)
                self._closed = (self._closed + 1) % COLLECTED_AFTER
                if not self._closed:  # what asyncio had of them refers to itself, and has not been freed
                    gc.collect()

    def remove(self, address: object) -> None:
        """Forget a connection, which has keys."""
        self._waiting.pop(address, None)


class BoundedListener(socket.socket):
    """A listening socket whose connections are counted until they have keys."""

    _accepted = 0
    handshakes: HandshakeLimit | None = None

    def accept(self) -> tuple[socket.socket, object]:
        """Accept a connection.  Raises BlockingIOError now and then, so that the server does something else."""
        self._accepted = (self._accepted + 1) % AT_ONCE
        if not self._accepted:
            raise BlockingIOError
        connection, address = super().accept()
        if self.handshakes is not None:
            self.handshakes.add(connection, address)
        return connection, address
