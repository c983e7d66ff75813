"""Requests a table and reads it row by row, as it arrives: bounded in memory, and never half of one.

The end of an answer must be known: by its length, or by the last chunk (RFC 9112, 6.3).  An answer that ends when the
connection does may be a part of one.
"""

import codecs
import csv
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import TypeVar

from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.http import Answer, HttpClient, HttpError, Timeouts
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.pipeline.projects.answers import HEAD, Fault, NoListing, Outcome, check_answer, fault
from wort_cli.settings import Settings
from wort_cli.system.cancellation import NEVER, Cancellation

MAX_LINE = 1 << 20
"""Characters."""
LONGEST_PAUSE = 120.0
"""Seconds for which a service may ask to wait before the request is sent again."""
Found = TypeVar("Found")


@contextmanager
def requests_of(
    settings: Settings, timeouts: Timeouts, pauses: tuple[float, ...] = (), cancellation: Cancellation = NEVER
) -> "Iterator[Requests]":
    """Yield a client of ENA and NCBI with the limits of the settings; `pauses` are as in Requests."""
    politeness = Politeness(
        settings.rates_dir, settings.connections, settings.request_interval, settings.request_pause or 60.0
    )
    with HttpClient(timeouts, 2, politeness) as client:
        yield Requests(client, lambda url: politeness.rate_limit(url).paused_for(), pauses, cancellation)


class Requests:
    """Requests to ENA and NCBI; one that fails is sent again after a pause.

    paused_for: the seconds for which the host of a URL asked for no requests
    pauses: the seconds before the second attempt, the third ...
    """

    def __init__(
        self,
        client: HttpClient,
        paused_for: Callable[[str], float],
        pauses: tuple[float, ...],
        cancellation: Cancellation,
    ) -> None:
        self._client = client
        self._paused_for = paused_for
        self._pauses = pauses
        self._cancellation = cancellation

    def get(self, service: str, url: str, read: Callable[[Iterator[str]], Found]) -> Found:
        """Return what `read` makes of the lines of an answer; each attempt reads a new answer.

        Raises NoListing if there is no answer that can be used.
        """
        for pause in self._pauses:
            try:
                return self._once(service, url, read)
            except NoListing as error:
                asked = self._paused_for(url)
                if not error.passing or asked > LONGEST_PAUSE:
                    raise
                self._wait(max(pause, asked))
        return self._once(service, url, read)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._cancellation.check()
            time.sleep(min(left, 0.2))

    def _once(self, service: str, url: str, read: Callable[[Iterator[str]], Found]) -> Found:
        try:
            with self._client.request("GET", url, cancellation=self._cancellation) as answer:
                return read(self._lines(service, answer))
        except HttpError as error:
            outcome = Outcome.RATE_LIMITED if error.reason is Reason.RATE_LIMITED else Outcome.NO_ANSWER
            raise NoListing(outcome, error.detail, passing=True) from error

    def _lines(self, service: str, answer: Answer) -> Iterator[str]:
        """Yield the lines of an answer that has rows; the last one only when the answer is complete."""
        body = iter(answer.body)
        head = b""
        while len(head) < HEAD and (piece := next(body, b"")):
            head += piece
        check_answer(service, answer.status, head)
        if not has_end(answer.headers):
            raise fault(Fault.NO_END)
        decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        rest = ""
        for piece in chain((head,), body):
            *lines, rest = (rest + decoder.decode(piece)).split("\n")
            yield from lines
            if len(rest) > MAX_LINE:
                raise fault(Fault.LONG_LINE)
        rest += decoder.decode(b"", True)
        if rest:
            yield rest


def has_end(headers: Mapping[str, str]) -> bool:
    """Return whether the headers of an answer say where its body ends."""
    names = {name.lower(): value.lower() for name, value in headers.items()}
    return "content-length" in names or "chunked" in names.get("transfer-encoding", "")


def csv_rows(lines: Iterator[str]) -> Iterator[list[str]]:
    """Yield the rows of a table in CSV.  Raises NoListing if it is not CSV."""
    try:
        yield from csv.reader(f"{line}\n" for line in lines)
    except csv.Error as error:
        raise fault(Fault.ROW, str(error)) from None
