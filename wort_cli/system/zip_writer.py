"""Writes a zip file in flat memory, however many members it has.

The members are stored one after the other.  Their directory grows in a second file, and is appended at the end.  Zip64
records are written where a size, a place or a number needs them.  All members have the same time, so that equal members
give equal bytes.  Source of the format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
"""

import shutil
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
MARK_LOCAL, MARK_CENTRAL, MARK_END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
MARK_END64, MARK_LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
"""The value of a field whose real value is in a zip64 record."""
MADE_BY, NEEDS, NEEDS64 = 3 << 8 | 45, 20, 45
"""Unix and version 4.5; the version that a reader needs, without and with zip64."""
DATE, TIME = 0x21, 0
"""1980-01-01 00:00, the earliest."""
READABLE = 0o444 << 16
"""The mode of a member, as sourmash sets it (sbt_storage.py)."""
STORED, DEFLATED = 0, 8
ZIP64 = 1
"""The extra field that has the values which need more than 32 bits."""
BLOCK = 1 << 20


@dataclass(frozen=True)
class Member:
    """The entry of a member in the directory."""

    name: bytes
    crc: int
    size: int
    """Bytes, decompressed."""
    stored_size: int
    offset: int
    """Where its header starts in the file."""
    comment: bytes = b""
    method: int = STORED

    @property
    def data_offset(self) -> int:
        """Where the data of a member start that this module wrote."""
        return self.offset + LOCAL.size + len(self.name) + len(self.local_extra)

    @property
    def is_large(self) -> bool:
        """Whether its sizes need zip64."""
        return max(self.size, self.stored_size) >= FULL32

    @property
    def local_extra(self) -> bytes:
        """The extra field of its header."""
        return struct.pack("<2H2Q", ZIP64, 16, self.size, self.stored_size) if self.is_large else b""

    def header(self) -> bytes:
        """Return the header that goes before its data."""
        sizes = (FULL32, FULL32) if self.is_large else (self.stored_size, self.size)
        needs = NEEDS64 if self.is_large else NEEDS
        fields = (needs, 0, self.method, TIME, DATE, self.crc, *sizes, len(self.name), len(self.local_extra))
        return LOCAL.pack(MARK_LOCAL, *fields) + self.name + self.local_extra

    def entry(self) -> bytes:
        """Return its entry in the directory."""
        large = [value for value in (self.size, self.stored_size) if self.is_large]
        if self.offset >= FULL32:
            large.append(self.offset)
        extra = struct.pack(f"<2H{len(large)}Q", ZIP64, 8 * len(large), *large) if large else b""
        sizes = (FULL32, FULL32) if self.is_large else (self.stored_size, self.size)
        fields = (MADE_BY, NEEDS64 if large else NEEDS, 0, self.method, TIME, DATE, self.crc, *sizes)
        rest = (len(self.name), len(extra), len(self.comment), 0, 0, READABLE, min(self.offset, FULL32))
        return CENTRAL.pack(MARK_CENTRAL, *fields, *rest) + self.name + extra + self.comment


class Damaged(Exception):
    """The bytes of a member are not the expected ones; it was not added."""


class ZipWriter:
    """Writes members to `file`, which is empty, and their directory to `directory`, an empty file for reading too."""

    def __init__(self, file: IO[bytes], directory: IO[bytes]) -> None:
        self._file = file
        self._directory = directory
        self._number = 0
        self.size = 0
        """Bytes written so far."""

    def add(self, name: str, content: bytes, comment: bytes = b"", *, deflate: bool = False) -> None:
        """Add a member from memory."""
        data, method = content, STORED
        if deflate:
            compressor = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
            data, method = compressor.compress(content) + compressor.flush(), DEFLATED
        member = Member(name.encode(), zlib.crc32(content), len(content), len(data), self.size, comment, method)
        self._file.write(member.header())
        self._file.write(data)
        self._finish(member)

    def add_stream(self, name: str, pieces: Iterable[bytes], size: int, comment: bytes = b"") -> None:
        """Add a stored member of `size` bytes; raise Damaged if the pieces are of another size, or raise it.

        Whatever the pieces raise, the member is not in the file then.
        """
        draft = Member(name.encode(), 0, size, size, self.size, comment)
        crc = written = 0
        self._file.write(draft.header())
        try:
            for piece in pieces:
                crc, written = zlib.crc32(piece, crc), written + len(piece)
                if written > size:
                    break
                self._file.write(piece)
            if written != size:
                raise Damaged
        except BaseException:
            self._file.seek(self.size)
            self._file.truncate()
            raise
        member = Member(name.encode(), crc, size, size, self.size, comment)
        self._file.seek(self.size)
        self._file.write(member.header())
        self._file.seek(self.size + len(member.header()) + size)
        self._finish(member)

    def add_deflated(self, name: str, data: IO[bytes], stored_size: int, crc: int, size: int) -> None:
        """Add a member that is compressed already: `stored_size` bytes of Deflate in an open file, from its start."""
        member = Member(name.encode(), crc, size, stored_size, self.size, b"", DEFLATED)
        self._file.write(member.header())
        data.seek(0)
        shutil.copyfileobj(data, self._file, BLOCK)
        self._finish(member)

    def _finish(self, member: Member) -> None:
        self.size += len(member.header()) + member.stored_size
        self._directory.write(member.entry())
        self._number += 1

    def close(self) -> None:
        """Append the directory.  The file is then complete, and stays open."""
        self._directory.flush()
        length = self._directory.tell()
        self._directory.seek(0)
        shutil.copyfileobj(self._directory, self._file, BLOCK)
        end = self.size + length
        if self._number >= FULL16 or length >= FULL32 or self.size >= FULL32:
            numbers = (self._number, self._number, length, self.size)
            self._file.write(END64.pack(MARK_END64, END64.size - 12, MADE_BY, NEEDS64, 0, 0, *numbers))
            self._file.write(LOCATOR64.pack(MARK_LOCATOR64, 0, end, 1))
        number = min(self._number, FULL16)
        self._file.write(END.pack(MARK_END, 0, 0, number, number, min(length, FULL32), min(self.size, FULL32), 0))
