"""Proves the columns of an archive that a decoder needs, by the md5 sums that the archive has of them.

That is faster than vdb-validate, needs only those columns, and finds more: blobs of some loaders have no checksums.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wort_cli.pipeline.archives.checksums import ChecksumError, ReadExtent, check_file, read_sums
from wort_cli.pipeline.archives.columns import FASTQ_DUMP, Selection, select
from wort_cli.pipeline.archives.kar import HEADER_SIZE, Extent, KarError, read_header, read_table
from wort_cli.pipeline.archives.structure import StructureError, check_structure
from wort_cli.system.cancellation import NEVER, Cancellation

PIECE = 1 << 20
"""Bytes that are read together."""


class NotProvable(ValueError):
    """The sums of an archive cannot prove it: they are missing, or do not cover all that is needed."""


@dataclass(frozen=True)
class Contents:
    """The table of contents of an archive, and the files that a decoder needs."""

    table: Mapping[str, Extent]
    data_offset: int
    size: int
    """Bytes of the archive."""
    selection: Selection


def read_contents(size: int, read: ReadExtent, decoder: str) -> Contents:
    """Read the table of contents of an archive of `size` bytes.  Raises NotProvable if it is not acceptable."""
    try:
        if size < HEADER_SIZE:
            raise KarError("it is too short")
        data_offset = read_header(join(read(Extent(0, HEADER_SIZE)))).data_offset
        if data_offset > size:
            raise KarError("its table of contents would be longer than the archive")
        table = read_table(join(read(Extent(0, data_offset))), size)
    except KarError as error:
        raise NotProvable(str(error)) from error
    return Contents(table, data_offset, size, select(table, decoder))


def sums_of(contents: Contents, read: ReadExtent) -> dict[str, str]:
    """Return all sums of an archive.  Raises NotProvable if they make no sense."""
    try:
        return read_sums(contents.table, read)
    except ChecksumError as error:
        raise NotProvable(str(error)) from error


def differing_files(
    files: Iterable[str],
    table: Mapping[str, Extent],
    sums: Mapping[str, str],
    read: ReadExtent,
    cancellation: Cancellation = NEVER,
) -> list[str]:
    """Return those of some files that do not match their sum."""
    wrong = []
    for path in files:
        if path not in sums:
            continue
        try:
            check_file(path, table, sums, read, cancellation)
        except ChecksumError:
            wrong.append(path)
    return wrong


def check_provable(contents: Contents, sums: Mapping[str, str], read: ReadExtent) -> None:
    """Raise NotProvable unless the sums cover all that is needed, and prove the table of contents itself."""
    try:
        check_structure(
            contents.table, contents.data_offset, contents.size, sums, lambda path: join(read(contents.table[path]))
        )
    except StructureError as error:
        raise NotProvable(str(error)) from error


def digest_of(contents: Contents, sums: Mapping[str, str]) -> str:
    """Return the sha256 of the list of sums that were compared, in hexadecimal."""
    lines = "".join(f"{sums[path]} {path}\n" for path in contents.selection.files if path in sums)
    return hashlib.sha256(lines.encode()).hexdigest()


def prove_columns(size: int, read: ReadExtent, decoder: str, cancellation: Cancellation = NEVER) -> str:
    """Prove what a decoder needs of an archive of `size` bytes; return the sha256 of the list of sums.

    Raises NotProvable if the sums cannot prove it, ChecksumError if a needed file does not match its sum.
    """
    contents = read_contents(size, read, decoder)
    sums = sums_of(contents, read)
    wrong = differing_files(contents.selection.files, contents.table, sums, read, cancellation)
    if wrong:
        raise ChecksumError(f"{wrong[0]} does not match the md5 sum that the archive has of it")
    check_provable(contents, sums, read)
    return digest_of(contents, sums)


def why_not_provable(path: Path) -> str:
    """Return why the sums of an archive on disk cannot prove it; '' if they can.  They are not compared."""
    try:
        with path.open("rb") as file:
            contents = read_contents(path.stat().st_size, reader_of(file), FASTQ_DUMP)
            check_provable(contents, sums_of(contents, reader_of(file)), reader_of(file))
    except NotProvable as why:
        return str(why)
    return ""


def reader_of(file: IO[bytes]) -> ReadExtent:
    """Return a function that yields the bytes of an extent of an open file, in pieces."""

    def read(extent: Extent) -> Iterator[bytes]:
        file.seek(extent.offset)
        left = extent.size
        while left and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece

    return read


def join(pieces: Iterator[bytes]) -> bytes:
    """Return the bytes of a small extent."""
    return b"".join(pieces)
