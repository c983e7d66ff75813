"""The format of signatures between processes: a line of JSON for each, then the numbers of its sketches.

The numbers are unsigned 64-bit integers, little-endian: the hashes of a sketch, and then its abundances, if it has any.
The last line is `{"end": true}`, or a fault.  The process may have been taken over by the file that it read, so nothing
in the stream is trusted: sizes are bounded before memory is taken, and hashes must ascend.
"""

import json
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.signature_file import SignatureDocument, Sketch

MAX_LINE = 1 << 16
"""Bytes of a line of JSON."""
NUMBER = np.dtype("<u8")
MAX_UINT64 = 2**64 - 1


def write_document(document: SignatureDocument, file: IO[bytes]) -> None:
    """Write a signature to a stream."""
    head = {
        "name": document.name,
        "filename": document.filename,
        "sketches": [
            {"ksize": s.ksize, "seed": s.seed, "max_hash": s.max_hash, "num": s.num, "molecule": s.moltype,
             "md5": s.md5, "hashes": len(s.hashes), "abundances": s.abundances is not None}
            for s in document.sketches
        ],
    }  # fmt: skip
    file.write(json.dumps(head).encode() + b"\n")
    for sketch in document.sketches:
        file.write(sketch.hashes.astype(NUMBER).tobytes())
        if sketch.abundances is not None:
            file.write(sketch.abundances.astype(NUMBER).tobytes())
    file.flush()


class SignatureStream:
    """The reading end of a stream, of at most `most` bytes of numbers."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._left = most
        self.last: dict[str, Any] = {}
        """The last line, once all signatures were read; empty if the stream ended without one."""

    def __iter__(self) -> Iterator[SignatureDocument]:
        """Yield the signatures.  Raises ValueError, TypeError, KeyError or AttributeError for what no reader writes."""
        while line := self._file.readline(MAX_LINE):
            head = json.loads(line)
            if "sketches" not in head:
                self.last = head
                return
            sketches = tuple(self._sketch(each) for each in head["sketches"])
            yield SignatureDocument(text(head["name"]), text(head["filename"]), sketches)

    def _sketch(self, head: dict[str, Any]) -> Sketch:
        hashes = self._numbers(integer(head["hashes"]))
        if np.any(hashes[1:] <= hashes[:-1]):
            raise ValueError("the hashes do not ascend")
        abundances = self._numbers(len(hashes)) if head["abundances"] is True else None
        return Sketch(
            integer(head["ksize"]), integer(head["seed"]), integer(head["max_hash"]), hashes, abundances,
            text(head["molecule"]), text(head["md5"]), integer(head["num"]),
        )  # fmt: skip

    def _numbers(self, count: int) -> NDArray[np.uint64]:
        size = count * NUMBER.itemsize
        self._left -= size
        if self._left < 0:
            raise ValueError("there are too many numbers")
        data = self._file.read(size)
        if len(data) != size:
            raise ValueError("the stream is truncated")
        return np.frombuffer(data, NUMBER).astype(np.uint64, copy=False)


def integer(value: object) -> int:
    """Return an unsigned 64-bit integer; raise ValueError for anything else."""
    if type(value) is not int or not 0 <= value <= MAX_UINT64:
        raise ValueError("it is not an integer")
    return value


def text(value: object) -> str:
    """Return a text; raise TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError("it is not a text")
    return value
