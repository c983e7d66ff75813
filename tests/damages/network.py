"""A network in memory: a locator, hosts that serve archives by ranges, and a client that asks them.

HTTP itself is tested elsewhere, with real servers.  Here a case has to take a few milliseconds.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.http import Answer, HttpClient, HttpError
from wort_cli.system.cancellation import NEVER, Cancellation


@dataclass
class Host:
    """Serves one archive by ranges."""

    data: bytes
    change: Callable[[bytes, int], bytes] = lambda body, first: body
    """The change of the body of an answer that begins at an offset of the archive."""
    status: int = 206
    times: int = -1
    """The number of answers that are changed; -1 for all."""
    size: int = 0
    """The size that it claims; 0 for the right one."""
    refuses: int = -1
    """It answers 503 to requests for this byte."""
    asked: int = 0
    sent: int = 0
    """Bytes."""

    def answer(self, url: str, requested: str) -> Answer:
        """Return the answer to a request for a range."""
        self.asked += 1
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", requested)
        assert found is not None, requested
        size = self.size or len(self.data)
        first, last = int(found[1]), min(int(found[2]), size - 1)
        status = 503 if first <= self.refuses <= last else self.status
        if status != 206:
            return Answer(status, {"Content-Type": "text/html"}, url, iter([b"<html></html>"]))
        body = self.data[first : last + 1].ljust(last + 1 - first, b"\0")
        if self.times:
            damaged = self.change(body, first)
            self.times -= damaged != body
            body = damaged
        self.sent += len(body)
        headers = {"Content-Range": f"bytes {first}-{last}/{size}", "Content-Length": str(last + 1 - first)}
        return Answer(206, headers, url, pieces(body, last + 1 - first))


def pieces(body: bytes, promised: int) -> Iterator[bytes]:
    """Yield a body as the real client does: it notices an answer that is shorter than promised."""
    for start in range(0, len(body), 1 << 16):
        yield body[start : start + (1 << 16)]
    if len(body) < promised:
        raise HttpError(Reason.NETWORK, "the answer broke off")


@dataclass
class Network:
    """The hosts that can be reached."""

    hosts: Mapping[str, Host]
    """The hosts by their names."""
    locator: Mapping[str, Any] | None = None
    """The answer to everything; None if it is down."""
    requests: list[str] = field(default_factory=list)
    """The hosts that were asked."""


class MemoryClient(HttpClient):
    """Asks a network in memory."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    @contextlib.contextmanager
    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        cancellation: Cancellation = NEVER,
    ) -> Iterator[Answer]:
        """Yield the answer of the network."""
        name = urlsplit(url).hostname or ""
        self._network.requests.append(name)
        if method == "POST":
            if self._network.locator is None:
                raise HttpError(Reason.NETWORK, "the locator does not answer")
            yield Answer(200, {}, url, iter([json.dumps(self._network.locator).encode()]))
            return
        yield self._network.hosts[name].answer(url, (headers or {}).get("Range", ""))
