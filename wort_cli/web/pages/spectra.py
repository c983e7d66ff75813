"""Reads the sketches of signatures for pages: one at a time, in a thread of its own, and keeps what it has read.

A page does not wait for a large signature: it says that it is being read, and shows the histograms when it is loaded
again.  Bytes are compared with the catalog first, and read by the strict reader, within its limits.
"""

import logging
from collections import OrderedDict
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread

from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.errors import WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import SignatureRecord
from wort_cli.reading.facts import SketchFacts
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import LimitExceeded, Refusal
from wort_cli.reading.signatures import read_facts
from wort_cli.settings import Settings

LOG = logging.getLogger("wort.serve")
KEPT = 1000
"""Signatures whose sketches are kept; each takes some ten kilobytes."""
PENDING = 20
"""Signatures that wait to be read; others are read when their page is loaded again."""
PATIENCE = 0.5
"""Seconds that a page waits for its signature."""


@dataclass(frozen=True)
class Spectrum:
    """The sketches of a signature as they were read, or why there are none."""

    sketches: tuple[SketchFacts, ...] = ()
    why_not: str = ""
    pending: bool = False
    """Whether the signature is being read."""
    passing: bool = False
    """Whether reading it again may have another result."""


class Spectra:
    """The sketches of the signatures of a home."""

    def __init__(self, settings: Settings, *, patience: float = PATIENCE) -> None:
        self._settings = settings
        self._patience = patience
        self._kept: OrderedDict[tuple[str, ...], Future[Spectrum]] = OrderedDict()
        self._lock = Lock()
        self._tasks: SimpleQueue[tuple[Future[Spectrum], SignatureRecord, Profile] | None] = SimpleQueue()
        # The server does not wait for it when it stops, as it would for the thread of an executor.
        Thread(target=self._work, name="spectra", daemon=True).start()

    def of(self, record: SignatureRecord, profile: Profile) -> Spectrum:
        """Return the sketches of a signature of the local store."""
        if not record.path:
            return Spectrum(why_not="Only the bucket has the signature, so its histograms are not drawn here.")
        key = (str(record.name), record.profile, record.digest, record.sha256)
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                if sum(not one.done() for one in self._kept.values()) >= PENDING:
                    return Spectrum(pending=True)
                found = self._kept[key] = Future()
                self._tasks.put((found, record, profile))
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
        try:
            spectrum = found.result(self._patience)
        except NotYet:
            return Spectrum(pending=True)
        if spectrum.passing:
            with self._lock:
                self._kept.pop(key, None)
        return spectrum

    def close(self) -> None:
        """Read no more signatures."""
        self._tasks.put(None)

    def _work(self) -> None:
        while task := self._tasks.get():
            found, record, profile = task
            try:
                found.set_result(read(self._settings, record, profile))
            except Exception as error:
                LOG.exception("the sketches of %s: unexpected error: %s", record.name, type(error).__name__)
                found.set_result(Spectrum(why_not="The signature could not be read; the log says why.", passing=True))


def read(settings: Settings, record: SignatureRecord, profile: Profile) -> Spectrum:
    """Read the sketches of a signature from its file."""
    finder = SignatureFinder(settings, Ledger(settings.ledger_file, reading=True), profile)
    try:
        with finder.open_local(record) as file:
            return Spectrum(read_facts(file, ReadLimits.of(settings), profile).sketches)
    except FileNotFoundError:
        return Spectrum(why_not="The file of the signature is missing.", passing=True)
    except LimitExceeded:
        return Spectrum(why_not=f"The signature is too large to be drawn here; `wort view {record.name}` draws it.")
    except Refusal as refusal:
        return Spectrum(why_not=f"The file of the signature is damaged: {refusal.why}.", passing=True)
    except (WortError, OSError):
        why = "The file is not the signature that the catalog records, or can't be read."
        return Spectrum(why_not=why, passing=True)
