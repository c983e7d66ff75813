"""Decompresses a stream of bytes: gzip, bzip2, xz, zstd, or none, recognised by the first bytes.

A file may consist of several compressed streams, one after the other, as of bgzip or `cat`.  Each must be complete, and
its own checksum must match.  gzip and xz may be followed by zero bytes, which tape drives and some tools add; anything
else after the last stream is an error, where gzip(1) only warns.

gzip is decompressed by ISA-L (isal), in less than half of zlib's time.  Its decompressor checks the CRC of each member.
"""

import bz2
import lzma
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

from wort_cli.pipeline.reads.faults import BadReads, Fault

PIECE = 1 << 20
"""Bytes that are decompressed at a time, at most, so that a small file cannot fill the memory."""
LONGEST_MAGIC = 6


class Decompressor(Protocol):
    """Decompresses one stream, as bz2.BZ2Decompressor does."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether all that can be decompressed of the data so far was returned."""

    @property
    def unused_data(self) -> bytes:
        """The bytes after the end of the stream."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most `max_length` bytes of the decompressed data."""


def gzip_decompressor() -> Decompressor:
    """Return a decompressor of one member of gzip, which checks its CRC and size."""
    from isal import igzip_lib

    found: Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return found


def gzip_errors() -> tuple[type[Exception], ...]:
    """Return what that decompressor raises for damaged data."""
    from isal import igzip_lib

    return (cast(type[Exception], igzip_lib.IsalError), EOFError, ValueError)


def zstd_module() -> Any:
    """Return the module of zstd: Python's own from 3.14 on."""
    return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


@dataclass(frozen=True)
class Compression:
    """A format of compressed files."""

    name: str
    magic: bytes
    start: Callable[[], Decompressor]
    errors: Callable[[], tuple[type[Exception], ...]]
    """The errors of `decompress` for damaged data."""
    padded: bool = False
    """Whether zero bytes may follow."""


COMPRESSIONS = (
    Compression("gzip", b"\x1f\x8b\x08", gzip_decompressor, gzip_errors, padded=True),
    Compression("bzip2", b"BZh", bz2.BZ2Decompressor, lambda: (OSError, ValueError)),
    Compression(
        "xz",
        b"\xfd7zXZ\0",
        lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ),
        lambda: (lzma.LZMAError, ValueError),
        padded=True,
    ),
    Compression(
        "zstd",
        b"\x28\xb5\x2f\xfd",
        lambda: zstd_module().ZstdDecompressor(),
        lambda: (zstd_module().ZstdError, ValueError),
    ),
)


def compression_of(head: bytes) -> Compression | None:
    """Return the compression of a file that begins with `head`; None for none."""
    return next((each for each in COMPRESSIONS if head.startswith(each.magic)), None)


def decompressed(compression: Compression | None, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the decompressed content of a file, in pieces of at most PIECE bytes if it is compressed.

    Raises BadReads unless it is complete, undamaged and followed by nothing else.
    """
    if compression is None:
        yield from blocks
        return
    errors = compression.errors()
    stream: Decompressor | None = compression.start()
    rest = b""
    for block in blocks:
        data = rest + block if rest else block
        rest = b""
        while data or (stream is not None and not stream.needs_input and not stream.eof):
            if stream is None:
                data = data.lstrip(b"\0") if compression.padded else data
                if not data:
                    break
                if not data.startswith(compression.magic):
                    if compression.magic.startswith(data):  # the rest of the magic is in the next block
                        rest, data = data, b""
                        break
                    raise BadReads(Fault.TRAILING)
                stream = compression.start()
            try:
                piece = stream.decompress(data, PIECE)
            except errors:
                raise BadReads(Fault.DAMAGED) from None
            data = b""
            if piece:
                yield piece
            if stream.eof:
                data, stream = stream.unused_data, None
    if stream is not None:
        raise BadReads(Fault.TRUNCATED)
    if rest:
        raise BadReads(Fault.TRAILING)
