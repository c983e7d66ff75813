"""Reads the directory of a zip file that `zip_writer` wrote, one entry at a time."""

import os
import struct
from collections.abc import Iterator
from typing import IO

from wort_cli.system.zip_writer import (
    CENTRAL,
    END,
    END64,
    FULL16,
    FULL32,
    LOCATOR64,
    MARK_CENTRAL,
    MARK_END,
    MARK_END64,
    MARK_LOCATOR64,
    ZIP64,
    Member,
)

LONGEST_ENTRY = CENTRAL.size + 3 * FULL16
BUFFER = 1 << 16


class NotAZipFile(Exception):
    """The file is not a complete zip file, or not one of `zip_writer`."""


def members_of(file: IO[bytes]) -> Iterator[Member]:
    """Yield the members of a zip file in the order of its directory; raise NotAZipFile if it is damaged."""
    number, length, start = find_directory(file)
    file_size = os.fstat(file.fileno()).st_size
    buffer, at, position, rest = b"", 0, start, length
    for _ in range(number):
        if len(buffer) - at < LONGEST_ENTRY and rest:
            file.seek(position)
            piece = file.read(min(rest, BUFFER + LONGEST_ENTRY))
            buffer, at, position, rest = buffer[at:] + piece, 0, position + len(piece), rest - len(piece)
        member, at = parse_entry(buffer, at)
        if member.data_offset + member.stored_size > file_size:
            raise NotAZipFile
        yield member


def parse_entry(data: bytes, at: int) -> tuple[Member, int]:
    """Return the member that an entry of the directory describes, and where the entry ends; it starts `at` a place."""
    try:
        mark, _, _, flags, method, _, _, crc, stored, size, named, extra, commented, _, _, _, offset = (
            CENTRAL.unpack_from(data, at)
        )
        named_at = at + CENTRAL.size
        extra_at = named_at + named
        end = extra_at + extra + commented
        if mark != MARK_CENTRAL or flags or len(data) < end:
            raise NotAZipFile
        name = data[named_at:extra_at]
        extra_field = data[extra_at : extra_at + extra]
        comment = data[end - commented : end]
        if extra_field:
            kind, _ = struct.unpack_from("<2H", extra_field)
            if kind != ZIP64:
                raise NotAZipFile
            values = list(struct.unpack(f"<{(extra - 4) // 8}Q", extra_field[4:]))
            if size == FULL32:
                size, stored = values.pop(0), values.pop(0)
            if offset == FULL32:
                offset = values.pop(0)
    except (struct.error, IndexError):
        raise NotAZipFile from None
    return Member(name, crc, size, stored, offset, comment, method), end


def find_directory(file: IO[bytes]) -> tuple[int, int, int]:
    """Return the number of entries of the directory, its length and its place."""
    size = file.seek(0, os.SEEK_END)
    tail_at = max(0, size - END.size - LOCATOR64.size)
    file.seek(tail_at)
    tail = file.read()
    try:
        mark, _, _, _, number, length, start, comment = END.unpack(tail[-END.size :])
        if mark != MARK_END or comment:
            raise NotAZipFile
        if FULL16 in (number,) or FULL32 in (length, start):
            mark, _, place, _ = LOCATOR64.unpack(tail[: LOCATOR64.size])
            if mark != MARK_LOCATOR64:
                raise NotAZipFile
            file.seek(place)
            mark, *_, number, length, start = END64.unpack(file.read(END64.size))
            if mark != MARK_END64:
                raise NotAZipFile
    except struct.error:
        raise NotAZipFile from None
    if start + length > size:
        raise NotAZipFile
    return int(number), int(length), int(start)
