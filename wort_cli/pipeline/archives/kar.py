"""Reads the table of contents of a KAR archive, the file format of an .sra file.

An archive is a small file system in one file:

    8 bytes   "NCBI.sra"
    4 bytes   0x05031988, which tells the byte order of all numbers
    4 bytes   version, 1
    8 bytes   offset of the first file's data: the end of the table of contents
    ...       the table of contents, a packed tree of directories
    ...       the data of the files, each at an offset from the first one

A packed tree is: number of nodes (u32), bytes of their data (u32), the offset of each node in that data (1 byte each if
the data has at most 256 bytes, 2 if at most 65,536, else 4), and the data.  A node is: length of its name (u16), name,
mtime (i64), access mode (u32), type (u8), and what its type requires.

Everything is checked, because the table may come from a server that lies: its size and depth are bounded, each name is
a plain name, no name occurs twice in a directory, and no file overlaps another or lies outside the archive.  A table
that is valid but of a kind unknown here (links, chunked files) is refused too; such an archive must be read as a whole.

Sources: ncbi-vdb interfaces/kfs/sra.h, libs/kfs/{toc,tocentry}.c, libs/klib/pbstree.c.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType

MAGIC = b"NCBI.sra"
BYTE_ORDERS = {b"\x88\x19\x03\x05": "<", b"\x05\x03\x19\x88": ">"}
"""The byte order of each mark, as the struct module writes it."""
VERSION = 1
HEADER_SIZE = 24
"""Bytes before the table of contents."""
MAX_TABLE_SIZE = 1 << 20
"""Bytes; the largest table seen in a real archive has 9 kB."""
REMEMBERED, MAX_REMEMBERED = 4, 1 << 16
"""The number of parsed tables in the cache, and the largest number of their bytes; real ones have about 3,000."""
MAX_DEPTH = 8
"""Directories inside each other; real archives have 5."""
DIRECTORY, FILE, EMPTY_FILE = 1, 2, 6
"""Types of nodes (KTocEntryType); others are links, chunked files, and errors."""


class KarError(ValueError):
    """The bytes are not a table of contents that this module accepts; the text says why."""


@dataclass(frozen=True)
class Extent:
    """The bytes of a file inside the archive."""

    offset: int
    """Bytes from the start of the archive."""
    size: int
    """Bytes."""

    @property
    def end(self) -> int:
        """Offset of the first byte after the file."""
        return self.offset + self.size


def merge_extents(extents: Iterable[Extent], gap: int = 0) -> list[Extent]:
    """Return extents in order, those merged that overlap or have at most `gap` bytes between them."""
    merged: list[Extent] = []
    for extent in sorted((extent for extent in extents if extent.size), key=lambda extent: extent.offset):
        if merged and extent.offset - merged[-1].end <= gap:
            last = merged[-1]
            merged[-1] = Extent(last.offset, max(last.end, extent.end) - last.offset)
        else:
            merged.append(extent)
    return merged


@dataclass(frozen=True)
class Header:
    """The start of an archive."""

    byte_order: str
    data_offset: int
    """Offset of the first file's data; the table of contents ends there."""


def read_header(head: bytes) -> Header:
    """Return the header at the start of `head`.  Raises KarError if there is none, or if its table is too large."""
    if len(head) < HEADER_SIZE or not head.startswith(MAGIC):
        raise KarError("it does not start as an SRA archive does")
    byte_order = BYTE_ORDERS.get(head[8:12])
    if byte_order is None:
        raise KarError("its byte order mark is unknown")
    version, data_offset = struct.unpack_from(f"{byte_order}IQ", head, 12)
    if version != VERSION:
        raise KarError(f"its format has version {version}, and only version {VERSION} is known")
    if not HEADER_SIZE <= data_offset <= HEADER_SIZE + MAX_TABLE_SIZE:
        raise KarError(f"its table of contents would have {data_offset - HEADER_SIZE:,} bytes")
    return Header(byte_order, data_offset)


def read_table(head: bytes, archive_size: int) -> Mapping[str, Extent]:
    """Return the files of an archive of `archive_size` bytes by their paths, such as `tbl/SEQUENCE/col/READ/data`.

    `head` holds at least the header and the whole table of contents.  Raises KarError if the table is not acceptable.
    """
    header = read_header(head)
    if len(head) < header.data_offset:
        raise KarError("its table of contents is cut short")
    read = parse_table_again if header.data_offset <= MAX_REMEMBERED else parse_table
    return read(head[: header.data_offset], header, archive_size)


def parse_table(head: bytes, header: Header, archive_size: int) -> Mapping[str, Extent]:
    """Return the files in a table of contents; `head` ends with it."""
    files: dict[str, Extent] = {}
    for path, extent in walk(Reader(memoryview(head)[HEADER_SIZE:], header.byte_order)):
        files[path] = Extent(header.data_offset + extent.offset, extent.size) if extent.size else Extent(0, 0)
    check_extents(files, header.data_offset, archive_size)
    return MappingProxyType(files)


parse_table_again = lru_cache(REMEMBERED)(parse_table)
"""Several stages of a job read the same table: its format, its counts and its columns come from there."""


def check_extents(files: Mapping[str, Extent], data_offset: int, archive_size: int) -> None:
    """Raise KarError if a file lies outside the archive's data or overlaps another one."""
    occupied = sorted((extent.offset, extent.end, path) for path, extent in files.items() if extent.size)
    for start, end, path in occupied:
        if start < data_offset or end > archive_size:
            raise KarError(f"its file {path} would lie outside the archive")
    for (_, end, path), (start, _, other) in pairwise(occupied):
        if start < end:
            raise KarError(f"its files {path} and {other} overlap")


class Reader:
    """Numbers and names from a part of the table; KarError where the part ends too early."""

    def __init__(self, data: memoryview, byte_order: str) -> None:
        self.data = data
        self.byte_order = byte_order
        self.position = 0

    def numbers(self, form: str) -> tuple[int, ...]:
        """Return the next numbers, of a form that the struct module knows, and move behind them."""
        form = self.byte_order + form
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def take(self, size: int) -> memoryview:
        """Return the next `size` bytes and move behind them."""
        end = self.position + size
        if end > len(self.data):
            raise KarError("its table of contents is cut short")
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def rest(self) -> "Reader":
        """Return a reader of all bytes that are left."""
        return Reader(self.data[self.position :], self.byte_order)


def walk(root: Reader) -> Iterator[tuple[str, Extent]]:
    """Yield each file below a packed tree with its extent, which counts from the first file's data.

    Directories wait on a stack, so a deep tree costs no recursion.  The nodes of a tree do not overlap, so the work is
    bounded by MAX_DEPTH times the size of the table.
    """
    waiting = [("", 0, root)]
    while waiting:
        folder, depth, tree = waiting.pop()
        seen: set[str] = set()
        for node in nodes_of(tree):
            name = read_name(node)
            if name in seen:
                raise KarError(f"its directory {folder or '/'} has {name} twice")
            seen.add(name)
            path = f"{folder}{name}"
            _mtime, _mode, kind = node.numbers("qIB")
            if kind == FILE:
                yield path, Extent(*node.numbers("QQ"))
            elif kind == EMPTY_FILE:
                yield path, Extent(0, 0)
            elif kind == DIRECTORY and depth < MAX_DEPTH:
                waiting.append((f"{path}/", depth + 1, node.rest()))
            elif kind == DIRECTORY:
                raise KarError("its directories are nested too deeply")
            else:
                raise KarError(f"its entry {path} has type {kind}, which is not a file or directory")


def nodes_of(tree: Reader) -> Iterator[Reader]:
    """Yield a reader for each node of a packed tree, bounded by the start of the next node."""
    if tree.position == len(tree.data):
        return
    (number,) = tree.numbers("I")
    if number == 0:
        return
    (size,) = tree.numbers("I")
    width, form = (1, "B") if size <= 1 << 8 else (2, "H") if size <= 1 << 16 else (4, "I")
    if number * width > len(tree.data):
        raise KarError("its table of contents is cut short")
    starts = tree.numbers(f"{number}{form}")
    data = tree.take(size)
    ends = [*starts[1:], size]
    for start, end in zip(starts, ends, strict=True):
        if not start < end <= size:
            raise KarError("its table of contents is out of order")
        yield Reader(data[start:end], tree.byte_order)


def read_name(node: Reader) -> str:
    """Return the name of a node.  Raises KarError unless it is printable ASCII without a slash, and not `.` or `..`."""
    (length,) = node.numbers("H")
    raw = bytes(node.take(length))
    name = raw.decode("ascii", "replace")
    if not 0 < length <= 255 or not (raw.isascii() and name.isprintable()) or "/" in name or name in (".", ".."):
        raise KarError(f"its table of contents has the name {name[:40]!a}")
    return name
