"""Fetches parts of an archive into a sparse file, by ranges over several connections.

Each connection asks for one chunk at a time; chunks grow while they arrive quickly.  What arrived is kept, so a chunk
that breaks off costs only its rest.  A location that fails is left for the next one.  The client bounds the connections
and requests to one host over all processes of this machine (politeness.py).
"""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from wort_cli.model.failure import Reason
from wort_cli.pipeline.archives.file_answers import ChangedArchive, check_part, may_pass
from wort_cli.pipeline.archives.http import HttpClient, HttpError, host_of
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.locator import Location
from wort_cli.pipeline.archives.partial import Identity, PartialArchive
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.system.cancellation import Cancellation, Cancelled

SMALLEST_CHUNK, FIRST_CHUNK, LARGEST_CHUNK = 1 << 20, 1 << 22, 1 << 25
"""Bytes; the last chunks are the smallest."""
QUICK = 1.0
"""Seconds; a chunk that took less is followed by one of twice its size."""
MIN_RATE, MIN_RATE_AFTER = 1000.0, 30.0
"""Bytes per second that an answer must bring, on average, once it has taken so many seconds."""
MIN_PROGRESS = 1 << 16
"""Bytes that an answer must bring before it breaks off, else it counts as a failure of its location."""
CHECK_INTERVAL = 0.5
"""Seconds between two looks whether the job was cancelled."""
SAVE_EVERY = 1.0
"""Seconds between writes of the map of what has arrived; a kill costs at most the bytes since the last one."""
FAILURES = 3
"""Consecutive failures after which a location is left; a chunk that brought bytes before it broke off is none."""
LARGE = 1 << 24
"""Bytes after whose fetch the connections are closed."""
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class Fetch:
    """Fetches extents of one archive from its locations, in order of preference."""

    def __init__(
        self,
        client: HttpClient,
        locations: Sequence[Location],
        partial: PartialArchive,
        politeness: Politeness,
        cancellation: Cancellation,
        report: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._partial = partial
        self._politeness = politeness
        self._stop = Cancellation(lambda: cancellation.requested() or self._failed.is_set())
        """Set if the job was cancelled, or if another connection failed permanently."""
        self._report = report
        """Called with the bytes that have just arrived, from several threads."""
        self._lock = threading.Lock()
        self._locations = list(locations)
        self.failed: list[Location] = []
        """The locations that are not asked any more."""
        self._failures = 0
        self._last_error: HttpError | None = None
        self._tags: dict[str, str] = {}
        """The ETag or Last-Modified that each URL had first."""
        self._failed = threading.Event()
        self._saved_at = time.monotonic()
        self.used: list[str] = []
        """The URLs that bytes came from."""

    def fetch(self, extents: Sequence[Extent]) -> None:
        """Fetch what is missing of some extents.

        Raises HttpError once no location is left, with the reason of the last one; OSError if the file cannot be
        written; Cancelled.  What has arrived by then is kept.
        """
        work = _Work(self._partial.missing(extents), self._politeness.connections)
        try:
            with ThreadPoolExecutor(self._politeness.connections, thread_name_prefix="fetch") as pool:
                running = [pool.submit(self._fetch_chunks, work) for _ in range(self._politeness.connections)]
                cancelled = True
                try:
                    cancelled = self._wait_for(running)
                finally:  # also after Ctrl-C
                    self._failed.set()
                    while cancelled and wait(running, 0).not_done:
                        self._client.interrupt()
                        wait(running, CHECK_INTERVAL)
        finally:
            self._partial.save()
            if work.size > LARGE:  # what follows, such as a proof, may take a while
                self._client.close_idle()
        self._failed.clear()
        errors = [error for future in running if (error := future.exception())]
        for error in sorted(errors, key=lambda error: isinstance(error, Cancelled)):
            raise error

    def _wait_for(self, running: Sequence["Future[None]"]) -> bool:
        """Wait until all connections have nothing to do or one has failed; return whether the job was cancelled."""
        while True:
            done, left = wait(running, CHECK_INTERVAL, return_when=FIRST_EXCEPTION)
            self._save_sometimes()
            if self._stop.requested():
                return True
            if not left or any(future.exception() for future in done):
                return False

    def _fetch_chunks(self, work: "_Work") -> None:
        """Fetch one chunk after the other until there are no more."""
        size = FIRST_CHUNK
        while (chunk := work.take(size)) is not None:
            rest, seconds = chunk, 0.0
            while rest.size:
                self._stop.check()
                rest, took = self._fetch_some(rest)
                seconds += took
            if seconds < QUICK:
                size = min(2 * size, LARGEST_CHUNK)

    def _fetch_some(self, chunk: Extent) -> tuple[Extent, float]:
        """Fetch a chunk, or its beginning if the answer breaks off; return what is left, and the seconds it took.

        The seconds count from the first byte, because a connection may have to be waited for.
        """
        location = self._current()
        arrived, started = 0, 0.0
        try:
            with contextlib.closing(self._pieces(location, chunk)) as pieces:
                for piece in pieces:
                    started = started or time.monotonic()
                    self._partial.write(chunk.offset + arrived, piece, named=location.named)
                    arrived += len(piece)
                    self._report(len(piece))
                    check_rate(arrived, time.monotonic() - started, location.url)
                    self._stop.check()
        except HttpError as error:
            took = time.monotonic() - (started or time.monotonic())
            progress = arrived >= min(chunk.size, MIN_PROGRESS) and arrived > MIN_RATE * took
            self._note_failure(location, error, progress=progress)
        else:
            self._note_success(location)
        return Extent(chunk.offset + arrived, chunk.size - arrived), time.monotonic() - (started or time.monotonic())

    def _pieces(self, location: Location, chunk: Extent) -> Generator[bytes, None, None]:
        """Yield the bytes of a chunk from a location, checked for being those."""
        headers = {"Range": f"bytes={chunk.offset}-{chunk.end - 1}"}
        with self._client.request("GET", location.url, headers, cancellation=self._stop) as answer:
            lower = {name.lower(): value for name, value in answer.headers.items()}
            check_part(answer.status, location.url, lower)
            check_range(lower, chunk, self._partial.identity.size, location.url)
            self._check_tag(location.url, lower)
            left = chunk.size
            for piece in answer.body:
                if len(piece) > left:
                    raise ChangedArchive(Reason.NETWORK, f"{host_of(location.url)} sends more than it was asked for")
                left -= len(piece)
                yield piece
            if left:
                raise HttpError(Reason.NETWORK, f"the answer of {host_of(location.url)} broke off")

    def _check_tag(self, url: str, headers: dict[str, str]) -> None:
        tag = headers.get("etag", "") or headers.get("last-modified", "")
        with self._lock:
            if self._tags.setdefault(url, tag) != tag:
                raise ChangedArchive(Reason.NETWORK, f"the archive at {host_of(url)} changed while it was fetched")

    def _current(self) -> Location:
        """Return the location to ask; raise the last error if none is left."""
        with self._lock:
            if self._locations:
                return self._locations[0]
            raise self._last_error or HttpError(Reason.NETWORK, "there is no location to fetch the archive from")

    def _note_success(self, location: Location) -> None:
        with self._lock:
            self._failures = 0
            if location.url not in self.used:
                self.used.append(location.url)

    def _note_failure(self, location: Location, error: HttpError, *, progress: bool) -> None:
        """Leave a location that fails again and again, or that cannot be right."""
        with self._lock:
            if location not in self._locations:
                return
            if self._last_error is None or error.reason is not Reason.NO_DATA:  # the others pass sooner
                self._last_error = error
            self._failures = 0 if progress else self._failures + 1
            passing = may_pass(error.status) and not isinstance(error, ChangedArchive)
            if not passing or self._failures >= FAILURES:
                self._locations.remove(location)
                self.failed.append(location)
                self._failures = 0

    def _save_sometimes(self) -> None:
        if time.monotonic() - self._saved_at > SAVE_EVERY:
            self._partial.save()
            self._saved_at = time.monotonic()


class _Work:
    """Extents that connections take in chunks."""

    def __init__(self, extents: Sequence[Extent], connections: int) -> None:
        self._lock = threading.Lock()
        self._extents = list(reversed(extents))
        self._connections = connections
        self.size = sum(extent.size for extent in extents)
        """Bytes of all chunks together."""
        self._left = self.size

    def take(self, size: int) -> Extent | None:
        """Return the next chunk of at most `size` bytes; None if there is none.

        Towards the end chunks get smaller, so that all connections end at about the same time.
        """
        with self._lock:
            if not self._extents:
                return None
            first = self._extents.pop()
            size = min(size, max(SMALLEST_CHUNK, self._left // self._connections))
            self._left -= min(size, first.size)
            if first.size > size:
                self._extents.append(Extent(first.offset + size, first.size - size))
            return Extent(first.offset, min(size, first.size))


def check_rate(arrived: int, seconds: float, url: str) -> None:
    """Raise HttpError if an answer arrives too slowly to be waited for."""
    if seconds > MIN_RATE_AFTER and arrived < MIN_RATE * seconds:
        raise HttpError(Reason.NETWORK, f"{host_of(url)} sends less than {MIN_RATE:g} bytes a second")


def check_range(headers: dict[str, str], chunk: Extent, size: int, url: str) -> None:
    """Raise ChangedArchive unless an answer is exactly the chunk of an archive of `size` bytes."""
    found = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    if found is None:
        raise ChangedArchive(Reason.NETWORK, f"{host_of(url)} does not say which range it sends")
    first, last, total = int(found[1]), int(found[2]), found[3]
    if total not in ("*", str(size)):
        raise ChangedArchive(Reason.NETWORK, f"{host_of(url)} has an archive of {total} bytes, expected are {size}")
    if (first, last) != (chunk.offset, chunk.end - 1) or headers.get("content-length", str(chunk.size)) != str(
        chunk.size
    ):
        raise ChangedArchive(Reason.NETWORK, f"{host_of(url)} sends bytes {first}-{last} in place of those asked for")


def probe(client: HttpClient, url: str, cancellation: Cancellation) -> Identity:
    """Return the size and tag of the archive at a URL, by asking for its first byte.  Raises HttpError."""
    with client.request("GET", url, {"Range": "bytes=0-0"}, cancellation=cancellation) as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        check_part(answer.status, url, headers)
        found = CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        if found is None or found[3] == "*" or not int(found[3]):
            raise ChangedArchive(Reason.NETWORK, f"{host_of(url)} does not say how large the archive is")
        return Identity(int(found[3]), tag=headers.get("etag", "") or headers.get("last-modified", ""))
