"""Slices: ranges of spots that are decoded and sketched separately.

The hash counts of all slices add up exactly to those of the run.  So slices can be computed at the same time and in any
order, and a finished slice is saved in the job's workspace, where a later attempt finds it.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.read_stats import STATS, ReadStats
from wort_cli.system.atomic_files import atomic_file
from wort_cli.system.seals import new_seal

Hashes = NDArray[np.uint64]
Counts = NDArray[np.uint64] | NDArray[np.uint32]
MAX_BASES = 2_000_000_000
"""Bases in a slice, at most: it is sketched in less than a minute."""
USUAL_SLICES = 32
"""Slices in a run of ordinary size: enough to keep many cores busy to the end."""
WORTH_A_SLICE = 5_000_000
"""Bases that take a thread about ten times as long as opening the archive once more."""
PER_THREAD = 4
"""Slices for each thread, so that all threads end at about the same time."""
UINT64 = np.dtype("<u8")
SLICE = "slice"
"""The kind of its seal."""
DIGEST_SIZE = 32
"""Bytes of a seal."""


@dataclass(frozen=True)
class Slice:
    """The spots from `first` to `last`, both included.  Archives number their spots from 1."""

    first: int
    last: int

    @property
    def spots(self) -> int:
        """The number of spots."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class FinishedSlice:
    """The result of decoding and sketching a slice."""

    slice: Slice
    decoder: str
    """Name of the decoder."""
    stats: ReadStats
    counts: tuple[tuple[Hashes, Counts], ...]
    """For each ksize: the distinct hashes, ascending, and how often each was seen."""


def plan_slices(spots: int, bases: int, smallest: int) -> tuple[Slice, ...]:
    """Return the slices of a run, each of `smallest` bases or more.

    They depend only on the arguments, so that a later attempt can use what an earlier one has finished.  Starting a
    decoder costs a tenth of a second: `smallest` should be a second's work or more.
    """
    wanted = max(min(bases / USUAL_SLICES, MAX_BASES), smallest)
    return cut(spots, max(1, min(spots, round(bases / wanted))))


def split_for_threads(spots: int, bases: int, threads: int) -> tuple[Slice, ...]:
    """Return the slices of a run that is too small for `plan_slices`, so that it keeps all threads busy.

    They are not stored, because they depend on the threads.
    """
    wanted = PER_THREAD * threads if threads > 1 else 1
    return cut(spots, max(1, min(spots, wanted, bases // WORTH_A_SLICE)))


def cut(spots: int, number: int) -> tuple[Slice, ...]:
    """Cut a run into slices of nearly as many spots."""
    borders = [spots * n // number for n in range(number + 1)]
    return tuple(Slice(low + 1, high) for low, high in pairwise(borders))


class SliceStore:
    """Stores finished slices in a directory, one file per slice, written atomically.

    A file holds a line of JSON, the arrays (for each ksize the hashes, then the counts, as little-endian 64-bit
    integers), and the seal of everything before it (system/seals.py).  `inputs` names all that the counts depend on
    besides the spots: the archive and the profile.  Files that were made from other inputs, damaged files, and those of
    another home are ignored.
    """

    def __init__(
        self,
        directory: Path,
        inputs: Mapping[str, str],
        key: bytes = b"",
        is_right: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._directory = directory
        self._inputs = dict(inputs)
        self._key = key
        self._is_right = is_right
        """Whether a slice that this decoder has just finished is known to be right; else it is not stored."""

    def load(self, wanted: Slice) -> FinishedSlice | None:
        """Return a finished slice, or None if there is no valid file."""
        try:
            data = self._path(wanted).read_bytes()
        except OSError:
            return None
        content, digest = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
        seal = new_seal(self._key, SLICE)
        seal.update(content)
        if not hmac.compare_digest(seal.digest(), digest):
            return None
        header_line, _, arrays = content.partition(b"\n")
        header = json.loads(header_line)
        if header["origin"] != self._inputs or header["slice"] != [wanted.first, wanted.last]:
            return None
        if not all(name in header for name, _ in STATS):  # an earlier version counted less
            return None
        sizes = [size for size in header["sizes"] for _ in range(2)]
        split = np.split(np.frombuffer(arrays, UINT64), np.cumsum(sizes)[:-1])
        stats = ReadStats(**{name: header[name] for name, _ in STATS})
        return FinishedSlice(wanted, header["decoder"], stats, tuple(zip(split[::2], split[1::2], strict=True)))

    def save(self, finished: FinishedSlice) -> None:
        """Write the file of a finished slice, if it is known to be right.  Raises OSError if it cannot be written."""
        if not self._is_right(finished.decoder):
            return
        header = {
            "origin": self._inputs,
            "slice": [finished.slice.first, finished.slice.last],
            "decoder": finished.decoder,
            **asdict(finished.stats),
            "sizes": [hashes.size for hashes, _ in finished.counts],
        }
        seal = new_seal(self._key, SLICE)
        with atomic_file(self._path(finished.slice)) as file:
            for part in (json.dumps(header).encode() + b"\n", *(array for pair in finished.counts for array in pair)):
                data = part if isinstance(part, bytes) else np.ascontiguousarray(part, UINT64).data
                seal.update(data)
                file.write(data)
            file.write(seal.digest())

    def _path(self, wanted: Slice) -> Path:
        return self._directory / f"{wanted.first}-{wanted.last}.slice"
