"""Slices: ranges of spots that are decoded and sketched each on its own.

The counts of hashes of all slices add up exactly to those of the run, so that slices can be computed at the same time,
in any order, and once only: a finished one is kept in the job's workspace for an attempt that comes after this one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from wort_cli.pipeline.sketching.hash_counts import Hashes
from wort_cli.system.atomic_files import atomic_file

LARGEST = 2_000_000_000
"""Bases of a slice: less than a minute's work."""
MOST = 32
"""Slices of a run of ordinary size: enough to keep many cores busy to the end."""
NUMBER = np.dtype("<u8")
DIGEST_SIZE = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Slice:
    """The spots from `first` to `last`, both included; the archive numbers them from 1."""

    first: int
    last: int

    @property
    def spots(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class SlicedCounts:
    """What came out of a slice."""

    slice: Slice
    decoder: str
    spots: int
    """Spots with a read that passed the filters."""
    reads: int
    bases: int
    longest: int
    """Bases of the longest read."""
    counts: tuple[tuple[Hashes, Hashes], ...]
    """For each ksize: the distinct hashes, ascending, and how often each was seen."""


def plan(spots: int, bases: int, smallest: int) -> tuple[Slice, ...]:
    """The slices of a run, of `smallest` bases at the least: by its size alone, so that another attempt has the same.

    Starting a decoder costs a tenth of a second, so that a slice should be a second's work or more.
    """
    wanted = max(min(bases / MOST, LARGEST), smallest)
    number = max(1, min(spots, round(bases / wanted)))
    borders = [spots * n // number for n in range(number + 1)]
    return tuple(Slice(low + 1, high) for low, high in pairwise(borders))


class SliceStore:
    """Finished slices in a directory.

    A file is a line of JSON, the arrays (of each ksize the hashes, then the counts, as little-endian 64-bit integers),
    and the sha256 of all that.  `origin` is what the counts depend on beside the spots; what was made of anything else
    is passed over, and so is a damaged file.  A file is whole or not there.
    """

    def __init__(self, directory: Path, origin: Mapping[str, str]) -> None:
        self._directory = directory
        self._origin = dict(origin)

    def load(self, wanted: Slice) -> SlicedCounts | None:
        """A finished slice; None if there is none, or none to be trusted."""
        try:
            data = self._path(wanted).read_bytes()
        except OSError:
            return None
        content, digest = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
        if hashlib.sha256(content).digest() != digest:
            return None
        title, _, arrays = content.partition(b"\n")
        facts = json.loads(title)
        if facts["origin"] != self._origin or facts["slice"] != [wanted.first, wanted.last]:
            return None
        sizes = [size for size in facts["sizes"] for _ in range(2)]
        split = np.split(np.frombuffer(arrays, NUMBER), np.cumsum(sizes)[:-1])
        counts = tuple(zip(split[::2], split[1::2], strict=True))
        return SlicedCounts(
            wanted, facts["decoder"], facts["spots"], facts["reads"], facts["bases"], facts["longest"], counts
        )

    def save(self, done: SlicedCounts) -> None:
        """Keep a finished slice; OSError if it can't be written."""
        facts = {
            "origin": self._origin,
            "slice": [done.slice.first, done.slice.last],
            "decoder": done.decoder,
            "spots": done.spots,
            "reads": done.reads,
            "bases": done.bases,
            "longest": done.longest,
            "sizes": [hashes.size for hashes, _ in done.counts],
        }
        total = hashlib.sha256()
        with atomic_file(self._path(done.slice)) as file:
            for part in (json.dumps(facts).encode() + b"\n", *(array for pair in done.counts for array in pair)):
                data = part if isinstance(part, bytes) else np.ascontiguousarray(part, NUMBER).data
                total.update(data)
                file.write(data)
            file.write(total.digest())

    def _path(self, wanted: Slice) -> Path:
        return self._directory / f"{wanted.first}-{wanted.last}.slice"
