"""Decodes an archive in this process, as a job does."""

import os
from dataclasses import dataclass
from pathlib import Path

from wort_cli.model.failure import JobFailed
from wort_cli.pipeline.decoding.vdb import VdbCursor
from wort_cli.pipeline.decoding.vdb_decoder import VdbDecoder
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import NEVER


@dataclass(frozen=True)
class Question:
    """An archive, its number of spots, and the slices of it that are wanted."""

    path: Path
    spots: int
    parts: tuple[Slice, ...]


@dataclass(frozen=True)
class Decoded:
    """The answer of a decoder for a slice."""

    text: bytes
    read: int
    """Spots that were read."""
    spots: int
    """Spots with a read that passed."""
    reads: int
    bases: int
    longest: int


@dataclass(frozen=True)
class Declined:
    """Why a decoder did not decode."""

    reason: str


def decode(question: Question) -> list[Decoded] | Declined:
    """Decode slices of an archive, which share a cursor.  The toolkit looks for references where the archive is."""
    os.chdir(question.path.parent)
    try:
        cursors = [VdbCursor(question.path, question.spots)]
        return [decode_slice(question, part, cursors) for part in question.parts]
    except CannotDecode as error:
        return Declined(str(error))
    except JobFailed as failed:
        return Declined(f"{failed.failure.reason}: {failed}")


def decode_slice(question: Question, part: Slice, cursors: list[VdbCursor]) -> Decoded:
    """Decode one slice."""
    decoder = VdbDecoder(question.path, question.spots, part, cursors)
    text = b"".join(bytes(text) for text in decoder.texts(NEVER))
    counts, stats = decoder.finish(NEVER), decoder.stats
    return Decoded(text, counts.read, stats.spots, stats.reads, stats.bases, stats.longest)
