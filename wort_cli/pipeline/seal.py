"""Writes a signature as the very bytes that `sourmash sketch` writes, from sorted arrays, in slices, and reads it back.

Of 20 million hashes sourmash makes a document in memory, more than 2 GB, in minutes.  Here the numbers are made text a
slice at a time, which goes through gzip into the file; the md5 of a sketch is computed of the same text.

All but the numbers comes from the installed sourmash itself (layout.py).  If what it writes is not of the shape that is
known there, sourmash writes the signature after all: slowly, but right.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.accession import Name
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.signature_file import Sketch, digest, parse_signature
from wort_cli.pipeline.signature_layout import Layout, UnknownShape, layout_of, written_by_sourmash
from wort_cli.pipeline.sketching.jit import jit
from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.cancellation import NEVER, Cancellation

Numbers = NDArray[np.uint64]

SLICE = 1 << 16
"""Numbers that are made text together."""
LONGEST_NUMBER = 20
"""Digits of the largest 64-bit number."""
LEVEL = 1
"""Of gzip.  Digits of hashes are random: level 6 makes the file 5 % smaller and takes ten times as long."""

COMMA, ZERO, NINE = np.frombuffer(b",09", np.uint8)
TEN = np.uint64(10)


def seal(name: Name, sketches: Sequence[Sketch], path: Path, cancellation: Cancellation = NEVER) -> str:
    """Write the signature of `sketches` to `path`, whole or not at all; return its digest.

    JobFailed if they are no sketches, or if what was written does not read back as what was meant.  `check` is called
    for each slice of numbers, and may raise.
    """
    with atomic_file(path) as file:
        try:
            write_signature(str(name), sketches, file, cancellation)
        except (ValueError, UnknownShape) as error:
            raise JobFailed(Reason.TOOL_CRASH, f"no signature of {name} can be made: {error}") from None
        file.seek(0)
        if not reads_back(str(name), sketches, file, cancellation):
            raise JobFailed(Reason.TOOL_CRASH, f"the sealed signature of {name} does not read back as it was written")
    return digest(sketches)


# Writing -------------------------------------------------------------------------------------------------------------


def write_signature(name: str, sketches: Sequence[Sketch], file: IO[bytes], cancellation: Cancellation = NEVER) -> None:
    """Write one signature of all `sketches`, gzip without a time and a name, so that equal content is equal bytes.

    ValueError if they are not what sourmash could have made.
    """
    for sketch in sketches:
        check_proper(sketch)
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=LEVEL) as stream:
        for text in signature_slices(name, sketches):
            cancellation.check()
            stream.write(text)


def check_proper(sketch: Sketch) -> None:
    """ValueError if it is no sketch: sourmash would sort, drop and add up, where we write what we are given."""
    hashes, abundances = sketch.hashes, sketch.abundances
    if sketch.moltype != "DNA":
        raise ValueError(f"a sketch of {sketch.moltype} is not of DNA")
    if np.any(hashes[1:] <= hashes[:-1]):
        raise ValueError(f"the hashes of k={sketch.ksize} do not ascend")
    if hashes.size and hashes[-1] > sketch.max_hash:
        raise ValueError(f"a hash of k={sketch.ksize} is above {sketch.max_hash}")
    if abundances is not None and (abundances.size != hashes.size or not np.all(abundances)):
        raise ValueError(f"the abundances of k={sketch.ksize} are not one of each hash, or some are 0")


def signature_slices(name: str, sketches: Sequence[Sketch]) -> Iterator[bytes]:
    """The JSON of a signature, in order."""
    try:
        layout = layout_of(name, sketches)
    except UnknownShape:
        yield written_by_sourmash(name, sketches)
        return
    yield layout.before
    for i, (sketch, frame) in enumerate(zip(sketches, layout.frames, strict=True)):
        yield b"," * (i > 0) + frame.before_hashes
        if sketch.hashes.size:
            md5 = new_md5(sketch)
            for text in number_slices(sketch.hashes):
                md5.update(text.translate(None, b","))
                yield text
            yield frame.before_md5 + md5.hexdigest().encode()
            if frame.before_abundances is not None and sketch.abundances is not None:
                yield frame.before_abundances
                yield from number_slices(sketch.abundances)
        yield frame.after
    yield layout.after


def number_slices(numbers: Numbers) -> Iterator[bytes]:
    """Numbers in decimal, with commas between them."""
    text = np.empty(SLICE * (LONGEST_NUMBER + 1), np.uint8)
    for start in range(0, numbers.size, SLICE):
        last = start + SLICE >= numbers.size
        n = write_decimals(numbers[start : start + SLICE], text)
        yield text[: n - 1 if last else n].tobytes()


@jit
def write_decimals(numbers: Numbers, text: NDArray[np.uint8]) -> int:
    """Write each number and a comma to `text`; return how long that is."""
    digits = np.empty(LONGEST_NUMBER, np.uint8)
    n = 0
    for number in numbers:
        first = LONGEST_NUMBER
        while True:  # the last digit first
            first -= 1
            digits[first] = ZERO + np.uint8(number % TEN)
            number //= TEN  # noqa: PLW2901
            if number == 0:
                break
        for i in range(first, LONGEST_NUMBER):
            text[n] = digits[i]
            n += 1
        text[n] = COMMA
        n += 1
    return n


def new_md5(sketch: Sketch) -> "hashlib._Hash":
    """sourmash's md5 of a sketch is of its ksize and its hashes, as text without anything between."""
    return hashlib.md5(str(sketch.ksize).encode(), usedforsecurity=False)


# Reading back --------------------------------------------------------------------------------------------------------


def reads_back(name: str, sketches: Sequence[Sketch], file: IO[bytes], cancellation: Cancellation = NEVER) -> bool:
    """Whether `file`, from where it stands to its end, is the signature of `sketches`: each number is compared.

    In slices as well, and with a reader of numbers that has nothing in common with how they are written.
    """
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as stream:
            try:
                layout = layout_of(name, sketches)
            except UnknownShape:
                return is_same(name, sketches, stream.read())
            for same in comparisons(stream, sketches, layout):
                cancellation.check()
                if not same:
                    return False
            return True
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False


def comparisons(stream: gzip.GzipFile, sketches: Sequence[Sketch], layout: Layout) -> Iterator[bool]:
    """Whether each part of the signature comes in its turn; do not ask on when one does not."""
    yield is_next(stream, layout.before)
    for i, (sketch, frame) in enumerate(zip(sketches, layout.frames, strict=True)):
        yield is_next(stream, b"," * (i > 0) + frame.before_hashes)
        if sketch.hashes.size:
            md5 = new_md5(sketch)
            yield from are_next(stream, sketch.hashes, md5)
            yield is_next(stream, frame.before_md5 + md5.hexdigest().encode())
            if frame.before_abundances is not None and sketch.abundances is not None:
                yield is_next(stream, frame.before_abundances)
                yield from are_next(stream, sketch.abundances)
        yield is_next(stream, frame.after)
    yield is_next(stream, layout.after)
    yield stream.read(1) == b""


def is_same(name: str, sketches: Sequence[Sketch], text: bytes) -> bool:
    """Whether the JSON of a signature is that of `sketches`, by our parser."""
    try:
        document = parse_signature(text)
    except (ValueError, KeyError, TypeError, OverflowError):
        return False
    return document.name == name and document.digest == digest(sketches)


def is_next(stream: gzip.GzipFile, text: bytes) -> bool:
    """Whether `text` comes next."""
    return stream.read(len(text)) == text


def are_next(stream: gzip.GzipFile, numbers: Numbers, md5: "hashlib._Hash | None" = None) -> Iterator[bool]:
    """Whether `numbers` come next, with commas between them, slice by slice; `md5` is fed with the digits read."""
    for start in range(0, numbers.size, SLICE):
        part = numbers[start : start + SLICE]
        text = stream.read(decimal_length(part) - (start + SLICE >= numbers.size))
        yield are_decimals(np.frombuffer(text, np.uint8), part)
        if md5 is not None:
            md5.update(text.translate(None, b","))


def decimal_length(numbers: Numbers) -> int:
    """How long numbers are as text, with a comma after each."""
    powers = np.uint64(10) ** np.arange(1, LONGEST_NUMBER, dtype=np.uint64)
    return 2 * numbers.size + int(np.searchsorted(powers, numbers, side="right").sum())


@jit
def are_decimals(text: NDArray[np.uint8], numbers: Numbers) -> bool:
    """Whether `text` is these numbers, with a comma between two, and perhaps after the last."""
    at = 0
    for number in numbers:
        value, begin = np.uint64(0), at
        while at < text.size and ZERO <= text[at] <= NINE:
            value = value * TEN + np.uint64(text[at] - ZERO)
            at += 1
        if at == begin or value != number:
            return False
        if at < text.size:
            if text[at] != COMMA:
                return False
            at += 1
    return at == text.size
