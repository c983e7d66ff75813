"""Writes one signature of the sketches that came as several, as sourmash would write it.

Source of the format: sourmash src/core/src/signature.rs; the strict reader accepts what is written here.
"""

import gzip
import json
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.signature_file import SignatureDocument, Sketch

NUMBERS = 1 << 16
"""Numbers that are formatted together."""


def write_joined(document: SignatureDocument, file: IO[bytes]) -> None:
    """Write a signature as gzip, always with the same bytes."""
    with gzip.GzipFile("", "wb", 1, file, mtime=0) as packed:
        for piece in pieces(document):
            packed.write(piece)


def pieces(document: SignatureDocument) -> Iterator[bytes]:
    """Yield the JSON of a signature."""
    head = {"class": "sourmash_signature", "email": "", "hash_function": "0.murmur64", "filename": document.filename,
            "name": document.name, "license": "CC0"}  # fmt: skip
    yield b"[" + json.dumps(head).encode()[:-1] + b', "signatures": ['
    for number, sketch in enumerate(document.sketches):
        yield b", " if number else b""
        yield from pieces_of_sketch(sketch)
    yield b'], "version": 0.4}]'


def pieces_of_sketch(sketch: Sketch) -> Iterator[bytes]:
    """Yield the JSON of a sketch."""
    head = {"num": 0, "ksize": sketch.ksize, "seed": sketch.seed, "max_hash": sketch.max_hash}
    yield json.dumps(head).encode()[:-1] + b', "mins": ['
    yield from numbers(sketch.hashes)
    yield b'], "md5sum": ' + json.dumps(sketch.md5sum()).encode()
    if sketch.abundances is not None:
        yield b', "abundances": ['
        yield from numbers(sketch.abundances.astype(np.uint64, copy=False))
        yield b"]"
    yield b', "molecule": ' + json.dumps(sketch.moltype).encode() + b"}"


def numbers(values: NDArray[np.uint64]) -> Iterator[bytes]:
    """Yield numbers in decimal, with commas between them."""
    for start in range(0, len(values), NUMBERS):
        text = ",".join(map(str, values[start : start + NUMBERS].tolist()))
        yield (f",{text}" if start else text).encode()
