"""Exports signatures of the catalog into a collection or a directory.

For each signature, in order of the names: choose its sketches by the catalog; keep what an earlier export has of it;
else read its file, compare the bytes with the recorded checksum, and write them.  Nothing is parsed, unless sketches
are separated or reduced, or an earlier version of wort recorded the signature without its sketches.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.sketches import Entry
from wort_cli.model.absence import Absence, AbsenceReason
from wort_cli.model.provenance import Trust
from wort_cli.model.sketch_row import SketchRow
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import Refusal
from wort_cli.upkeep.export.read_rows import read_entry, record_rows
from wort_cli.upkeep.export.selection import Chosen, SketchSelection
from wort_cli.upkeep.export.sketch_texts import OtherContent, gzipped, signature_text, sketch_texts

SMALL = 1 << 22
"""Bytes of a file, at most, that is read at once."""
BLOCK = 1 << 20
NEW_ROWS = 500
"""Signatures whose sketches are recorded together."""


class Target(Protocol):
    """The target of an export."""

    def keep(self, entry: Entry, mark: bytes) -> int:
        """Keep what an earlier export has of a signature, if it has that mark; return the number of its sketches."""
        ...

    def add(self, name: str, rows: Sequence[SketchRow], content: bytes, mark: bytes) -> None:
        """Add a file with some sketches of a signature."""
        ...

    def add_stream(self, name: str, rows: Sequence[SketchRow], pieces: Iterable[bytes], size: int, mark: bytes) -> None:
        """Add a file of `size` bytes.  If the pieces raise an exception, nothing is added."""
        ...


class NoTarget:
    """Takes everything and writes nothing: for a dry run, which reads and compares all files."""

    def keep(self, entry: Entry, mark: bytes) -> int:
        """Keep nothing."""
        return 0

    def add(self, name: str, rows: Sequence[SketchRow], content: bytes, mark: bytes) -> None:
        """Do nothing."""

    def add_stream(self, name: str, rows: Sequence[SketchRow], pieces: Iterable[bytes], size: int, mark: bytes) -> None:
        """Read the pieces."""
        for _ in pieces:
            pass


@dataclass
class Exported:
    """The result of an export."""

    signatures: int = 0
    sketches: int = 0
    bytes: int = 0
    """Bytes of the files that were added."""
    kept: int = 0
    """Signatures that an earlier export had."""
    trusts: dict[Trust, int] = field(default_factory=dict)
    """The number of signatures of each trust."""


class Unusable(Exception):
    """The file of a signature cannot be exported."""

    def __init__(self, reason: AbsenceReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Exporter:
    """Exports signatures of one home; `store` is the root of its local store."""

    def __init__(self, ledger: Ledger, store: Path, limits: ReadLimits, selection: SketchSelection) -> None:
        self._ledger = ledger
        self._root = str(store)
        self._limits = limits
        self._selection = selection
        self._read: list[Entry] = []
        self.exported = Exported()

    def run(self, entries: Iterable[Entry], target: Target) -> Iterator[Absence]:
        """Export signatures; yield those that could not be, with the reason."""
        for entry in entries:
            try:
                self._export(entry, target)
            except Unusable as why:
                yield Absence.of(entry.name, why.reason, entry.profile)
        record_rows(self._ledger, self._read)

    def _export(self, entry: Entry, target: Target) -> None:
        if entry.trust is Trust.MISMATCH:
            raise Unusable(AbsenceReason.REFUTED)
        if not entry.path:
            raise Unusable(AbsenceReason.ONLY_IN_BUCKET)
        if not entry.sketches or not entry.sha256:
            entry = self._read_entry(entry)
        chosen = self._selection.of(entry)
        if not chosen:
            if self._selection.picklist is None:
                raise Unusable(AbsenceReason.NO_SUCH_SKETCH)
            return
        mark = self._selection.mark(entry, chosen)
        if kept := target.keep(entry, mark):
            self.exported.kept += 1
            self.exported.sketches += kept
        elif self._selection.takes_file(entry, chosen):
            self._add_file(entry, mark, target)
        else:
            self._add_sketches(entry, chosen, mark, target)
        self.exported.signatures += 1
        self.exported.trusts[entry.trust] = self.exported.trusts.get(entry.trust, 0) + 1

    def _add_file(self, entry: Entry, mark: bytes, target: Target) -> None:
        with self._opened(entry) as file:
            size = os.fstat(file.fileno()).st_size
            if size <= SMALL:
                target.add(entry.name, entry.sketches, content_of(file, entry.sha256), mark)
            else:
                target.add_stream(entry.name, entry.sketches, compared(file, entry.sha256, size), size, mark)
        self.exported.sketches += len(entry.sketches)
        self.exported.bytes += size

    def _add_sketches(self, entry: Entry, chosen: Sequence[Chosen], mark: bytes, target: Target) -> None:
        with self._opened(entry) as file:
            content = content_of(file, entry.sha256)
        try:
            before, texts = sketch_texts(content, entry.sketches, chosen, self._selection.scaled)
        except (OtherContent, Refusal):
            raise Unusable(AbsenceReason.NOT_THE_RECORDED) from None
        for some in [[one] for one in texts] if self._selection.separate else [texts]:
            packed = gzipped(signature_text(before, [text for _, text in some]))
            target.add(entry.name, [row for row, _ in some], packed, mark)
            self.exported.sketches += len(some)
            self.exported.bytes += len(packed)

    def _read_entry(self, entry: Entry) -> Entry:
        """Return an entry with the checksum and the sketches that its file has, which is read strictly."""
        with self._opened(entry) as file:
            found = read_entry(entry, file, self._limits, self._ledger.profiles.get(entry.profile))
        if found is None:
            raise Unusable(AbsenceReason.NOT_THE_RECORDED)
        if entry.sha256:  # else the catalog does not say which bytes these sketches are of
            self._read.append(found)
        if len(self._read) >= NEW_ROWS:
            record_rows(self._ledger, self._read)
            self._read = []
        return found

    def _opened(self, entry: Entry) -> IO[bytes]:
        path = f"{self._root}/{entry.path}"
        try:
            file = open(path, "rb", buffering=0, opener=open_without_waiting)  # noqa: SIM115 (quicker)
        except OSError:
            raise Unusable(AbsenceReason.FILE_MISSING) from None
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise Unusable(AbsenceReason.FILE_MISSING)
        return file


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file, also a pipe, without waiting for a writer; for the `opener` argument of `open`."""
    return os.open(path, flags | os.O_NONBLOCK)


def content_of(file: IO[bytes], sha256: str) -> bytes:
    """Return the bytes of a file; raise Unusable unless they have the recorded checksum."""
    try:
        content = file.read()
    except OSError:
        raise Unusable(AbsenceReason.FILE_MISSING) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Unusable(AbsenceReason.NOT_THE_RECORDED)
    return content


def compared(file: IO[bytes], sha256: str, size: int) -> Iterator[bytes]:
    """Yield `size` bytes of a file in pieces; raise Unusable unless they have the recorded checksum."""
    total = hashlib.sha256()
    while size > 0:
        try:
            piece = file.read(min(size, BLOCK))
        except OSError:
            raise Unusable(AbsenceReason.FILE_MISSING) from None
        if not piece:
            break
        total.update(piece)
        size -= len(piece)
        yield piece
    if size or total.hexdigest() != sha256:
        raise Unusable(AbsenceReason.NOT_THE_RECORDED)
