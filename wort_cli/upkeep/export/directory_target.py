"""The directory that an export writes: NAME.sig.gz of each signature, and a manifest of them for sourmash."""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from wort_cli.errors import UsageError, shown
from wort_cli.ledger.sketches import Entry
from wort_cli.model.sketch_row import COLUMNS, MANIFEST, VERSION_LINE, SketchRow
from wort_cli.system.atomic_files import long_output
from wort_cli.system.private_files import make_shared
from wort_cli.upkeep.export.collection import temporary_beside
from wort_cli.upkeep.export.contents import Contents
from wort_cli.upkeep.export.manifest import manifest_rows

BLOCK = 1 << 20

Listed = tuple[str, list[tuple[str, str, SketchRow]]]


class DirectoryTarget:
    """A directory that is being written; `earlier` are the signatures in its manifest, in order."""

    def __init__(
        self,
        root: Path,
        manifest: IO[str],
        is_refuted: Callable[[str], bool],
        earlier: Iterable[Listed] = (),
        contents: Contents | None = None,
    ) -> None:
        self._root = root
        self._writer: Any = csv.writer(manifest)
        self._is_refuted = is_refuted
        self._earlier = iter(earlier)
        self._next = next(self._earlier, None)
        self.contents = contents or Contents()
        self.others = 0
        """Signatures that the directory had and that were not asked for now."""

    def keep(self, entry: Entry, mark: bytes) -> int:
        """Keep the file of a signature if it has the recorded bytes; return the number of its sketches."""
        self._keep_others(entry.name)
        if self._next is None or self._next[0] != entry.name:
            return 0
        (_, rows), self._next = self._next, next(self._earlier, None)
        path = self._root / rows[0][0]
        if mark == entry.sha256.encode() and has_checksum(path, entry.sha256):
            self._list(f"{entry.name}.sig.gz", entry.name, entry.sketches)
            return len(entry.sketches)
        return 0

    def add(self, name: str, rows: Sequence[SketchRow], content: bytes, mark: bytes) -> None:
        """Write a file with some sketches of a signature."""
        self.add_stream(name, rows, [content], len(content), mark)

    def add_stream(self, name: str, rows: Sequence[SketchRow], pieces: Iterable[bytes], size: int, mark: bytes) -> None:
        """Write a file.  If the pieces raise an exception, it does not appear."""
        location = f"{name}.{rows[0].md5}.sig.gz" if mark.endswith(b" 1") else f"{name}.sig.gz"
        with long_output(self._root / location) as file:
            for piece in pieces:
                file.write(piece)
        self._list(location, name, rows)

    def add_other(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file that is no signature."""
        with long_output(self._root / name) as file:
            for piece in pieces:
                file.write(piece)

    def finish(self) -> None:
        """Keep the rest of what the directory had."""
        self._keep_others(None)

    def _keep_others(self, before: str | None) -> None:
        while self._next is not None and (before is None or self._next[0] < before):
            name, rows = self._next
            if not self._is_refuted(name) and all((self._root / location).is_file() for location, _, _ in rows):
                for location, _, row in rows:
                    self._list(location, name, [row])
                self.others += 1
            self._next = next(self._earlier, None)

    def _list(self, location: str, name: str, rows: Sequence[SketchRow]) -> None:
        self._writer.writerows(row.cells(location, name) for row in rows)
        size = (self._root / location).stat().st_size if self.contents.are_kept else 0
        self.contents.add(location, name, rows, size)


def has_checksum(path: Path, sha256: str) -> bool:
    """Return whether a file has the bytes with a checksum."""
    total = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                total.update(block)
    except OSError:
        return False
    return total.hexdigest() == sha256


def listed_in(lines: Iterator[str]) -> Iterator[Listed]:
    """Yield the signatures in a manifest; ValueError or csv.Error if `wort export` did not write it."""
    before = ""
    for name, rows in groupby(manifest_rows(lines), itemgetter(1)):
        found = list(rows)
        if name <= before or any("/" in location for location, _, _ in found):
            raise ValueError("the names do not ascend")
        yield name, found
        before = name


@contextmanager
def directory_target(
    root: Path, is_refuted: Callable[[str], bool], *, update: bool, keep_contents: bool
) -> Iterator[DirectoryTarget]:
    """Yield a directory for writing, which may exist; its manifest is replaced when all files are there.

    update: keep what the directory has.  Raises UsageError if `wort export` did not write its manifest.
    keep_contents: so that `contents.files()` can be called
    """
    make_shared(root)
    path = root / MANIFEST
    try:
        with ExitStack() as stack:
            file = stack.enter_context(long_output(path))
            text = io.TextIOWrapper(file, "utf-8", newline="", write_through=False)
            text.write(VERSION_LINE)
            csv.writer(text).writerow(COLUMNS)
            earlier: Iterator[Listed] = iter(())
            if update and path.is_file():
                earlier = listed_in(iter(stack.enter_context(path.open(encoding="utf-8", newline=""))))
            contents = Contents(stack.enter_context(temporary_beside(path)) if keep_contents else None)
            target = DirectoryTarget(root, text, is_refuted, earlier, contents)
            yield target
            target.finish()
            text.flush()
            text.detach()
    except (ValueError, csv.Error):
        raise UsageError(
            f"{shown(str(path), 200)} is not a manifest that `wort export` wrote; it is unchanged",
            "without --update, --force replaces it",
        ) from None
