"""A partial archive: a sparse file with those parts of an archive that have arrived, and a map of them.

    ACC.sra      as large as the archive; holes where nothing has arrived
    ACC.map      JSON: which archive it is, the extents that are in the file and on the disk, and which of these came
                 from a location that the locator names (the others came from mirrors)

The map only ever names extents whose bytes were synced before it was written.  So after a crash at any moment what it
names is there, and the rest is fetched again.  A map of another archive is discarded together with the file.
"""

import contextlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from wort_cli.pipeline.archives.kar import Extent, merge_extents
from wort_cli.system.atomic_files import write_atomically
from wort_cli.system.private_files import make_directories
from wort_cli.system.seals import read_sealed_document, sealed_document

MAP = "map of an archive"
"""The kind of its seal."""
PIECE = 1 << 20
"""Bytes that are read together."""
LATEST = 16
"""Extents that bytes may continue which have just arrived."""


@dataclass(frozen=True)
class Identity:
    """The identity of an archive, which distinguishes it from others and from earlier states of itself."""

    size: int
    md5: str = ""
    """The locator's md5 of the whole archive; '' if unknown."""
    tag: str = ""
    """ETag or Last-Modified of the server, where no md5 is known."""

    def continued(self, earlier: "Identity") -> "Identity | None":
        """Return the identity with which a fetch of `earlier` can continue; None if it is another archive.

        The md5 of one of the two is enough: whatever was fetched is compared with sums before it is used.
        """
        if self.size != earlier.size:
            return None
        if self.md5 and earlier.md5:
            return self if self.md5 == earlier.md5 else None
        if self.md5 or earlier.md5:
            return self if self.md5 else earlier
        return self if self.tag == earlier.tag else None


@dataclass(frozen=True)
class _Extents:
    """Extents of the archive that are in the file."""

    arrived: list[Extent] = field(default_factory=list)
    named: list[Extent] = field(default_factory=list)
    """Extents that came from a location which the locator names."""

    def added_to(self, others: "_Extents") -> "_Extents":
        """Return both together, merged."""
        return _Extents(merge_extents([*others.arrived, *self.arrived]), merge_extents([*others.named, *self.named]))


@dataclass(frozen=True)
class _Map:
    """The content of the file ACC.map."""

    identity: Identity
    extents: _Extents = field(default_factory=_Extents)


class PartialArchive:
    """The parts of one archive that have arrived; safe to use from several threads."""

    def __init__(self, path: Path, identity: Identity, key: bytes = b"") -> None:
        """Continue what an earlier attempt fetched, if its map was sealed with the same key."""
        self.path = path
        self._map = path.with_suffix(".map")
        self._key = key
        self._lock = threading.Lock()
        """Guards the lists of extents."""
        self._saving = threading.Lock()
        """Held while the map is written."""
        known = self._read_map(identity)
        self.identity = known.identity
        """The identity, with the md5 that an earlier attempt got from the locator if the caller has none."""
        self._saved = known.extents
        """The extents in the map on disk."""
        self._syncing = _Extents()
        """The extents that `save` is about to add to the map."""
        self._unsaved = _Extents()
        make_directories(path.parent)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not self._saved.arrived:
                os.ftruncate(self._file, 0)
            os.ftruncate(self._file, identity.size)
        except BaseException:
            os.close(self._file)
            raise

    def close(self) -> None:
        """Save the map and close the file."""
        try:
            self.save()
        finally:
            os.close(self._file)

    def delete(self) -> None:
        """Close and remove the file and its map."""
        os.close(self._file)
        self.path.unlink(missing_ok=True)
        self._map.unlink(missing_ok=True)

    def write(self, offset: int, data: bytes, *, named: bool = False) -> None:
        """Put bytes that have arrived at their place; `named` if the locator names the location that they came from.

        Raises OSError if the disk is full or broken.
        """
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, memoryview(data)[written:], offset + written)
        with self._lock:
            append_extent(self._unsaved.arrived, Extent(offset, len(data)))
            if named:
                append_extent(self._unsaved.named, Extent(offset, len(data)))

    def save(self) -> None:
        """Sync the bytes that have arrived, then name them in the map."""
        with self._saving:
            with self._lock:
                self._syncing, self._unsaved = self._unsaved.added_to(self._syncing), _Extents()
                if not self._syncing.arrived:
                    return
                saved = self._syncing.added_to(self._saved)
            os.fdatasync(self._file)
            self._write_map(saved)
            with self._lock:
                self._saved, self._syncing = saved, _Extents()

    def forget(self, extent: Extent) -> None:
        """Treat bytes as not arrived, because they turned out to be wrong."""
        self.save()
        with self._saving:
            left = _Extents(missing([extent], self._saved.arrived), missing([extent], self._saved.named))
            self._write_map(left)
            with self._lock:
                self._saved = left

    def not_named(self, extents: Iterable[Extent]) -> list[Extent]:
        """Return the parts of some extents that have arrived from a location which the locator does not name."""
        here, wanted = self._here(), merge_extents(extents)
        return missing(merge_extents([*missing(here.arrived, wanted), *here.named]), wanted)

    def missing(self, extents: Iterable[Extent]) -> list[Extent]:
        """Return the parts of some extents that have not arrived."""
        return missing(self._here().arrived, merge_extents(extents))

    def arrived_bytes(self) -> int:
        """Return how many bytes have arrived."""
        return sum(extent.size for extent in self._here().arrived)

    def read(self, extent: Extent) -> Iterator[bytes]:
        """Yield the bytes of an extent in pieces; zeros where nothing has arrived."""
        position = extent.offset
        while position < extent.end:
            piece = os.pread(self._file, min(PIECE, extent.end - position), position)
            if not piece:
                raise OSError(f"{self.path} is shorter than its archive")
            yield piece
            position += len(piece)

    def _here(self) -> "_Extents":
        """Return what is in the file, synced or not."""
        with self._lock:
            return self._unsaved.added_to(self._syncing).added_to(self._saved)

    def _write_map(self, saved: "_Extents") -> None:
        document = {
            "identity": asdict(self.identity),
            "arrived": pairs_of(saved.arrived),
            "named": pairs_of(saved.named),
        }
        write_atomically(self._map, sealed_document(document, self._key, MAP))

    def _read_map(self, identity: Identity) -> _Map:
        """Return what an earlier attempt fetched of the same archive."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            document = read_sealed_document(self._map, self._key, MAP)
            arrived = extents_of(document["arrived"], identity.size)
            named = extents_of(document["named"], identity.size)
            earlier = document["identity"]
            continued = identity.continued(Identity(int(earlier["size"]), str(earlier["md5"]), str(earlier["tag"])))
            if continued and self.path.stat().st_size == identity.size:
                return _Map(continued, _Extents(arrived, named))
        return _Map(identity)


def append_extent(extents: list[Extent], extent: Extent) -> None:
    """Add an extent to those that were added last; join it to the one that it continues.

    Each connection adds pieces one after the other, so that only as many extents are looked at.
    """
    for index in range(len(extents) - 1, max(-1, len(extents) - 1 - LATEST), -1):
        if extents[index].end == extent.offset:
            extents[index] = Extent(extents[index].offset, extents[index].size + extent.size)
            return
    extents.append(extent)


def pairs_of(extents: Iterable[Extent]) -> list[list[int]]:
    """Return extents as JSON has them: pairs of offset and size."""
    return [[extent.offset, extent.size] for extent in extents]


def extents_of(pairs: Iterable[Iterable[int]], size: int) -> list[Extent]:
    """Return the extents in JSON, merged.  Raises ValueError or TypeError unless all are inside a file of `size`."""
    extents = [Extent(int(offset), int(length)) for offset, length in pairs]
    if not all(extent.offset >= 0 and extent.size > 0 and extent.end <= size for extent in extents):
        raise ValueError("an extent is outside the archive")
    return merge_extents(extents)


def missing(present: list[Extent], wanted: list[Extent]) -> list[Extent]:
    """Return the parts of `wanted` that are not in `present`; both are merged."""
    rest: list[Extent] = []
    for extent in wanted:
        start = extent.offset
        for part in present:
            if part.end <= start or part.offset >= extent.end:
                continue
            if part.offset > start:
                rest.append(Extent(start, part.offset - start))
            start = max(start, part.end)
        if start < extent.end:
            rest.append(Extent(start, extent.end - start))
    return rest


def extents_in_map(path: Path) -> tuple[Extent, ...]:
    """Return what has arrived of the archive in a file, as its map says; nothing if there is no map."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        document = json.loads(path.with_suffix(".map").read_bytes())
        return tuple(Extent(int(offset), int(size)) for offset, size in document["arrived"])
    return ()
