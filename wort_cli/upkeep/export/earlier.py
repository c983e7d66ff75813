"""Reads a collection that an earlier export wrote, one signature after the other, in order of their names."""

import csv
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import IO

from wort_cli.model.sketch_row import MANIFEST, SketchRow
from wort_cli.system.zip_directory import NotAZipFile, members_of
from wort_cli.system.zip_writer import DEFLATED, STORED, Member
from wort_cli.upkeep.export.contents import CRATE_METADATA, MISSING
from wort_cli.upkeep.export.manifest import manifest_rows

BLOCK = 1 << 16
NO_SIGNATURES = (MANIFEST.encode(), CRATE_METADATA.encode(), MISSING.encode())
"""Members that each export writes again."""


class NotOurs(Exception):
    """A file is not a collection that `wort export` wrote, or it is damaged."""


@dataclass(frozen=True)
class Earlier:
    """One signature of an earlier collection: each member with its sketches."""

    name: str
    members: tuple[tuple[Member, tuple[SketchRow, ...]], ...]

    @property
    def sketches(self) -> int:
        """The number of its sketches."""
        return sum(len(rows) for _, rows in self.members)

    def has_mark(self, mark: bytes) -> bool:
        """Return whether all of its members have a mark (SketchSelection.mark)."""
        return all(member.comment == mark for member, _ in self.members)


def look_through(file: IO[bytes], reserve: Callable[[str], None]) -> Member:
    """Reserve the names of the members of a collection; return its manifest, which is the last one.

    Raises NotOurs if it is not one that this module can read.
    """
    member = None
    try:
        for member in members_of(file):
            if member.name not in NO_SIGNATURES:
                if member.method != STORED or not member.comment:
                    raise NotOurs
                reserve(member.name.decode())
    except (NotAZipFile, UnicodeDecodeError):
        raise NotOurs from None
    if member is None or member.name != MANIFEST.encode() or member.method != DEFLATED:
        raise NotOurs
    return member


def has_crate_metadata(file: IO[bytes]) -> bool:
    """Return whether a collection has RO-Crate metadata; raise NotOurs if it is not a collection."""
    try:
        return any(member.name == CRATE_METADATA.encode() for member in members_of(file))
    except NotAZipFile:
        raise NotOurs from None


def signatures_in(file: IO[bytes], manifest: Member) -> Iterator[Earlier]:
    """Yield the signatures of a collection; raise NotOurs if it is damaged, or if their names do not ascend.

    Others may change the position of the file meanwhile.
    """
    before = ""
    try:
        for name, found in groupby(members_with_rows(file, manifest), itemgetter(0)):
            if name <= before:
                raise NotOurs
            yield Earlier(name, tuple((member, rows) for _, member, rows in found))
            before = name
    except (NotAZipFile, ValueError, csv.Error, zlib.error, EOFError):
        raise NotOurs from None


def members_with_rows(file: IO[bytes], manifest: Member) -> Iterator[tuple[str, Member, tuple[SketchRow, ...]]]:
    """Yield each member with the name of its signature and its rows in the manifest, which has the same order."""
    packed = Inflated(file, manifest.data_offset, manifest.stored_size)
    lines = io.TextIOWrapper(io.BufferedReader(packed), "utf-8", newline="")
    by_location = groupby(manifest_rows(lines), itemgetter(0))
    for member in members_of(file):
        if member.name in NO_SIGNATURES:
            continue
        location, rows = next(by_location, ("", iter(())))
        known = list(rows)
        if location.encode() != member.name:
            raise NotOurs
        yield known[0][1], member, tuple(row for _, _, row in known)


class Inflated(io.RawIOBase):
    """Raw Deflate in a part of a file, decompressed while it is read."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file
        self._position, self._rest = start, size
        self._unpacker = zlib.decompressobj(-zlib.MAX_WBITS)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read some bytes; raise zlib.error or EOFError if they are damaged."""
        data = b""
        while not data and not self._unpacker.eof:
            piece = self._unpacker.unconsumed_tail
            if not piece:
                self._file.seek(self._position)
                piece = self._file.read(min(self._rest, BLOCK))
                if not piece:
                    raise EOFError
                self._position, self._rest = self._position + len(piece), self._rest - len(piece)
            data = self._unpacker.decompress(piece, len(buffer))
        buffer[: len(data)] = data
        return len(data)
