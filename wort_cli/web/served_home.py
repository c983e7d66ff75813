"""The home that a server serves: its settings, and its ledger, which each thread opens for itself."""

import threading
import time
from pathlib import Path

from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings
from wort_cli.web.options import ServeOptions

CHECKED = 0.5
"""Seconds for which nobody looks whether another file is in the ledger's place."""


class ServedHome:
    """A home for all threads of a server.  In a handler: `request.app.state.home`."""

    def __init__(self, settings: Settings, options: ServeOptions) -> None:
        self.settings = settings
        self.options = options
        self._threads = threading.local()

    @property
    def is_closed(self) -> bool:
        """Whether reading needs a token, or a sign-in."""
        return self.settings.serve_reading != "open"

    def ledger_of(self, path: Path) -> Ledger:
        """Return a ledger of this thread; a read-only server also reads one on a read-only disk."""
        return Ledger(path, reading=self.options.read_only)

    @property
    def ledger(self) -> Ledger:
        """The ledger of this thread.  It is opened again if another file has taken its place."""
        held: tuple[Ledger, object] | None = getattr(self._threads, "held", None)
        now = time.monotonic()
        if held is not None and now < self._threads.checked + CHECKED:
            return held[0]
        self._threads.checked = now
        path = self.settings.ledger_file
        try:
            found = path.stat()
            place = (found.st_dev, found.st_ino)
        except OSError:
            place = None
        if held is not None and (place is None or held[1] == place):
            return held[0]
        if held is not None:
            held[0].close()
        self._threads.held = (self.ledger_of(path), place)
        ledger: Ledger = self._threads.held[0]
        return ledger

    @property
    def version(self) -> tuple[object, object]:
        """A value that changes when another connection changes the ledger.  Compare only values of one thread."""
        ledger = self.ledger
        [(number,)] = ledger.storage.tuples("PRAGMA data_version", {})
        return self._threads.held[1], number
