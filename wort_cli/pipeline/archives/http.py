"""HTTP for the locator and for archives, with the rules that both share.

- Certificates are verified, with the system's authorities or those of SSL_CERT_FILE.
- There are no credentials but those of a proxy (connection_pools.py), and no cookies.
- A redirect is followed only to https, or within the host that the user configured, and at most MAX_REDIRECTS times.
- Nothing is decompressed: a server that sends gzip although identity was requested is refused.
- A request ends after so many seconds without a byte, and after its deadline in any case.
- Connections and requests to a host are bounded over all processes (politeness.py); while a host is paused because it
  asked for that (429, or 503 with Retry-After), requests to it fail without being sent.

Every failure is a HttpError with a reason; what it means for a job is decided by the caller.
"""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import wort_cli
from wort_cli.errors import shown
from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.politeness import Connections, Politeness
from wort_cli.system.cancellation import NEVER, Cancellation

if TYPE_CHECKING:
    import urllib3

MAX_REDIRECTS = 5
PIECE = 1 << 16
"""Bytes that are read together."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_RETRY_AFTER = 3600.0
"""Seconds; a server that asks for a longer pause is asked again after that."""


class HttpError(Exception):
    """A request failed: `reason` says how, the text is a sentence for a person."""

    def __init__(self, reason: Reason, detail: str, *, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.status = status
        """The HTTP status of the answer; 0 if there was none."""
        self.retry_after = retry_after
        """Seconds for which the server asks not to be asked; 0 if it does not say."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds for one request."""

    connect: float = 10.0
    silence: float = 30.0
    """Without a byte."""
    total: float = 300.0


@dataclass(frozen=True)
class Answer:
    """The head of an answer, and its body as it arrives."""

    status: int
    headers: Mapping[str, str]
    url: str
    """Where it came from, after redirects."""
    body: Iterator[bytes] = field(repr=False)


class HttpClient:
    """Requests with pooled connections; safe to use from several threads."""

    def __init__(
        self, timeouts: Timeouts = Timeouts(), connections: int = 4, politeness: Politeness | None = None
    ) -> None:
        from wort_cli.pipeline.archives.connection_pools import ConnectionPools

        self._timeouts = timeouts
        self._pools = ConnectionPools(connections)
        self._politeness = politeness
        self._connections = Connections(politeness, self._close_idle) if politeness else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_idle()

    def interrupt(self) -> None:
        """Have all requests that are made now fail at once."""
        self._pools.shut_down()

    def close_idle(self) -> None:
        """Close all connections over which no request is made, so that other processes may connect."""
        if self._connections is None:
            self._close_idle()
        else:
            self._connections.release()

    def _close_idle(self) -> None:
        self._pools.close_idle()

    @contextlib.contextmanager
    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        cancellation: Cancellation = NEVER,
    ) -> Iterator[Answer]:
        """Send a request and yield its answer, whatever its status.

        Waits for a connection that the host may have.  Raises HttpError if there is no answer, if the host is paused,
        or if the body breaks off; Cancelled if the job is cancelled.
        """
        with contextlib.ExitStack() as turn:
            answer, final, deadline = self._follow(method, url, headers or {}, body, cancellation, turn)
            try:
                yield Answer(
                    answer.status,
                    dict(answer.headers.items()),
                    final,
                    self._pieces(answer, final, deadline, cancellation),
                )
            finally:
                answer.release_conn() if answer.closed else answer.close()

    def _follow(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        cancellation: Cancellation,
        turn: contextlib.ExitStack,
    ) -> "tuple[urllib3.BaseHTTPResponse, str, float]":
        """Return the answer after redirects, its URL, and its deadline; `turn` holds the slot of its connection."""
        first = url
        left = self._timeouts.total
        for _ in range(MAX_REDIRECTS + 1):
            self._wait_turn(url, cancellation, turn)
            started = time.monotonic()
            answer = self._send(method, url, headers, body, started + left)
            self._note_refusal(answer, url)
            target = answer.headers.get("Location")
            if answer.status not in REDIRECTS or not target:
                return answer, url, started + left
            answer.close()
            turn.close()
            left -= time.monotonic() - started
            target = urljoin(url, target)
            if not is_redirect_allowed(first, target):
                raise HttpError(Reason.NETWORK, f"{host_of(url)} redirects to {shown(target, 200)}, which is not https")
            url = target
            if answer.status == 303:
                method, body = "GET", None
        raise HttpError(Reason.NETWORK, f"{host_of(first)} redirects more than {MAX_REDIRECTS} times")

    def _wait_turn(self, url: str, cancellation: Cancellation, turn: contextlib.ExitStack) -> None:
        """Wait for a connection to a host; raise HttpError(rate-limited) if the host is paused."""
        if self._politeness is None or self._connections is None:
            return
        turn.enter_context(self._connections.one(url, cancellation))
        limit = self._politeness.rate_limit(url)
        if paused := limit.paused_for():
            detail = f"{host_of(url)} asked for fewer requests; {paused:.0f} seconds of the pause are left"
            raise HttpError(Reason.RATE_LIMITED, detail, status=429)
        if self._politeness.interval:
            limit.wait_turn(cancellation)

    def _note_refusal(self, answer: "urllib3.BaseHTTPResponse", url: str) -> None:
        """Pause a host that asks for fewer requests."""
        seconds = retry_after(answer.headers, time.time())
        if self._politeness is not None and (answer.status == 429 or (answer.status == 503 and seconds)):
            self._politeness.note_refusal(url, seconds)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> "urllib3.BaseHTTPResponse":
        left = max(0.1, deadline - time.monotonic())
        sent = {"User-Agent": f"wort/{wort_cli.__version__}", "Accept-Encoding": "identity", **headers}
        with explained(url):
            return self._pools.send(
                method,
                url,
                sent,
                body,
                connect=min(left, self._timeouts.connect),
                silence=min(left, self._timeouts.silence),
            )

    def _pieces(
        self, answer: "urllib3.BaseHTTPResponse", url: str, deadline: float, cancellation: Cancellation
    ) -> Iterator[bytes]:
        """Yield the body as it arrives."""
        if (encoding := answer.headers.get("Content-Encoding", "identity")) != "identity":
            raise HttpError(
                Reason.NETWORK, f"{host_of(url)} sends {shown(encoding)} although nothing but bytes was requested"
            )
        while True:
            cancellation.check()
            with explained(url):
                piece = answer.read1(PIECE)
            if not piece:
                if answer.length_remaining:
                    raise HttpError(Reason.NETWORK, f"the answer of {host_of(url)} broke off")
                return
            yield piece
            if time.monotonic() > deadline:
                raise HttpError(Reason.NETWORK, f"{host_of(url)} took longer than {self._timeouts.total:g} seconds")


def is_redirect_allowed(first: str, target: str) -> bool:
    """Return whether a redirect is safe: to https, or to the same host by http if the user configured http."""
    start, end = urlsplit(first), urlsplit(target)
    if end.username or end.password or not end.hostname:
        return False
    return end.scheme == "https" or (end.scheme == start.scheme == "http" and end.netloc == start.netloc)


def host_of(url: str) -> str:
    """Return the host of a URL as messages name it: without path, query and user, which may be signed or secret."""
    parts = urlsplit(url)
    return shown(f"{parts.hostname or '?'}:{parts.port}" if parts.port else parts.hostname or "?", 100).strip("'")


def url_without_query(url: str) -> str:
    """Return a URL as it may be recorded: its query may hold a signature that grants access."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """Return the seconds for which an answer asks to wait (RFC 9110, 10.2.3); 0 if it does not say.

    `now` is in seconds since 1970.
    """
    text = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return min(MAX_RETRY_AFTER, max(0.0, float(text)))
    from email.utils import parsedate_to_datetime

    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return min(MAX_RETRY_AFTER, max(0.0, parsedate_to_datetime(text).timestamp() - now))
    return 0.0


@contextlib.contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn an error of a connection into a HttpError with a sentence."""
    from urllib3.exceptions import HTTPError

    from wort_cli.pipeline.archives.connection_pools import sentence_of

    try:
        yield
    except HTTPError as error:
        raise HttpError(Reason.NETWORK, sentence_of(error, host_of(url))) from error
    except (OSError, ValueError) as error:
        raise HttpError(Reason.NETWORK, f"{host_of(url)} cannot be queried: {shown(str(error), 200)}") from error
