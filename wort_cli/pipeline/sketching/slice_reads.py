"""The reads of a slice as text for hashing: what a decoder is to the sketcher (sketch.py), whichever decodes.

decode.py has fastq-dump do it, spots.py reads the archive in this process.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.system.cancellation import Cancellation

Text = bytes | NDArray[np.uint8]
"""Reads, with an N between two of them, which no k-mer spans."""

PIECE = 1 << 20
"""Bytes of text that are given in one go, at the least, unless there are no more."""


class Declined(Exception):
    """This slice, archive or machine is not for this decoder; another one does it."""


@dataclass(frozen=True)
class Spots:
    """What a decoder says it did: spots it read, and those of which it gave a read."""

    read: int
    written: int


class Seen(Protocol):
    """What passed by so far."""

    @property
    def spots(self) -> int:
        """Spots with at least one read."""

    @property
    def reads(self) -> int:
        """Reads."""

    @property
    def bases(self) -> int:
        """Bases of all reads."""

    @property
    def longest(self) -> int:
        """Bases of the longest read."""


class SliceReads(Seen, Protocol):
    """The reads of a slice, once."""

    decoder: str
    """Which one decodes."""

    def texts(self, cancellation: Cancellation) -> Iterator[Text]:
        """The text in pieces that end where a read ends; each is good until the next one is asked for.

        Cancelled, JobFailed or Declined if it can't be had to the end.
        """

    def finish(self, cancellation: Cancellation) -> Spots:
        """What the decoder did, once there is no more text; JobFailed unless all went well."""


def check_slice(expected: int, reads: Seen, spots: Spots) -> None:
    """JobFailed unless every spot of a slice was read, and every spot that was written arrived here."""
    if spots.read != expected:
        raise JobFailed(Reason.INCOMPLETE, f"{spots.read} spots of {expected} were read")
    if spots.written != reads.spots:
        raise JobFailed(Reason.INCOMPLETE, f"{spots.written} spots were written, {reads.spots} arrived")
