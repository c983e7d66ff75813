"""Unpacks the files in which signatures come: JSON, gzip, or a collection of sourmash, which is a zip file.

Sizes are bounded while a file is unpacked, whatever its headers say.
"""

import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from wort_cli.model.signature_file import GZIP_MAGIC
from wort_cli.reading.refusal import LimitExceeded, Refusal

PIECE = 1 << 18
"""Bytes that are read or decompressed at once."""
ZIP_MAGIC = b"PK\x03\x04"
MAX_MEMBERS = 100
"""Files of a zip file; one signature has a few sketches."""
MEMBER = re.compile(r"signatures/[^/]+\.sig(\.gz)?")
"""The names of signatures in a collection (sourmash src/sourmash/sourmash_args.py, SaveSignatures_ZipFile)."""
UNCHANGED_HINT = "submit the file that `sourmash sketch` wrote, unchanged"
OTHER_FORMATS = {
    ZIP_MAGIC: ("a zip archive", "extract the signature: `sourmash sig cat FILE.zip -o FILE.sig`"),
    b"BZh": ("compressed with bzip2", "decompress it: `bunzip2 FILE`"),
    b"\xfd7zXZ": ("compressed with xz", "decompress it: `unxz FILE`"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "decompress it: `unzstd FILE`"),
    b"\x89HDF": ("an HDF5 file", UNCHANGED_HINT),
    b"<": ("a page of HTML or XML", "look into it: a server may have sent an error page in place of the file"),
    b">": ("FASTA", "make a signature of it with `sourmash sketch`, and submit that"),
    b"@": ("FASTQ", "make a signature of it with `sourmash sketch`, and submit that"),
}


def unpacked_pieces(file: IO[bytes], limit: int) -> Iterator[bytes]:
    """Return the content of a file, decompressed if it is gzip; raise Refusal above `limit` bytes."""
    return limited_pieces(file, Budget(limit))


def is_zip(file: IO[bytes]) -> bool:
    """Return whether a file is a zip file, from what is at its position."""
    magic = file.read(len(ZIP_MAGIC))
    file.seek(-len(magic), os.SEEK_CUR)
    return magic == ZIP_MAGIC


def documents(file: IO[bytes], limit: int, max_members: int = MAX_MEMBERS) -> Iterator[Iterator[bytes]]:
    """Yield the pieces of each JSON document of a file: one, or several if it is a collection of sourmash (a zip file).

    The pieces of a document must be read before the next one.  Raises Refusal above `limit` decompressed bytes in all.
    """
    budget = Budget(limit)
    if not is_zip(file):
        yield limited_pieces(file, budget)
        return
    with refused_if_damaged():
        archive = zipfile.ZipFile(file)
        members = archive.infolist()
    if len(members) > max_members:
        many = "one signature" if max_members == MAX_MEMBERS else "this command"
        raise Refusal(f"it is a zip file of {len(members):,} files, too many for {many}")
    found = [member for member in members if MEMBER.fullmatch(member.filename)]
    if not found:
        raise Refusal("it is a zip file without signatures", hint=UNCHANGED_HINT)
    for member in found:
        with refused_if_damaged():
            content = ZipMember(archive.open(member))
        yield limited_pieces(content, budget)


@contextmanager
def refused_if_damaged() -> Iterator[None]:
    """Raise Refusal for each error that the module zipfile raises for damaged or hostile files."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, LookupError, EOFError,
            ValueError, ArithmeticError, OSError) as error:  # fmt: skip
        raise Refusal(f"its zip data is damaged: {error}", hint="download it again") from None


class ZipMember:
    """A file in a zip file, open for reading; Refusal is raised if it is damaged."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Return the next bytes; empty at the end."""
        with refused_if_damaged():
            return self._file.read(size)


class Readable(Protocol):
    """A file of which only the next bytes are read."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; empty at the end."""


class Budget:
    """The decompressed bytes that a file may still have."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit

    def take(self, size: int) -> None:
        """Subtract a size; raise LimitExceeded if nothing is left."""
        self._left -= size
        if self._left < 0:
            raise LimitExceeded(
                f"its decompressed size exceeds {self._limit:,} bytes",
                hint="raise the setting `submit_unpacked` to allow more",
            )


def limited_pieces(file: Readable, budget: Budget) -> Iterator[bytes]:
    """Yield the content of a file, decompressed if it is gzip."""
    first = file.read(PIECE)
    if not first:
        raise Refusal("it is empty")
    for magic, (what, hint) in OTHER_FORMATS.items():
        if first.startswith(magic):
            raise Refusal(f"it is {what}", "byte 0", hint)
    for piece in gunzipped_pieces(first, file) if first.startswith(GZIP_MAGIC) else plain_pieces(first, file):
        budget.take(len(piece))
        yield piece


def plain_pieces(first: bytes, file: Readable) -> Iterator[bytes]:
    """Yield the pieces of a file that is not compressed; `first` was read already."""
    piece = first
    while piece:
        yield piece
        piece = file.read(PIECE)


def gunzipped_pieces(first: bytes, file: Readable) -> Iterator[bytes]:
    """Yield the decompressed pieces of a gzip file, which must be one complete member without trailing data."""
    member = zlib.decompressobj(wbits=31)
    packed = first
    try:
        while packed or member.unconsumed_tail:
            if piece := member.decompress(member.unconsumed_tail or packed, PIECE):
                yield piece
            if member.eof:
                break
            if not member.unconsumed_tail:
                packed = file.read(PIECE)
    except zlib.error as error:
        raise Refusal(f"its gzip data is damaged: {error}", hint="download it again, or compress it again") from None
    if not member.eof:
        raise Refusal("its gzip data is truncated", hint="download it again, or compress it again")
    if member.unused_data or file.read(1):
        raise Refusal(
            "it has data after the first gzip member", hint="compress it as one: `zcat FILE | gzip > NEW.sig`"
        )
