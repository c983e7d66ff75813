"""Reads an archive while it is fetched, so that its sums are known soon after its last byte has arrived.

One thread reads; the connections of the fetch write meanwhile.  A read waits for the bytes that have not arrived.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from wort_cli.pipeline.archives.checksums import ReadExtent
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.partial import PIECE, PartialArchive
from wort_cli.system.cancellation import Cancelled

Result = TypeVar("Result")
WAIT = 0.02
"""Seconds between two looks whether more bytes have arrived."""


def while_arriving(
    partial: PartialArchive,
    fetch: Callable[[], None],
    examine: Callable[[ReadExtent], Result],
    report: Callable[[int], None] = lambda size: None,
) -> Result:
    """Return what `examine` returns; it reads the archive while `fetch` fetches it.

    `report` gets the bytes that were read so far, from the moment when all bytes have arrived.  Raises what `fetch`
    raises, or what `examine` raises.
    """
    reader = ArrivingReader(partial, report)
    with ThreadPoolExecutor(1, "proving") as executor:
        result = executor.submit(examine, reader.read)
        try:
            fetch()
            reader.note_complete()
            return result.result()
        except BaseException:
            reader.stop()
            raise


class ArrivingReader:
    """Reads extents of an archive that is fetched meanwhile."""

    def __init__(self, partial: PartialArchive, report: Callable[[int], None]) -> None:
        self._partial = partial
        self._report = report
        self._read = 0
        self._complete = threading.Event()
        self._stopped = threading.Event()

    def note_complete(self) -> None:
        """Do not wait for bytes any more: all have arrived."""
        self._complete.set()

    def stop(self) -> None:
        """Have the reads that wait raise Cancelled, because the fetch has failed."""
        self._stopped.set()

    def read(self, extent: Extent) -> Iterator[bytes]:
        """Yield the bytes of an extent in pieces, as they arrive.  Raises Cancelled after `stop`."""
        position = extent.offset
        while position < extent.end:
            wanted = Extent(position, min(PIECE, extent.end - position))
            while not self._complete.is_set() and self._partial.missing([wanted]):
                if self._stopped.wait(WAIT):
                    raise Cancelled
            for piece in self._partial.read(wanted):
                yield piece
                self._read += len(piece)
                if self._complete.is_set():
                    self._report(self._read)
            position = wanted.end
