"""Quick verification: compares a stored signature with a few slices of its run.

It can refute a signature but not prove it.  Two tests are made:

- Every hash of a slice must be in the signature, with at least the same abundance.  This test is exact.
- The sum of the signature's abundances must be near the sum that the slices predict for the whole run.  Slices of one
  run differ, so the prediction is an interval from the sparsest to the densest slice, with a margin.

The slices of a small run have too few hashes for the second test, so that such a run is read in full (`TooFewHashes`).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from random import Random, SystemRandom

import numpy as np

from wort_cli.model.signature_file import Sketch
from wort_cli.model.verdict import Comparison
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.run_sketcher import RunSketcher
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.verification.compare import FOREIGN, OTHER_RUN, abundances_of, find_in_sorted, pair_by_ksize
from wort_cli.system.cancellation import Cancellation

SLICE_BASES = 1_000_000
"""The approximate number of bases in a slice of a large run: about a thousand hashes for each k."""
MIN_SLICES = 20
"""The number of slices that a small run is cut into."""
RANDOM_SLICES = 2
"""Random slices in addition to the first and the last, so that a forger cannot know which slices are used."""
MIN_HASHES = 200
"""If the slices have fewer hashes, the sum of abundances is not tested."""
CHOSEN = 2 + RANDOM_SLICES
"""Slices that are read at most."""
MARGIN = 0.7
"""The margin of the predicted sum: the interval is extended by this factor and its inverse."""


class TooFewHashes(Exception):
    """A few slices of the run say too little about a signature, so that the run must be read in full."""


@dataclass(frozen=True)
class Sample:
    """The sketches of the slices.

    `sketches` are those of all slices together.  `densities` are the sums of abundances per spot in each slice, by k.
    """

    slices: tuple[Slice, ...]
    sketches: tuple[Sketch, ...]
    densities: dict[int, list[float]]
    spots: int
    """The number of spots of the whole run."""
    bases: int
    """The number of bases in the slices."""


def choose_slices(spots: int, bases: int, random: Random | None = None) -> tuple[Slice, ...]:
    """Return the slices to sketch: the first, the last, and random ones between."""
    random = random or SystemRandom()
    number = max(1, min(spots, max(MIN_SLICES, round(bases / SLICE_BASES))))
    chosen = {0, number - 1, *random.sample(range(number), min(RANDOM_SLICES, number))}
    borders = [spots * n // number for n in range(number + 1)]
    return tuple(Slice(low + 1, high) for n, (low, high) in enumerate(pairwise(borders)) if n in chosen)


def check_is_large_enough(bases: int, scaled: int) -> None:
    """Raise TooFewHashes for a run of so few bases that its slices cannot be expected to have MIN_HASHES hashes."""
    if bases * CHOSEN < MIN_HASHES * scaled * MIN_SLICES:
        raise TooFewHashes(f"the run has only {bases:,} bases")


def check_has_hashes(sample: Sample) -> None:
    """Raise TooFewHashes if no sketch of the slices has enough hashes to test the sum of the abundances."""
    most = max((len(sketch.hashes) for sketch in sample.sketches), default=0)
    if most < MIN_HASHES:
        raise TooFewHashes(f"the slices have at most {most:,} hashes")


def sketch_sample(
    slices: Sequence[Slice],
    spots: int,
    sketcher_of: Callable[[Slice], RunSketcher],
    threads: int,
    cancellation: Cancellation,
) -> Sample:
    """Sketch each slice separately, `threads` at a time."""

    def sketch(part: Slice) -> RunSketcher:
        sketcher = sketcher_of(part)
        sketcher.run(1, cancellation, lambda _: None)
        return sketcher

    with ThreadPoolExecutor(threads, thread_name_prefix="sample") as pool:
        done = list(pool.map(sketch, slices))
    each = [sketcher.sketches() for sketcher in done]
    together, densities = [], {}
    for of_one_ksize in zip(*each, strict=True):
        counts = HashCounts()
        for one in of_one_ksize:
            counts.add_table(one.hashes, abundances_of(one))
        first = of_one_ksize[0]
        together.append(Sketch(first.ksize, first.seed, first.max_hash, *counts.table()))
        sums = [float(abundances_of(one).sum()) for one in of_one_ksize]
        densities[first.ksize] = [total / part.spots for total, part in zip(sums, slices, strict=True)]
    return Sample(tuple(slices), tuple(together), densities, spots, sum(s.stats().bases for s in done))


def compare_with_sample(stored: Sequence[Sketch], sample: Sample) -> tuple[Comparison, ...]:
    """Compare a stored signature with the slices, sketch by sketch."""
    return tuple(
        compare_sketch_with_sample(mine, seen, sample) for mine, seen in pair_by_ksize(stored, sample.sketches)
    )


def compare_sketch_with_sample(stored: Sketch, seen: Sketch, sample: Sample) -> Comparison:
    """Compare a stored sketch with that of the slices."""
    places, present = find_in_sorted(stored.hashes, seen.hashes)
    mine, least = abundances_of(stored)[places[present]], abundances_of(seen)[present]
    spots = sum(part.spots for part in sample.slices)
    expected = float(abundances_of(seen).sum()) / spots * sample.spots
    return Comparison(
        ksize=seen.ksize,
        hashes=len(stored.hashes),
        expected=len(seen.hashes),
        missing=int(np.count_nonzero(~present)),
        extra=0,
        drifted=int(np.count_nonzero(mine < least)),
        abundance_ratio=float(abundances_of(stored).sum(dtype=np.float64)) / expected if expected else 1.0,
        jaccard=float(np.count_nonzero(present)) / max(len(stored.hashes) + int(np.count_nonzero(~present)), 1),
        containment=float(np.count_nonzero(present)) / len(seen.hashes) if len(seen.hashes) else 1.0,
    )


def abundance_sum_fits(stored: Sketch, seen: Sketch, sample: Sample) -> bool:
    """Return whether the sum of abundances is in the interval that the slices predict for the run."""
    if len(seen.hashes) < MIN_HASHES:
        return True
    densities = sample.densities[seen.ksize]
    least, most = min(densities) * sample.spots * MARGIN, max(densities) * sample.spots / MARGIN
    return least <= float(abundances_of(stored).sum(dtype=np.float64)) <= most


def find_contradiction(stored: Sequence[Sketch], sample: Sample, comparisons: Sequence[Comparison]) -> str:
    """Return why the signature cannot be of the run; '' if there is no contradiction."""
    pairs = pair_by_ksize(stored, sample.sketches)
    nonempty = [c for c in comparisons if c.expected]
    if nonempty and all(c.containment < FOREIGN for c in nonempty):
        return OTHER_RUN
    missing = sum(c.missing for c in comparisons)
    if missing:
        if all(is_cut_by_threshold(*pair) for pair in pairs):
            return "other parameters: all hashes above its largest one are missing, so its scaled is larger"
        return f"it lacks {missing:,} hashes of {len(sample.slices)} slices: a subset of the reads, or hashes removed"
    if drifted := sum(c.drifted for c in comparisons):
        return f"{drifted:,} hashes are more abundant in {len(sample.slices)} slices than in it: a subset of the reads"
    unfit = [c for c, pair in zip(comparisons, pairs, strict=True) if not abundance_sum_fits(*pair, sample)]
    if unfit:
        factor = unfit[0].abundance_ratio
        what = (
            f"a subset of the reads, about {factor:.0%}" if factor < 1 else "multiplied abundances, or additional reads"
        )
        return f"the sum of its abundances is {factor:.3g} times the expected sum: {what}"
    return ""


def is_cut_by_threshold(stored: Sketch, seen: Sketch) -> bool:
    """Return whether all missing hashes are larger than all stored ones."""
    _, present = find_in_sorted(stored.hashes, seen.hashes)
    missing = seen.hashes[~present]
    return bool(missing.size == 0 or (stored.hashes.size and missing[0] > stored.hashes[-1]))
