"""The archives that are damaged."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from tests.support.archives import LAYOUTS
from tests.support.shelf import Shelf
from wort_cli.pipeline.archives.checksums import ChecksumError, is_sums_file
from wort_cli.pipeline.archives.column_proof import NotProvable, prove_columns
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, select
from wort_cli.pipeline.archives.kar import Extent, KarError, read_header, read_table

PARTS = ("header", "table of contents", "md5 files", "indexes", "metadata", "data", "anywhere")
SUFFIXES = (".sra", ".sralite", ".csra", ".kar")


@dataclass(frozen=True)
class Subject:
    """An undamaged archive."""

    name: str
    path: Path
    data: bytes

    @cached_property
    def table(self) -> Mapping[str, Extent]:
        """Its files."""
        return read_table(self.data, len(self.data))

    @cached_property
    def md5(self) -> str:
        """The md5 of the whole."""
        return hashlib.md5(self.data).hexdigest()

    @cached_property
    def is_damaged(self) -> bool:
        """Whether it contradicts its own md5 sums already."""
        try:
            prove_columns(len(self.data), self._read, FASTQ_DUMP)
        except NotProvable:
            return False
        except ChecksumError:
            return True
        return False

    def _read(self, extent: Extent) -> Iterator[bytes]:
        yield self.data[extent.offset : extent.end]

    @cached_property
    def has_sums(self) -> bool:
        """Whether its own md5 sums can prove it."""
        try:
            return bool(prove_columns(len(self.data), self._read, FASTQ_DUMP))
        except (NotProvable, ChecksumError):
            return False

    def place(self, part: str, rng: Random) -> int:
        """Return the offset of a random byte of a part; of any if the archive has no such part."""
        data_offset = read_header(self.data).data_offset
        if part == "header":
            return rng.randrange(24)
        if part == "table of contents":
            return rng.randrange(24, data_offset)
        extents = [extent for path, extent in self.table.items() if extent.size and part_of(path) == part]
        if not extents:
            return rng.randrange(len(self.data))
        extent = rng.choice(extents)
        return rng.randrange(extent.offset, extent.end)

    def has_needed_bytes(self, data: bytes, decoder: str) -> bool:
        """Return whether an archive has the files that a decoder needs, with the right bytes, at the right places.

        A file that is not needed must exist, but may have another size: nothing reads it.
        """
        try:
            table = read_table(data, len(data))
        except KarError:
            return False
        if len(data) != len(self.data) or table.keys() != self.table.keys():
            return False
        needed = [(self.table[path], table[path]) for path in select(self.table, decoder).files]
        return all(old == new and data[old.offset : old.end] == self.data[old.offset : old.end] for old, new in needed)


def part_of(path: str) -> str:
    """Return the part of an archive that a file belongs to: one of PARTS."""
    name = path.rpartition("/")[2]
    if is_sums_file(path):
        return "md5 files"
    if "/idx/" in f"/{path}" or name.startswith("idx"):
        return "indexes"
    return "metadata" if "/md/" in f"/{path}" else "data"


def subjects_of_shelf(shelf: Shelf, layouts: tuple[str, ...] = ()) -> list[Subject]:
    """Return the archives that the tests make: those of some layouts, or all."""
    names = layouts or tuple(layout.name for layout in LAYOUTS)
    paths = [shelf.archive(name) for name in names]
    bare = (shelf.without_sums(), shelf.without_sums("clipped"))
    return [subject_at(path) for path in (*paths, shelf.with_qualities(4_000), *bare)]


def subjects_below(directory: Path) -> Iterator[Subject]:
    """Yield the archives in a directory."""
    for path in sorted(directory.iterdir()):
        if path.suffix in SUFFIXES and path.stat().st_size:
            yield subject_at(path)


def subject_at(path: Path) -> Subject:
    """Return the archive in a file."""
    return Subject(path.name, path, path.read_bytes())
