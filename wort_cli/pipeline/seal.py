"""Writes a signature with the same bytes as `sourmash sketch`, from sorted arrays, and reads it back.

For 20 million hashes, sourmash builds a document of more than 2 GB in memory, which takes minutes.  Here the numbers
are formatted in blocks and streamed through gzip into the file; the md5 of a sketch is computed from the same text.

Everything except the numbers comes from the installed sourmash (signature_layout.py).  If its JSON has an unknown
layout, sourmash writes the signature itself: slowly, but correctly.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import MOLTYPES
from wort_cli.model.signature_file import Abundances, Sketch, digest, parse_signature
from wort_cli.pipeline.decimals import BLOCK, decimal_length, digits_of, number_blocks
from wort_cli.pipeline.gzip_blocks import AHEAD, GZIP_ERRORS, open_gzip, write_gzip
from wort_cli.pipeline.signature_layout import Layout, UnknownLayout, layout_of, write_with_sourmash
from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.cancellation import NEVER, Cancellation

Numbers = NDArray[np.uint64]


def seal(
    name: str, sketches: Sequence[Sketch], path: Path, cancellation: Cancellation = NEVER, filename: str = ""
) -> str:
    """Write the signature of `sketches` to `path` atomically; return its digest.

    Raises JobFailed if the sketches are invalid, or if the file does not read back as them.  The cancellation is
    checked after each block of numbers.
    """
    with atomic_file(path, durable=False) as file:  # the stores sync their copies
        try:
            write_signature(name, sketches, file, cancellation, filename)
        except (ValueError, UnknownLayout) as error:
            raise JobFailed(Reason.TOOL_CRASH, f"cannot write a signature of {name}: {error}") from None
        file.seek(0)
        with ThreadPoolExecutor(1, "digest") as other:
            found = other.submit(digest, sketches)
            same = reads_back(name, sketches, file, cancellation, filename)
        if not same:
            raise JobFailed(Reason.TOOL_CRASH, f"the sealed signature of {name} does not read back as it was written")
    return found.result()


# Writing -------------------------------------------------------------------------------------------------------------


def write_signature(
    name: str, sketches: Sequence[Sketch], file: IO[bytes], cancellation: Cancellation = NEVER, filename: str = ""
) -> None:
    """Write one signature of all `sketches`; gzip has no time and no file name, so equal content gives equal bytes.

    Raises ValueError if sourmash could not have made the sketches.
    """
    for sketch in sketches:
        check_sketch(sketch)

    def texts() -> Iterator[bytes]:
        for text in signature_blocks(name, sketches, filename):
            cancellation.check()
            yield text

    write_gzip(texts(), file)


def check_sketch(sketch: Sketch) -> None:
    """Raise ValueError if a sketch is invalid: sourmash would sort and merge its hashes, wort writes them unchanged."""
    hashes, abundances = sketch.hashes, sketch.abundances
    if sketch.moltype not in MOLTYPES.values():
        raise ValueError(f"sourmash has no molecule {sketch.moltype}")
    if np.any(hashes[1:] <= hashes[:-1]):
        raise ValueError(f"the hashes of k={sketch.ksize} do not ascend")
    if hashes.size and hashes[-1] > sketch.max_hash:
        raise ValueError(f"a hash of k={sketch.ksize} is above {sketch.max_hash}")
    if abundances is not None and (abundances.size != hashes.size or not np.all(abundances)):
        raise ValueError(f"the abundances of k={sketch.ksize} do not match its hashes, or some are 0")


def signature_blocks(name: str, sketches: Sequence[Sketch], filename: str = "") -> Iterator[bytes]:
    """Yield the JSON of a signature in blocks."""
    try:
        layout = layout_of(name, sketches, filename)
    except UnknownLayout:
        yield write_with_sourmash(name, sketches, filename)
        return
    yield layout.before
    for i, (sketch, frame) in enumerate(zip(sketches, layout.frames, strict=True)):
        yield b"," * (i > 0) + frame.before_hashes
        if sketch.hashes.size:
            md5 = new_md5(sketch)
            for text, digits in number_blocks(sketch.hashes):
                md5.update(digits)
                yield text
            yield frame.before_md5 + md5.hexdigest().encode()
            if frame.before_abundances is not None and sketch.abundances is not None:
                yield frame.before_abundances
                yield from (text for text, _ in number_blocks(sketch.abundances))
        yield frame.after
    yield layout.after


def new_md5(sketch: Sketch) -> "hashlib._Hash":
    """Start sourmash's md5 of a sketch, which covers its ksize and its hashes as decimal text without separators."""
    return hashlib.md5(str(sketch.ksize).encode(), usedforsecurity=False)


# Reading back --------------------------------------------------------------------------------------------------------


def reads_back(
    name: str, sketches: Sequence[Sketch], file: IO[bytes], cancellation: Cancellation = NEVER, filename: str = ""
) -> bool:
    """Return whether `file`, from its position to its end, is the signature of `sketches`; compare every number.

    Numbers are parsed in blocks, by code that is independent of the code that writes them, in a second thread while the
    next block is decompressed.
    """
    try:
        with open_gzip(file) as stream, ThreadPoolExecutor(1, "numbers") as parser:
            try:
                layout = layout_of(name, sketches, filename)
            except UnknownLayout:
                return is_same(name, sketches, stream.read(), filename)
            for same in compare_parts(stream, sketches, layout, parser):
                cancellation.check()
                if not same:
                    return False
            return True
    except GZIP_ERRORS:
        return False


def compare_parts(stream: IO[bytes], sketches: Sequence[Sketch], layout: Layout, parser: Executor) -> Iterator[bool]:
    """Yield whether each part of the signature is next in the stream; stop at the first that is not."""
    yield is_next(stream, layout.before)
    for i, (sketch, frame) in enumerate(zip(sketches, layout.frames, strict=True)):
        yield is_next(stream, b"," * (i > 0) + frame.before_hashes)
        if sketch.hashes.size:
            md5 = new_md5(sketch)
            yield from are_next(stream, sketch.hashes, parser, md5)
            yield is_next(stream, frame.before_md5 + md5.hexdigest().encode())
            if frame.before_abundances is not None and sketch.abundances is not None:
                yield is_next(stream, frame.before_abundances)
                yield from are_next(stream, sketch.abundances, parser)
        yield is_next(stream, frame.after)
    yield is_next(stream, layout.after)
    yield stream.read(1) == b""


def is_same(name: str, sketches: Sequence[Sketch], text: bytes, filename: str = "") -> bool:
    """Parse the JSON of a signature; return whether it has these sketches."""
    try:
        document = parse_signature(text)
    except (ValueError, KeyError, TypeError, OverflowError):
        return False
    return (document.name, document.filename) == (name, filename) and document.digest == digest(sketches)


def is_next(stream: IO[bytes], text: bytes) -> bool:
    """Return whether `text` is next in the stream."""
    return stream.read(len(text)) == text


def are_next(
    stream: IO[bytes], numbers: Abundances, parser: Executor, md5: "hashlib._Hash | None" = None
) -> Iterator[bool]:
    """Yield for each block whether its numbers are next in the stream; update `md5` with the digits."""
    waiting: deque[Future[bool]] = deque()
    for start in range(0, numbers.size, BLOCK):
        part = numbers[start : start + BLOCK].astype(np.uint64, copy=False)
        text = stream.read(decimal_length(part) - (start + BLOCK >= numbers.size))
        waiting.append(parser.submit(is_text_of, text, part, md5))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    for same in waiting:
        yield same.result()


def is_text_of(text: bytes, numbers: Numbers, md5: "hashlib._Hash | None") -> bool:
    """Return whether a text is these numbers; update `md5` with its digits."""
    digits = digits_of(text, numbers)
    if digits is not None and md5 is not None:
        md5.update(digits.data)
    return digits is not None
