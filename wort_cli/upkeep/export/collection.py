"""Collections as sourmash writes them: a zip file of signatures/MD5.sig.gz and SOURMASH-MANIFEST.csv.

Each member is named after the md5 of its first sketch; if another member has that name, a number is added, as sourmash
does.  A member may have several sketches; the manifest has a row for each (sourmash src/sourmash/sbt_storage.py,
save_load.py, manifest.py).
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from wort_cli.model.sketch_row import MANIFEST, SketchRow
from wort_cli.system.atomic_files import long_output
from wort_cli.system.zip_writer import ZipWriter
from wort_cli.upkeep.export.manifest import ManifestSpool


class Collection:
    """A collection that is being written."""

    def __init__(self, archive: ZipWriter, manifest: ManifestSpool) -> None:
        self._archive = archive
        self._manifest = manifest
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
        self._list(location, name, rows)

    def add_stream(self, name: str, rows: Sequence[SketchRow], pieces: Iterable[bytes], size: int, mark: bytes) -> None:
        """Add a file of `size` bytes; raise Damaged if it has another size.  What `pieces` raises adds nothing."""
        location = self._location(rows[0].md5)
        self._archive.add_stream(location, pieces, size, mark)
        self._list(location, name, rows)

    def add_copy(
        self, location: str, name: str, rows: Sequence[SketchRow], pieces: Iterable[bytes], size: int, mark: bytes
    ) -> None:
        """Add a file of an earlier collection, under its name there, which was reserved."""
        self._archive.add_stream(location, pieces, size, mark)
        self._list(location, name, rows)

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

    def _list(self, location: str, name: str, rows: Sequence[SketchRow]) -> None:
        for row in rows:
            self._manifest.add(location, name, row)


def md5_in(location: str) -> bytes:
    """Return the md5 in the name of a member; ValueError if it has none."""
    return bytes.fromhex(location.removeprefix("signatures/")[:32])


@contextmanager
def collection(path: Path) -> Iterator[Collection]:
    """Yield a new collection, which appears at `path` when it is complete and on the disk.

    A process that was killed leaves nothing that the next one for the same path does not overwrite (`long_output`).
    """
    with ExitStack() as stack:
        file = stack.enter_context(long_output(path))
        directory, rows = (
            stack.enter_context(tempfile.TemporaryFile(dir=path.parent, prefix=".wort-")) for _ in range(2)
        )
        made = Collection(ZipWriter(file, directory), ManifestSpool(rows))
        yield made
        made.close()
