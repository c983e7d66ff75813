"""Runs the server: binds its address, serves until SIGINT or SIGTERM, and lets the running requests end."""

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn

from wort_cli.errors import WortError, cause_of, shown
from wort_cli.settings import Settings
from wort_cli.web.app import make_app
from wort_cli.web.options import ServeOptions
from wort_cli.web.protocol import BoundedProtocol, allow_connections
from wort_cli.web.proxy import BehindProxy
from wort_cli.web.served_home import ServedHome
from wort_cli.web.services import Services
from wort_cli.web.strict import MAX_HEAD

BACKLOG = 1024
GRACE = 10
"""Seconds that running requests have after a signal to stop."""
KEEP_ALIVE = 15
"""Seconds for which an idle connection stays open."""


class StoppableServer(uvicorn.Server):
    """Stops at SIGINT and SIGTERM, and then returns; uvicorn would send itself the signal again."""

    def __init__(self, config: uvicorn.Config, start: Callable[[], None], stop: Callable[[], None]) -> None:
        """Take a configuration, and what is called once signals are handled, and when one has come."""
        super().__init__(config)
        self._start = start
        self._stop = stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would go on for ever, and wait for the other requests."""
        self._stop()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals in the body."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._start()
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(settings: Settings, options: ServeOptions, announce: Callable[[str, str], None]) -> None:
    """Serve a home until a signal.  `announce` is called when clients can connect, with the URL
    and that of the page at which the user of this machine signs in; the latter is empty if there is none.

    Raises WortError if the address cannot be bound, or the ledger cannot be opened.
    """
    home = ServedHome(settings, options)
    services = Services.of(home)
    app = make_app(home, services)
    log_to_stderr()
    allow_connections()
    with bound_socket(options) as listener:
        config = uvicorn.Config(
            BehindProxy(app) if options.behind_proxy else app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=True,
            root_path=options.root_path,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=MAX_HEAD,
            ssl_certfile=options.tls_certificate,
            ssl_keyfile=options.tls_key,
        )
        try:
            config.load()
        except OSError as error:  # ssl.SSLError is one
            raise WortError(f"the certificate or its key cannot be used: {cause_of(error)}") from error
        listener.listen(BACKLOG)
        url = options.url(listener.getsockname()[1])
        link = f"{url}sign-in?link={services.sessions.link}" if services.sessions.link else ""
        StoppableServer(config, lambda: announce(url, link), services.feed.stop).run([listener])
        app.flush()


def bound_socket(options: ServeOptions) -> socket.socket:
    """Return a socket that is bound to the address.  Raises WortError if that is impossible."""
    where = f"{options.host}:{options.port}"
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)  # asyncio sends small writes at once only if it knows TCP
    except OSError as error:
        raise WortError(f"cannot listen at {shown(where)}: {cause_of(error)}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise WortError(
            f"cannot listen at {shown(where)}: {cause_of(error)}", "choose another port with --port"
        ) from error
    return listener


def log_to_stderr() -> None:
    """Write errors of the server to stderr, beside the access log."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (
        ("wort.serve", logging.INFO),
        ("uvicorn.error", logging.CRITICAL),  # it logs what clients do wrong, and errors that errors.py logs
    ):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
