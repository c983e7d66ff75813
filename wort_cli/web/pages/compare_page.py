"""Compares two signatures, as `wort view A B` does.

Both files are compared with the catalog, and read by the strict reader within its limits; one pair at a time, and only
small ones, because their hashes are in the memory of the server.  What was found is kept.
"""

from collections import OrderedDict
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

from wort_cli.api.signature_finder import SignatureFinder
from wort_cli.errors import UsageError, WortError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name, parse_name
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import SignatureRecord
from wort_cli.model.signature_file import Sketch
from wort_cli.model.similarity import Similarity, comparable, similarity
from wort_cli.reading.collection import read_collection
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import LimitExceeded, Refusal
from wort_cli.settings import Settings
from wort_cli.web.pages.places import names_in

LARGEST = 8_000_000
"""Bytes of both files together."""
KEPT = 500
PATIENCE = 1.0
"""Seconds for which a pair waits for the one before."""


@dataclass(frozen=True)
class ComparePage:
    """The similarity of two signatures, or why it is not known."""

    a: str = ""
    b: str = ""
    similarities: tuple[Similarity, ...] = ()
    why_not: str = ""
    is_live: bool = False
    """Whether another pair is being compared, so that this one is compared when the page is loaded again."""

    def document(self) -> dict[str, Any]:
        """Return what the page shows as JSON has it."""
        return asdict(self)


class Comparisons:
    """Compares signatures of a home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._kept: OrderedDict[tuple[str, ...], tuple[Similarity, ...]] = OrderedDict()

    def page(self, ledger: Ledger, a: tuple[Name, Profile], b: tuple[Name, Profile]) -> ComparePage:
        """Return the page of two signatures."""
        names = str(a[0]), str(b[0])
        records = [ledger.catalog.get(name, profile.name) for name, profile in (a, b)]
        for name, record in zip(names, records, strict=True):
            if record is None or not record.path:
                return ComparePage(*names, why_not=f"There is no signature of {name} on this server.")
        one, other = (record for record in records if record is not None)
        if one.size + other.size > LARGEST:
            why = f"The signatures are too large to be compared here; `wort view {names[0]} {names[1]}` compares them."
            return ComparePage(*names, why_not=why)
        if not self._lock.acquire(timeout=PATIENCE):
            return ComparePage(*names, is_live=True)
        try:
            return ComparePage(*names, self._compared(ledger, (one, a[1]), (other, b[1])))
        except LimitExceeded:
            return ComparePage(*names, why_not="The signatures are too large to be compared here.")
        except (Refusal, WortError, OSError):
            return ComparePage(*names, why_not="A file is not the signature that the catalog records, or is damaged.")
        finally:
            self._lock.release()

    def _compared(
        self, ledger: Ledger, a: tuple[SignatureRecord, Profile], b: tuple[SignatureRecord, Profile]
    ) -> tuple[Similarity, ...]:
        key = (a[0].digest, a[0].sha256, b[0].digest, b[0].sha256)
        if key not in self._kept:
            self._kept[key] = similarities(self._sketches(ledger, *a), self._sketches(ledger, *b))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _sketches(self, ledger: Ledger, record: SignatureRecord, profile: Profile) -> tuple[Sketch, ...]:
        with SignatureFinder(self._settings, ledger, profile).open_local(record) as file:
            documents = read_collection(file, ReadLimits.of(self._settings))
        return tuple(sketch for document in documents for sketch in document.sketches)


def similarities(a: tuple[Sketch, ...], b: tuple[Sketch, ...]) -> tuple[Similarity, ...]:
    """Return the similarity of each two sketches that can be compared."""
    return tuple(similarity(one, other) for one in a for other in b if comparable(one, other))


def compared_name(text: str) -> Name:
    """Return the name that a field has.  Raises UsageError if it is invalid."""
    names, others = names_in(text)
    if len(names) == 1 and not others:
        return names[0]
    try:
        return parse_name(text.strip())
    except UsageError:
        raise UsageError(
            f"{shown(text.strip())} is not the name of a signature", "give two, such as SRR139146"
        ) from None
