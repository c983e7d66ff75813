"""Finds the blobs of a column that hold some rows, from the indexes of the column.

A column keeps the cells of consecutive rows together in blobs, one after the other in its file `data`.

    idx     a header: byte order, version, bytes of data and of idx2, entries of idx0 and idx1, page size, checksum
    idx0    a journal; empty in a finished archive
    idx1    blocks of blobs: where their list is in idx2, how it is written, and their first row and number of rows
    idx2    for each block: the first row, number of rows, page and size of its blobs, each of them written as a list,
            as sizes that add up, or as a rule

Anything else raises UnknownIndex, and the column is fetched as a whole.

Source: ncbi-vdb libs/kdb/{colfmt.h,rcolidx1.c,rcolidx2.c,ridxblk.c}.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.archives.kar import Extent

BYTE_ORDERS = {b"\x88\x19\x03\x05": "<", b"\x05\x03\x19\x88": ">"}
VERSION = 3
HEADER, BLOCK = "QQIIIB", "QIIq"
"""The forms of the header after byte order and version, and of a block."""
LISTED, EQUAL, ADDED, RULED = range(4)
"""The encodings of rows, or pages, of a block's blobs: each with its size, with one size, as sizes, by a rule."""
SIZES = {LISTED: (0, 8, 4), EQUAL: (4, 8, 0), ADDED: (8, 0, 4), RULED: (0, 0, 0)}
"""Bytes by way of writing: of the header, of each start, and of each size."""
RULE_OF_PAGES = 12
"""Bytes of the rule of pages; that of rows is in idx1."""

Numbers = NDArray[np.int64]


class UnknownIndex(ValueError):
    """The indexes are of a form that is not known here; the text says which."""


@dataclass(frozen=True)
class Block:
    """An entry of idx1."""

    offset: int
    """Bytes from the start of idx2."""
    size: int
    """Bytes in idx2, or the number of blobs if rows and pages follow a rule."""
    rows: int
    """The encoding of the rows."""
    pages: int
    """The encoding of the pages."""
    first: int
    """The first row."""
    count: int
    """The number of rows."""


@dataclass(frozen=True)
class ColumnIndex:
    """The indexes of a column."""

    byte_order: str
    has_checksums: bool
    """Whether each blob has a checksum."""
    data_size: int
    """Bytes of the file `data`."""
    blocks: tuple[Block, ...]
    lists: bytes
    """The file idx2."""

    def extents(self, first: int, last: int) -> Iterator[Extent]:
        """Yield where in `data` the blobs are that hold the rows from `first` to `last`.  Raises UnknownIndex."""
        for block in self.blocks:
            if block.first <= last and first < block.first + block.count:
                for offset, size in find_blobs(block, self.lists, self.byte_order, first, last):
                    if not 0 <= offset <= offset + size <= self.data_size:
                        raise UnknownIndex("a blob would lie outside of the column's data")
                    yield Extent(offset, size)


def read_index(header: bytes, blocks: bytes, lists: bytes) -> ColumnIndex:
    """Return the indexes in the files idx, idx1 and idx2 of a column.  Raises UnknownIndex."""
    order = BYTE_ORDERS.get(header[:4], "")
    if not order or header[:4] != blocks[:4]:
        raise UnknownIndex("its byte order mark is unknown")
    try:
        (version,) = struct.unpack_from(f"{order}I", header, 4)
        data_size, lists_size, journal, number, page, checksum = struct.unpack_from(order + HEADER, header, 8)
        if version != VERSION or journal or page != 1 or lists_size > len(lists):
            raise UnknownIndex(f"it has version {version}, {journal} entries in its journal, and pages of {page} bytes")
        entries = tuple(
            Block(offset, word & 0x7FFFFFF, word >> 27 & 3, word >> 29 & 3, first, count)
            for offset, word, count, first in struct.iter_unpack(
                order + BLOCK, blocks[8 : 8 + number * struct.calcsize(order + BLOCK)]
            )
            if not word >> 31 or refuse("it has compressed blocks")
        )
    except struct.error as error:
        raise UnknownIndex("it is cut short") from error
    if len(entries) != number:
        raise UnknownIndex("it is cut short")
    return ColumnIndex(order, bool(checksum), data_size, entries, lists[:lists_size])


def refuse(why: str) -> bool:
    """Raise UnknownIndex."""
    raise UnknownIndex(why)


def find_blobs(block: Block, lists: bytes, order: str, first: int, last: int) -> Iterable[tuple[int, int]]:
    """Return offset and size of the blobs of a block that hold some rows; together if rules say both."""
    if block.rows == block.pages == RULED:
        rule = lists[block.offset : block.offset + RULE_OF_PAGES]
        span, rest = divmod(block.count, max(block.size, 1))
        if len(rule) != RULE_OF_PAGES or rest or not span:
            raise UnknownIndex("the rows of a block are not divided evenly")
        offset, size = struct.unpack(f"{order}QI", rule)
        before = max(0, first - block.first) // span
        after = min(block.size - 1, (last - block.first) // span) + 1
        return [(offset + before * size, (after - before) * size)]
    starts, spans, offsets, sizes = read_block(block, lists, order)
    chosen = (starts <= last) & (starts + spans > first)
    return zip(offsets[chosen].tolist(), sizes[chosen].tolist(), strict=True)


def read_block(block: Block, lists: bytes, order: str) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Return the first rows, numbers of rows, offsets and sizes of the blobs of a block.  Raises UnknownIndex."""
    row_header, row_start, row_size = SIZES[block.rows]
    page_header, page_start, page_size = SIZES[block.pages]
    if block.pages == RULED:
        page_header = RULE_OF_PAGES
    each = row_start + row_size + page_start + page_size
    count = (block.size - row_header - page_header) // max(each, 1)
    raw = lists[block.offset : block.offset + block.size]
    if count <= 0 or len(raw) != block.size or row_header + page_header + count * each != block.size:
        raise UnknownIndex("a block has another size than its kind")
    place = 0

    def take(number: int, width: int) -> Numbers:
        nonlocal place
        form = f"{order}u{width}" if width else f"{order}u8"
        found = np.frombuffer(raw, form, number if width else 0, place)
        place += number * width
        return found.astype(np.int64)

    row_rule = raw[:row_header]
    page_rule = raw[row_header : row_header + page_header]
    place = row_header + page_header
    row_starts, page_starts = take(count, row_start), take(count, page_start)
    row_sizes, page_sizes = take(count, row_size), take(count, page_size)
    starts, spans = complete(block.rows, row_rule, row_starts, row_sizes, order, count)
    if block.rows == RULED:
        span, rest = divmod(block.count, count)
        if rest:
            raise UnknownIndex("the rows of a block are not divided evenly")
        starts, spans = block.first + span * np.arange(count), np.full(count, span)
    offsets, sizes = complete(block.pages, page_rule, page_starts, page_sizes, order, count)
    if block.pages == RULED:
        offset, one = struct.unpack(f"{order}QI", page_rule)
        offsets, sizes = offset + one * np.arange(count), np.full(count, one)
    return starts, spans, offsets, sizes


def complete(
    kind: int, rule: bytes, starts: Numbers, sizes: Numbers, order: str, count: int
) -> tuple[Numbers, Numbers]:
    """Return starts and sizes from what is written of them, unless a rule says both."""
    if kind == EQUAL:
        return starts, np.full(count, struct.unpack(f"{order}I", rule)[0])
    if kind == ADDED:
        (first,) = struct.unpack(f"{order}Q", rule)
        return first + np.cumsum(sizes) - sizes, sizes
    return starts, sizes
