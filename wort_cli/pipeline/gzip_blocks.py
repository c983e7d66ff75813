"""Writes gzip in blocks that are compressed on their own, by other threads, and reads it with ISA-L.

The blocks form one gzip member (RFC 1952), which every reader of gzip can read.  The header has no time and no file
name, and the blocks depend only on the text, so that equal text gives equal bytes.
"""

import gzip
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, cast

from isal import igzip, igzip_lib, isal_zlib

from wort_cli.pipeline.digit_codes import are_random_digits, deflate_digits

LEVEL = 1
"""The level of zlib.  Hashes are random digits: level 6 makes the file 5 % smaller and takes ten times as long."""
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
"""Deflate, no flags, no time, fastest compression, unknown system."""
END = b"\x03\x00"
"""An empty last block."""
SMALL = 1 << 16
"""Bytes of a text, at most, that are compressed together with the texts around it."""
THREADS = 2
"""Threads that compress.  It takes twice as long as formatting the numbers."""
AHEAD = 4
"""Blocks that wait for another thread, or for being written, at most."""
LONG_NUMBER = 8
"""Digits of a number, at least, whose digits are random: a hash, not an abundance."""

GZIP_ERRORS: tuple[type[Exception], ...]
GZIP_ERRORS = (EOFError, gzip.BadGzipFile, cast(type[Exception], igzip_lib.IsalError))
"""The errors of reading damaged gzip."""


def open_gzip(file: IO[bytes]) -> IO[bytes]:
    """Return the decompressed content of a file from its position on.  ISA-L takes half of zlib's time."""
    make: Any = igzip.IGzipFile
    return cast(IO[bytes], make(fileobj=file, mode="rb"))


def write_gzip(texts: Iterable[bytes], file: IO[bytes]) -> None:
    """Write texts to a file, as one gzip member."""
    crc = size = 0
    file.write(HEADER)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="gzip") as pool:
        waiting: deque[Future[bytes]] = deque()
        for text in joined(texts):
            crc, size = isal_zlib.crc32(text, crc), size + len(text)
            waiting.append(pool.submit(deflate, text))
            if len(waiting) > AHEAD:
                file.write(waiting.popleft().result())
        for block in waiting:
            file.write(block.result())
    file.write(END + crc.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little"))


def joined(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield large texts unchanged, and join neighbouring small ones."""
    small = bytearray()
    for text in texts:
        if len(text) <= SMALL:
            small += text
        if small and (len(text) > SMALL or len(small) > SMALL):
            yield bytes(small)
            small.clear()
        if len(text) > SMALL:
            yield text
    if small:
        yield bytes(small)


def deflate(text: bytes) -> bytes:
    """Compress a text to blocks of Deflate that refer to nothing before them, and end at a whole byte."""
    if text.count(b",") * LONG_NUMBER < len(text) and are_random_digits(text):
        return deflate_digits(text)
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(text) + compressor.flush(zlib.Z_FULL_FLUSH)
