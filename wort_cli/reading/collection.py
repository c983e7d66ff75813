"""Reads all signatures of a file, with their hashes: one, several, or those of a collection (a zip file).

As in signatures.py, a small file is read in this process, and any other one in a process with limits.  Signatures of
one name that differ in their parameters are joined, because sourmash writes one for each sketch into a collection.
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import IO

from wort_cli.model.signature_file import SignatureDocument, Sketch
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import LimitExceeded
from wort_cli.reading.sandbox import stream_from_child
from wort_cli.reading.signatures import SMALL, SMALL_UNPACKED
from wort_cli.reading.strict import NO_LIMIT, read_documents

MOST_SIGNATURES = 10_000
"""The largest number of signatures in one file, before they are joined."""


def read_collection(file: IO[bytes], limits: ReadLimits, *, own: bool = False) -> tuple[SignatureDocument, ...]:
    """Return the signatures in an open file on disk, from its start; raise Refusal with the first fault.

    With `own`, it is a file that was recorded here, of any size.
    """
    file.seek(0)
    if own:
        return joined(read_documents(file, max_unpacked=NO_LIMIT, most=MOST_SIGNATURES))
    size = os.fstat(file.fileno()).st_size
    if size > limits.size:
        raise LimitExceeded(f"it is larger than {limits.size:,} bytes", hint="raise the setting `submit_size`")
    if size <= SMALL:
        try:
            most = min(SMALL_UNPACKED, limits.unpacked)
            return joined(read_documents(file, max_unpacked=most, most=MOST_SIGNATURES))
        except LimitExceeded:
            pass  # it is small, but unpacks to much
    return joined(stream_from_child(file, limits.for_size(size), MOST_SIGNATURES))


def joined(documents: Iterable[SignatureDocument]) -> tuple[SignatureDocument, ...]:
    """Join signatures of one name and file name that follow each other, and have sketches of different parameters."""
    found: list[SignatureDocument] = []
    newest: dict[tuple[str, str], int] = {}
    for document in documents:
        key = (document.name, document.filename)
        place = newest.get(key, -1)
        if place < 0 or not document.name or parameters(found[place].sketches) & parameters(document.sketches):
            newest[key] = len(found)
            found.append(replace(document, sketches=in_order(document.sketches)))
        else:
            found[place] = replace(document, sketches=in_order((*found[place].sketches, *document.sketches)))
    return tuple(found)


def parameters(sketches: Iterable[Sketch]) -> set[tuple[str, int, int, int, int]]:
    """Return what tells the sketches of one signature apart."""
    return {(s.moltype, s.ksize, s.seed, s.num, s.max_hash) for s in sketches}


def in_order(sketches: Iterable[Sketch]) -> tuple[Sketch, ...]:
    """Return sketches in the order of molecule and k."""
    return tuple(sorted(sketches, key=lambda sketch: (sketch.moltype, sketch.ksize, sketch.num, sketch.scaled)))
