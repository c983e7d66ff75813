"""A partial archive: a sparse file with those parts of an archive that have arrived, and a map of them.

    ACC.sra      as large as the archive; holes where nothing has arrived
    ACC.map      JSON: which archive it is, and the extents that are in the file and on the disk

The map only ever names extents whose bytes were synced before it was written.  So after a crash at any moment what it
names is there, and the rest is fetched again.  A map of another archive is discarded together with the file.
"""

import contextlib
import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from wort_cli.pipeline.archives.kar import Extent, merge_extents
from wort_cli.system.atomic_files import write_atomically

PIECE = 1 << 20
"""Bytes that are read together."""


@dataclass(frozen=True)
class Identity:
    """What tells an archive from another one, or from an earlier state of the same."""

    size: int
    md5: str = ""
    """Of the whole archive, by the locator; '' if unknown."""
    tag: str = ""
    """ETag or Last-Modified of the server, where no md5 is known."""


class PartialArchive:
    """The parts of one archive that have arrived; safe to use from several threads."""

    def __init__(self, path: Path, identity: Identity) -> None:
        self.path = path
        self.identity = identity
        self._map = path.with_suffix(".map")
        self._lock = threading.Lock()
        """Guards the two lists of extents."""
        self._saving = threading.Lock()
        """Held while the map is written."""
        self._arrived = self._known_extents()
        self._unsaved: list[Extent] = []
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not self._arrived:
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

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes that have arrived at their place.  Raises OSError if the disk is full or broken."""
        written = 0
        while written < len(data):
            written += os.pwrite(self._file, memoryview(data)[written:], offset + written)
        with self._lock:
            self._unsaved.append(Extent(offset, len(data)))

    def save(self) -> None:
        """Sync the bytes that have arrived, then name them in the map."""
        with self._saving:
            with self._lock:
                new = len(self._unsaved)
                arrived = merge_extents([*self._arrived, *self._unsaved])
            if not new:
                return
            os.fdatasync(self._file)
            self._write_map(arrived)
            with self._lock:
                self._arrived = arrived
                del self._unsaved[:new]

    def forget(self, extent: Extent) -> None:
        """Treat bytes as not arrived, because they turned out to be wrong."""
        self.save()
        with self._saving:
            arrived = missing([extent], self._arrived)
            self._write_map(arrived)
            with self._lock:
                self._arrived = arrived

    def missing(self, extents: Iterable[Extent]) -> list[Extent]:
        """Return the parts of some extents that have not arrived."""
        with self._lock:
            return missing(merge_extents([*self._arrived, *self._unsaved]), merge_extents(extents))

    def arrived_bytes(self) -> int:
        """Return how many bytes have arrived."""
        with self._lock:
            return sum(extent.size for extent in merge_extents([*self._arrived, *self._unsaved]))

    def read(self, extent: Extent) -> Iterator[bytes]:
        """Yield the bytes of an extent in pieces; zeros where nothing has arrived."""
        position = extent.offset
        while position < extent.end:
            piece = os.pread(self._file, min(PIECE, extent.end - position), position)
            if not piece:
                raise OSError(f"{self.path} is shorter than its archive")
            yield piece
            position += len(piece)

    def _write_map(self, arrived: list[Extent]) -> None:
        document = {"identity": asdict(self.identity), "arrived": [[e.offset, e.size] for e in arrived]}
        write_atomically(self._map, json.dumps(document).encode())

    def _known_extents(self) -> list[Extent]:
        """Return what an earlier attempt fetched of the same archive."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            document = json.loads(self._map.read_bytes())
            known = [Extent(int(offset), int(size)) for offset, size in document["arrived"]]
            whole = self.path.stat().st_size == self.identity.size
            inside = all(e.offset >= 0 and e.size > 0 and e.end <= self.identity.size for e in known)
            if Identity(**document["identity"]) == self.identity and whole and inside:
                return merge_extents(known)
        return []


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
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        document = json.loads(path.with_suffix(".map").read_bytes())
        return tuple(Extent(int(offset), int(size)) for offset, size in document["arrived"])
    return ()
