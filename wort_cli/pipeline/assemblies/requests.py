"""Requests for the small files about an assembly, and for parts of the tables; every answer is classified (answers.py).

A request that fails for a reason that may pass is sent again after a pause, a few times; after that, the job waits.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.http import Answer, HttpClient, HttpError, url_without_query
from wort_cli.pipeline.assemblies.answers import HEAD, Kind, Outcome, failure_of, meaning_of
from wort_cli.system.cancellation import Cancellation

TRIES = 3
PAUSE = 1.0
"""Seconds before a request is sent again."""
MOST = 16 << 20
"""Bytes of a small file."""
LONGEST_LINE = 1 << 20
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Piece:
    """A range of a file."""

    data: bytes
    total: int
    """Bytes of the whole file."""
    tag: str
    """The ETag or date that identifies this content of the file."""


class NoRanges(Exception):
    """A server sends a whole file although a range was requested."""


class Requests:
    """Requests of one attempt."""

    def __init__(self, client: HttpClient, cancellation: Cancellation) -> None:
        self.client = client
        self.cancellation = cancellation

    def text(self, kind: Kind, url: str) -> str | None:
        """Return a small file as text; None if there is none.  Raises JobFailed if there is no answer."""

        def read(answer: Answer, head: bytes) -> str:
            return collected(answer, head, MOST, url).decode("utf-8", "replace")

        return self._tried(kind, url, {}, read)

    def piece(self, kind: Kind, url: str, first: int, size: int) -> Piece | None:
        """Return a range of a file; None if there is no file.  Raises NoRanges, or JobFailed if there is no answer."""

        def read(answer: Answer, head: bytes) -> Piece:
            found = CONTENT_RANGE.fullmatch(header(answer.headers, "content-range"))
            if found is None or int(found[1]) != first:
                raise JobFailed(
                    Reason.NETWORK, f"{url_without_query(url)}: the server sent another range than was requested"
                )
            return Piece(collected(answer, head, size, url), int(found[3]), tag_of(answer.headers))

        return self._tried(kind, url, {"Range": f"bytes={first}-{first + size - 1}"}, read, needs_range=True)

    def lines(self, kind: Kind, url: str) -> Iterator[str]:
        """Yield the lines of a large text as it arrives; none if there is no such file.

        Raises JobFailed if there is no answer, or if it breaks off.
        """
        with explained(url), self.client.request("GET", url, cancellation=self.cancellation) as answer:
            head = first_bytes(answer.body)
            if not has_content(kind, url, answer, head):
                return
            rest = b""
            for piece in chain((head,), answer.body):
                *complete, rest = (rest + piece).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in complete)
                if len(rest) > LONGEST_LINE:
                    raise JobFailed(Reason.NETWORK, f"{url_without_query(url)} has a line that is too long")
            if rest:
                yield rest.decode("utf-8", "replace")

    def _tried(
        self,
        kind: Kind,
        url: str,
        headers: Mapping[str, str],
        read: Callable[[Answer, bytes], Found],
        *,
        needs_range: bool = False,
    ) -> Found | None:
        for _ in range(TRIES - 1):
            try:
                return self._once(kind, url, headers, read, needs_range=needs_range)
            except JobFailed as failed:
                if failed.failure.reason is not Reason.NETWORK:
                    raise
            self.wait(PAUSE)
        return self._once(kind, url, headers, read, needs_range=needs_range)

    def _once(
        self,
        kind: Kind,
        url: str,
        headers: Mapping[str, str],
        read: Callable[[Answer, bytes], Found],
        *,
        needs_range: bool,
    ) -> Found | None:
        with explained(url), self.client.request("GET", url, headers, cancellation=self.cancellation) as answer:
            if needs_range and answer.status == 200:
                raise NoRanges
            head = first_bytes(answer.body)
            return read(answer, head) if has_content(kind, url, answer, head) else None

    def wait(self, seconds: float) -> None:
        """Wait; raise Cancelled if the job is cancelled."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.cancellation.check()
            time.sleep(min(left, 0.1))


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn an HttpError into the failure of the job."""
    try:
        yield
    except HttpError as error:
        raise JobFailed(error.reason, f"{url_without_query(url)}: {error.detail}") from error


def has_content(kind: Kind, url: str, answer: Answer, head: bytes) -> bool:
    """Return whether content follows, or there is no such file; raise JobFailed for any other answer."""
    meaning = meaning_of(kind, answer.status, head)
    if meaning.outcome in (Outcome.CONTENT, Outcome.NOTHING):
        return meaning.outcome is Outcome.CONTENT
    raise failure_of(meaning, kind, url_without_query(url), answer.status)


def first_bytes(body: Iterator[bytes]) -> bytes:
    """Return the first bytes of a body, as many as are looked at or a few more."""
    head = b""
    while len(head) < HEAD and (piece := next(body, b"")):
        head += piece
    return head


def collected(answer: Answer, head: bytes, most: int, url: str) -> bytes:
    """Return a body that begins with `head`; raise JobFailed if it has more than `most` bytes."""
    pieces, size = [head], len(head)
    for piece in answer.body:
        pieces.append(piece)
        size += len(piece)
        if size > most:
            break
    if size > most:
        raise JobFailed(Reason.NETWORK, f"{url_without_query(url)}: the server sent more bytes than were requested")
    return b"".join(pieces)


def header(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a header; '' if there is none."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def tag_of(headers: Mapping[str, str]) -> str:
    """Return what identifies the content that an answer is of."""
    return header(headers, "etag") or header(headers, "last-modified")
