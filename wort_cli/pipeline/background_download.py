"""Downloads an archive in the background, so that its first slices are sketched while the rest arrives.

An archive may be read as soon as only the data of its largest column is missing (archives/obtain.py).  Until that has
arrived and matches its md5 sum, nothing that was read is believed: no slice is stored, nothing is sealed.
"""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from wort_cli.pipeline.archives.blob_index import UnknownIndex
from wort_cli.pipeline.archives.column_blobs import Rows
from wort_cli.pipeline.archives.obtain import ArrivingArchive, Obtained
from wort_cli.system.cancellation import Cancellation

Announce = Callable[[ArrivingArchive | None], None]
Obtain = Callable[[Announce, Cancellation], Obtained]


class ArrivedWrong(Exception):
    """The bytes that were read while an archive arrived were damaged; the archive has been fetched again since."""


class BackgroundDownload:
    """A download in a thread of its own.  See locate.Arrival."""

    def __init__(self, obtain: Obtain, cancellation: Cancellation) -> None:
        """Start it; `obtain` gets a function that announces the archive, and a token that `stop` cancels too."""
        self._stopped = threading.Event()
        self._first: Future[ArrivingArchive] = Future()
        """The archive, once it may be read."""
        self._withdrawn = threading.Event()
        self._executor = ThreadPoolExecutor(1, "download")
        token = Cancellation(lambda: self._stopped.is_set() or cancellation.requested())
        self._result = self._executor.submit(obtain, self._announce, token)

    def wait_until_readable(self) -> Obtained:
        """Return the archive as soon as it may be read.  Raises what the download raises."""
        either: list[Future[Any]] = [self._first, self._result]
        wait(either, return_when=FIRST_COMPLETED)
        return self._result.result() if self._result.done() else self._first.result().obtained

    def result(self) -> Obtained:
        """Wait until the download has ended; return the archive.  Raises what the download raises."""
        return self._result.result()

    @property
    def is_proved(self) -> bool:
        """See Arrival."""
        return self._result.done() and self._result.exception() is None and not self._withdrawn.is_set()

    def has(self, rows: Rows) -> bool:
        """See Arrival.  Raises ArrivedWrong once the archive that replaces it has arrived."""
        if self._result.done():
            return self.wait()
        if not self._withdrawn.is_set():
            with contextlib.suppress(UnknownIndex):
                return self._first.result().has(rows)
        return False

    def wait(self) -> bool:
        """See Arrival.  Raises ArrivedWrong as `has` does."""
        self._result.result()
        if self._withdrawn.is_set():
            raise ArrivedWrong
        return True

    def stop(self) -> None:
        """End the download."""
        self._stopped.set()
        self._executor.shutdown()

    def _announce(self, archive: ArrivingArchive | None) -> None:
        if archive is None or self._first.done():
            self._withdrawn.set()
        if archive is not None and not self._first.done():
            self._first.set_result(archive)
