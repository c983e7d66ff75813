"""The protocol between RunSketcher and decoders: a decoder yields the reads of one slice as text for hashing.

The package `decoding` has two implementations: fastq_dump.py runs fastq-dump, vdb_decoder.py reads the archive in this
process.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.system.cancellation import Cancellation

Text = bytes | NDArray[np.uint8]
"""Bases of reads, with an N between two reads.  No k-mer spans an N.

For an engine that needs whole reads, a line feed is before each read, which is in no read.
"""
UNKNOWN = b"N"
"""The letter of an unknown base."""

TEXT_SIZE = 1 << 20
"""Bytes of text that a decoder yields at a time, approximately."""


class CannotDecode(Exception):
    """The decoder does not support this slice, archive, profile or machine; the next decoder is tried."""


class NeedsWholeRun(CannotDecode):
    """The text of this slice depends on spots of others, so that fastq-dump must decode the run as a whole.

    - fastq-dump fails for all spots of a blob that has a base with an invalid code (ncbi-vdb libs/vxf/map.c), and a
      blob may have spots of several slices.
    - If a spot has no biological read, whether its reads pass or not, the library cannot compute the part that `--clip`
      leaves of it.  It computes the parts of many spots at a time, and gives this spot and those after it the part of
      the spot before; it fails if there is none.  Where it begins and ends depends on the spots that were read before
      (ncbi-vdb libs/sraxf/bio-start.c and libs/vdb/prod-cmn.c, VFunctionProdCallRowFunc1).
    """


class SliceCrashed(JobFailed):
    """The tool that decoded a slice crashed, which another try may avoid.  The reason is tool-crash."""


@dataclass(frozen=True)
class DecoderCounts:
    """A decoder's own count of spots."""

    read: int
    """Spots read from the archive."""
    written: int
    """Spots with at least one read that passed the filters."""


class SliceDecoder(Protocol):
    """Decodes one slice, once."""

    name: str
    """The decoder's name in the log and in the provenance."""

    @property
    def stats(self) -> ReadStats:
        """Counts of the reads that were decoded so far."""

    def texts(self, cancellation: Cancellation) -> Iterator[Text]:
        """Yield the text in pieces that end at the end of a read.  A piece is valid until the next one is requested.

        Raises Cancelled, JobFailed, or CannotDecode.
        """

    def finish(self, cancellation: Cancellation) -> DecoderCounts:
        """Return the decoder's counts after the last text.  Raises JobFailed if the decoder reports an error."""


StartDecoder = Callable[[Slice], SliceDecoder]
"""Starts to decode a slice.  May raise CannotDecode."""


def check_slice_complete(expected: int, stats: ReadStats, counts: DecoderCounts) -> None:
    """Raise JobFailed unless all `expected` spots were read, and every spot that was written has arrived."""
    if counts.read != expected:
        raise JobFailed(Reason.INCOMPLETE, f"{counts.read} spots of {expected} were read")
    if counts.written != stats.spots:
        raise JobFailed(Reason.INCOMPLETE, f"{counts.written} spots were written, {stats.spots} arrived")
