"""The connections of a HTTP client: one urllib3 pool manager for each proxy, or for none.

Certificates are verified, with the system's authorities or those of SSL_CERT_FILE.  Proxies come from HTTP_PROXY,
HTTPS_PROXY and NO_PROXY.

http.py has the rules of requests.  It imports this module, and urllib3, only where a client is made: a job whose
archive is on disk needs neither.
"""

import contextlib
import queue
import ssl
import urllib.request
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    SSLError,
    TimeoutError,
)

from wort_cli.errors import cause_of, shown
from wort_cli.pipeline.archives.open_sockets import OpenSockets


class ConnectionPools:
    """At most `size` connections to a host; safe to use from several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._managers: dict[str, urllib3.PoolManager] = {}
        self._sockets = OpenSockets()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        connect: float,
        silence: float,
    ) -> urllib3.BaseHTTPResponse:
        """Send a request and return the head of its answer; redirects are not followed, nothing is decompressed.

        connect, silence: seconds until a connection is made, and without a byte

        Raises HTTPError of urllib3, OSError or ValueError.
        """
        return self._manager(proxy_for(url)).request(
            method,
            url,
            body=body,
            headers=headers,
            timeout=urllib3.Timeout(connect=connect, read=silence),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def shut_down(self) -> None:
        """Have all requests that are made now fail at once."""
        self._sockets.shut_down()

    def close_idle(self) -> None:
        """Close idle connections at once; PoolManager.clear would leave that to the garbage collector."""
        for manager in list(self._managers.values()):
            for key in manager.pools.keys():  # noqa: SIM118 (it is not a dictionary)
                if (pool := manager.pools.get(key)) is not None:
                    close_idle_connections(pool)

    def _manager(self, proxy: str) -> urllib3.PoolManager:
        if proxy not in self._managers:
            context = tls_context()
            if proxy:
                manager: urllib3.PoolManager = urllib3.ProxyManager(proxy, maxsize=self._size, ssl_context=context)
            else:
                manager = urllib3.PoolManager(maxsize=self._size, ssl_context=context)
            manager.pool_classes_by_scheme = self._sockets.pool_classes()
            self._managers[proxy] = manager
        return self._managers[proxy]


def proxy_for(url: str) -> str:
    """Return the proxy of the environment for a URL; '' for none."""
    parts = urlsplit(url)
    if not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return ""
    proxy = urllib.request.getproxies().get(parts.scheme, "")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def close_idle_connections(pool: urllib3.HTTPConnectionPool) -> None:
    """Close the connections in a pool; the pool can still be used, by other threads too."""
    places = pool.pool
    if places is None:  # it is closed
        return
    taken = 0
    with contextlib.suppress(queue.Empty):
        while True:
            connection = places.get(block=False)
            taken += 1
            if connection is not None:
                connection.close()
    for _ in range(taken):
        with contextlib.suppress(queue.Full):  # a thread has put its connection there
            places.put(None, block=False)


@cache
def tls_context() -> ssl.SSLContext:
    """Return the settings of TLS connections; reading the authorities takes some 20 ms."""
    return ssl.create_default_context()


def sentence_of(error: Exception, host: str) -> str:
    """Return what an error of urllib3 means, in a sentence."""
    cause: BaseException = error
    while isinstance(cause, MaxRetryError) and cause.reason is not None:
        cause = cause.reason
    if isinstance(cause, ProxyError):
        return f"the proxy for {host} cannot be used: {shown(str(cause.original_error), 200)}"
    if isinstance(cause, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(cause):
        return f"the certificate of {host} is not trusted (SSL_CERT_FILE names a file of trusted authorities)"
    if isinstance(cause, ProtocolError) and "IncompleteRead" in str(cause):
        return f"the answer of {host} broke off"
    if isinstance(cause, NewConnectionError) and isinstance(cause.__cause__, OSError):
        return f"{host} cannot be reached: {cause_of(cause.__cause__)}"
    if isinstance(cause, TimeoutError):
        return f"{host} does not answer"
    how = " by TLS" if isinstance(cause, SSLError) else ""
    return f"{host} cannot be queried{how}: {shown(str(cause), 200)}"
