"""Runs the server: binds its address, serves until SIGINT or SIGTERM, and lets the running requests end.

A second signal ends it at once.  SIGHUP opens the log again, and reads the certificate again; in a terminal, where it
says that the terminal was closed, it stops the server.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO, cast

import uvicorn

from wort_cli.errors import StorageProblem, WortError, cause_of, shown
from wort_cli.settings import Settings
from wort_cli.web.access_log import write_to_stderr
from wort_cli.web.app import make_app
from wort_cli.web.errors import LOG
from wort_cli.web.listener import BoundedListener
from wort_cli.web.log_file import LogFile
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
TICK = 0.1
"""Seconds between two looks whether a second signal has come."""


class StoppableServer(uvicorn.Server):
    """Stops at SIGINT and SIGTERM, and then returns; uvicorn would send itself the signal again."""

    def __init__(
        self,
        config: uvicorn.Config,
        start: Callable[[], None],
        reload: Callable[[], None],
        stop: Callable[[], None],
    ) -> None:
        """Take a configuration, and what is called once signals are handled, at SIGHUP, and when it is to stop."""
        super().__init__(config)
        self._start, self._reload, self._stop = start, reload, stop
        self._is_to_reload = False

    async def on_tick(self, counter: int) -> bool:
        """Do what is done ten times a second; return whether the server stops."""
        if self._is_to_reload:
            self._is_to_reload = False
            self._reload()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would run forever, and wait for the other requests."""
        self._stop()
        cut = asyncio.get_running_loop().create_task(self._cut_connections())
        await super().shutdown(sockets)
        cut.cancel()

    async def _cut_connections(self) -> None:
        """Close all connections, once a second signal has come."""
        while not self.force_exit:
            await asyncio.sleep(TICK)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal to stop."""
        self.force_exit = self.should_exit
        self.should_exit = True

    def handle_hangup(self, sig: int, frame: FrameType | None) -> None:
        """Note that the log and the certificate are to be read again."""
        self._is_to_reload = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals in the body."""
        hangup = self.handle_exit if os.isatty(sys.stderr.fileno()) else self.handle_hangup
        handlers = {signal.SIGINT: self.handle_exit, signal.SIGTERM: self.handle_exit, signal.SIGHUP: hangup}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            self._start()
            yield
        finally:
            for number, handler_before in before.items():
                signal.signal(number, handler_before)


def serve(
    settings: Settings, options: ServeOptions, announce: Callable[[str, str], None], log_file: Path | None = None
) -> None:
    """Serve a home until a signal.

    announce: is called when clients can connect, with the URL and that of the page at which the user of this machine
        signs in; the latter is empty if there is none
    log_file: where the log goes; None for stderr

    Raises WortError if the address cannot be bound, or the ledger cannot be opened; KeyboardInterrupt if running
    requests were cut off by a second signal.
    """
    home = ServedHome(settings, options)
    if not options.read_only:
        with contextlib.suppress(StorageProblem):  # such as a full disk, on which the server still reads
            home.ledger.controls.home_id()  # ids of tasks have it, also those that are only read
    services = Services.of(home)
    log = None if log_file is None else LogFile(log_file)
    app = make_app(home, services, write_to_stderr if log is None else log.write)
    log_errors(sys.stderr if log is None else log)
    allow_connections(tls=options.has_tls, behind_proxy=options.behind_proxy)
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
        if isinstance(listener, BoundedListener):
            listener.handshakes = BoundedProtocol.handshakes
        listener.listen(BACKLOG)
        url = options.url(listener.getsockname()[1])
        link = f"{url}sign-in?link={services.sessions.link}" if services.sessions.link else ""
        server = StoppableServer(
            config, lambda: announce(url, link), lambda: read_again(log, config, options), services.feed.stop
        )
        server.run([listener])
        app.flush()
        if server.force_exit:
            raise KeyboardInterrupt


def read_again(log: LogFile | None, config: uvicorn.Config, options: ServeOptions) -> None:
    """Open the log again, and read the certificate again; later connections use it."""
    if log is not None:
        log.reopen()
    if config.ssl is None or options.tls_certificate is None:
        return
    try:
        config.ssl.load_cert_chain(options.tls_certificate, options.tls_key)
    except OSError as error:
        LOG.error("the certificate or its key cannot be used, so the old one is: %s", cause_of(error))
    else:
        LOG.info("the certificate was read again")


def bound_socket(options: ServeOptions) -> socket.socket:
    """Return a socket that is bound to the address.  Raises WortError if that is impossible."""
    where = f"{options.host}:{options.port}"
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        made = socket.socket if not options.has_tls else BoundedListener
        listener = made(family, kind, protocol)  # asyncio sends small writes at once only if it knows TCP
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


def log_errors(stream: TextIO | LogFile) -> None:
    """Write errors of the server to a stream, beside the access log."""
    handler = logging.StreamHandler(cast("TextIO", stream))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (
        ("wort.serve", logging.INFO),
        ("uvicorn.error", logging.CRITICAL),  # it logs what clients do wrong, and errors that errors.py logs
    ):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
