"""Collections as sourmash writes them: a zip file of signatures/MD5.sig.gz and SOURMASH-MANIFEST.csv.

Each member is named after the md5 of its first sketch; if another member has that name, a number is added, as sourmash
does.  A member may have several sketches; the manifest has a row for each (sourmash src/sourmash/sbt_storage.py,
save_load.py, manifest.py).
"""

import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

from wort_cli.model.sketch_row import MANIFEST, SketchRow
from wort_cli.system.atomic_files import long_output
from wort_cli.system.zip_writer import Damaged, ZipWriter
from wort_cli.upkeep.export.contents import Contents
from wort_cli.upkeep.export.manifest import ManifestSpool

SMALL = 1 << 20
"""Bytes of a file, at most, that is copied in memory."""


class Collection:
    """A collection that is being written."""

    def __init__(self, archive: ZipWriter, manifest: ManifestSpool, contents: Contents) -> None:
        self._archive = archive
        self._manifest = manifest
        self.contents = contents
        self._md5s: set[bytes] = set()
        self._numbers: dict[bytes, int] = {}

    def reserve(self, location: str) -> None:
        """Leave the name of a member to one that is added later."""
        self._md5s.add(md5_in(location))
        _, _, number = location.partition(".sig.gz_")
        if number.isdigit():
            md5 = md5_in(location)
            self._numbers[md5] = max(self._numbers.get(md5, 0), int(number) + 1)

    def add(self, name: str, rows: Sequence[SketchRow], content: bytes, mark: bytes) -> None:
        """Add a file with the sketches `rows` of a signature."""
        location = self._location(rows[0].md5)
        self._archive.add(location, content, mark)
        self._list(location, name, rows, len(content))

    def add_stream(self, name: str, rows: Sequence[SketchRow], pieces: Iterable[bytes], size: int, mark: bytes) -> None:
        """Add a file of `size` bytes; raise Damaged if it has another size.  What `pieces` raises adds nothing."""
        location = self._location(rows[0].md5)
        self._archive.add_stream(location, pieces, size, mark)
        self._list(location, name, rows, size)

    def add_copy(
        self, location: str, name: str, rows: Sequence[SketchRow], pieces: Iterable[bytes], size: int, mark: bytes
    ) -> None:
        """Add a file of an earlier collection, under its reserved name.  Raises what `pieces` raises."""
        if size <= SMALL:  # a stream goes back to its header, which costs more than to copy the file
            content = b"".join(pieces)
            if len(content) != size:
                raise Damaged
            self._archive.add(location, content, mark)
        else:
            self._archive.add_stream(location, pieces, size, mark)
        self._list(location, name, rows, size)

    def add_other(self, name: str, pieces: Iterable[bytes], beside: Path) -> None:
        """Add a compressed member that is no signature; a temporary file is made beside the path `beside`."""
        with temporary_beside(beside) as file:
            compressor, crc, size = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS), 0, 0
            for piece in pieces:
                crc, size = zlib.crc32(piece, crc), size + len(piece)
                file.write(compressor.compress(piece))
            file.write(compressor.flush())
            self._archive.add_deflated(name, file, file.tell(), crc, size)

    def close(self) -> None:
        """Complete the file."""
        manifest = self._manifest
        manifest.finish()
        self._archive.add_deflated(MANIFEST, manifest.file, manifest.stored_size, manifest.crc, manifest.size)
        self._archive.close()

    def _location(self, md5: str) -> str:
        key = bytes.fromhex(md5)
        location = f"signatures/{md5}.sig.gz"
        if key in self._md5s:
            number = self._numbers.get(key, 0)
            self._numbers[key] = number + 1
            return f"{location}_{number}"
        self._md5s.add(key)
        return location

    def _list(self, location: str, name: str, rows: Sequence[SketchRow], size: int) -> None:
        for row in rows:
            self._manifest.add(location, name, row)
        self.contents.add(location, name, rows, size)


def md5_in(location: str) -> bytes:
    """Return the md5 in the name of a member; ValueError if it has none."""
    return bytes.fromhex(location.removeprefix("signatures/")[:32])


def temporary_beside(path: Path) -> IO[bytes]:
    """Return a temporary file on the disk of `path`."""
    return cast(IO[bytes], tempfile.TemporaryFile(dir=path.parent, prefix=".wort-"))


@contextmanager
def collection(path: Path, *, keep_contents: bool = False) -> Iterator[Collection]:
    """Yield a new collection, which appears at `path` when it is complete and on the disk.

    keep_contents: so that `contents.files()` can be called

    A process that was killed leaves nothing that the next one for the same path does not overwrite (`long_output`).
    """
    with ExitStack() as stack:
        file = stack.enter_context(long_output(path))
        directory, rows = (stack.enter_context(temporary_beside(path)) for _ in range(2))
        contents = Contents(stack.enter_context(temporary_beside(path)) if keep_contents else None)
        made = Collection(ZipWriter(file, directory), ManifestSpool(rows), contents)
        yield made
        made.close()
