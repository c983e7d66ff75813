"""A small HTTP server with a limit of connections, for the metrics.

Each connection has a thread.  One above the limit is closed at once, and one that is silent is closed after a while, so
that clients cannot use up the threads and file descriptors of the machine.
"""

import socket
import threading
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

MAX_CONNECTIONS = 16
MAX_SILENCE = 10.0
"""Seconds without data after which a connection is closed."""


class SilentHandler(WSGIRequestHandler):
    """Answers one connection, and logs nothing."""

    timeout = MAX_SILENCE

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing."""


class BoundedServer(ThreadingMixIn, WSGIServer):
    """Answers at most MAX_CONNECTIONS connections at the same time."""

    daemon_threads = True
    _free = threading.BoundedSemaphore(MAX_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread, or close it if there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a connection; then let another one have its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a client that leaves early is no error."""


def serve_in_thread(host: str, port: int, application: Callable[..., Any]) -> BoundedServer:
    """Serve a WSGI application until this process ends.  Raises OSError if the address cannot be bound."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]

    class Server(BoundedServer):
        address_family = family

    server = make_server(str(address[0]), port, application, Server, SilentHandler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
