"""The sockets that a HTTP client has open, so that a thread that waits for a silent server can be interrupted.

A read from a socket ends only when bytes come or its timeout is over.  Shutting the socket down ends it at once.
"""

import contextlib
import socket
import threading
import weakref
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class OpenSockets:
    """The connections of one client; safe to use from several threads."""

    def __init__(self) -> None:
        self._connections: weakref.WeakSet[HTTPConnection] = weakref.WeakSet()
        self._lock = threading.Lock()

    def pool_classes(self) -> dict[str, Any]:
        """Return the classes of pools, for PoolManager.pool_classes_by_scheme, whose connections are known here."""
        opened = self

        class PlainConnection(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                opened.add(self)

        class TlsConnection(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                opened.add(self)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = PlainConnection

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = TlsConnection

        return {"http": PlainPool, "https": TlsPool}

    def add(self, connection: HTTPConnection) -> None:
        """Remember a connection that was opened."""
        with self._lock:
            self._connections.add(connection)

    def shut_down(self) -> None:
        """End all reads from the sockets: they fail as if the server had closed the connection."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    # Not ssl.SSLSocket.shutdown, which would take the TLS state from a thread that reads.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
