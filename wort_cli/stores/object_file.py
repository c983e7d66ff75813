"""An object as a file that is read in parts: what is not asked for is not fetched."""

import io

from wort_cli.stores.object_store import ObjectStore, StoredObject

BUFFER = 1 << 18
"""Bytes that are fetched at least."""


class ObjectFile(io.RawIOBase):
    """The content of an object."""

    def __init__(self, objects: ObjectStore, stored: StoredObject) -> None:
        self._objects = objects
        self._stored = stored
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the position, and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stored.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Fetch bytes from the position on; raise StoreError if the store does not send them."""
        size = min(len(buffer), self._stored.size - self._at)
        if size <= 0:
            return 0
        buffer[:size] = self._objects.read_range(self._stored.key, self._at, size)
        self._at += size
        return size


def opened(objects: ObjectStore, stored: StoredObject) -> io.BufferedReader:
    """Return an object as a buffered file."""
    return io.BufferedReader(ObjectFile(objects, stored), BUFFER)
