"""A quick look at a run beside a signature of it: a few slices, which can refute the signature and never prove it.

Every hash of a slice must be in the signature, as often at the least: that is exact.  And the abundances of the
signature must sum up to what the slices let expect of the whole run.  Slices of one run differ among themselves; what
is expected lies between the sparsest and the densest of them, with a margin.
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

BASES = 1_000_000
"""Of a slice, at the most: some thousand hashes for each k."""
PARTS = 20
"""A small run is cut into so many slices."""
RANDOM = 2
"""Slices beside the first and the last one, where nobody can know beforehand."""
FEWEST = 200
"""Hashes of the slices; of fewer nothing is said about sums."""
MARGIN = 0.7
"""Sums between this and its inverse, of what the slices let expect, may be chance."""


@dataclass(frozen=True)
class Sample:
    """What was seen in the slices: all together, and the sums of abundances in each, by ksize, for each spot."""

    slices: tuple[Slice, ...]
    sketches: tuple[Sketch, ...]
    densities: dict[int, list[float]]
    spots: int
    """Of the run."""
    bases: int
    """Read."""


def choose_slices(spots: int, bases: int, random: Random | None = None) -> tuple[Slice, ...]:
    """The slices to look at: the first, the last, and random ones between."""
    random = random or SystemRandom()
    number = max(1, min(spots, max(PARTS, round(bases / BASES))))
    chosen = {0, number - 1, *random.sample(range(number), min(RANDOM, number))}
    borders = [spots * n // number for n in range(number + 1)]
    return tuple(Slice(low + 1, high) for n, (low, high) in enumerate(pairwise(borders)) if n in chosen)


def sketch_sample(
    slices: Sequence[Slice],
    spots: int,
    sketcher_of: Callable[[Slice], RunSketcher],
    threads: int,
    cancellation: Cancellation,
) -> Sample:
    """Sketch the slices, each on its own, as many at a time as there are threads."""

    def sketch(part: Slice) -> RunSketcher:
        sketcher = sketcher_of(part)
        sketcher.run(1, cancellation, lambda _: None)
        return sketcher

    with ThreadPoolExecutor(threads, thread_name_prefix="look") as pool:
        done = list(pool.map(sketch, slices))
    each = [sketcher.sketches() for sketcher in done]
    together, densities = [], {}
    for of_one_ksize in zip(*each, strict=True):
        counts = HashCounts()
        for one in of_one_ksize:
            counts.add(one.hashes, one.abundances)
        first = of_one_ksize[0]
        together.append(Sketch(first.ksize, first.seed, first.max_hash, *counts.table()))
        sums = [float(abundances_of(one).sum()) for one in of_one_ksize]
        densities[first.ksize] = [total / part.spots for total, part in zip(sums, slices, strict=True)]
    return Sample(tuple(slices), tuple(together), densities, spots, sum(s.stats().bases for s in done))


def compare_with_sample(theirs: Sequence[Sketch], sample: Sample) -> tuple[Comparison, ...]:
    """A signature beside the slices, sketch by sketch."""
    return tuple(
        compare_sketch_with_sample(mine, seen, sample) for mine, seen in pair_by_ksize(theirs, sample.sketches)
    )


def compare_sketch_with_sample(theirs: Sketch, seen: Sketch, sample: Sample) -> Comparison:
    """One sketch beside that of the slices."""
    places, there = find_in_sorted(theirs.hashes, seen.hashes)
    mine, least = abundances_of(theirs)[places[there]], abundances_of(seen)[there]
    spots = sum(part.spots for part in sample.slices)
    expected = float(abundances_of(seen).sum()) / spots * sample.spots
    return Comparison(
        ksize=seen.ksize,
        hashes=len(theirs.hashes),
        expected=len(seen.hashes),
        missing=int(np.count_nonzero(~there)),
        extra=0,
        drifted=int(np.count_nonzero(mine < least)),
        abundance_ratio=float(abundances_of(theirs).sum(dtype=np.float64)) / expected if expected else 1.0,
        jaccard=float(np.count_nonzero(there)) / max(len(theirs.hashes) + int(np.count_nonzero(~there)), 1),
        containment=float(np.count_nonzero(there)) / len(seen.hashes) if len(seen.hashes) else 1.0,
    )


def abundance_sum_fits(theirs: Sketch, seen: Sketch, sample: Sample) -> bool:
    """Whether the sum of abundances is what the slices let expect of the run."""
    if len(seen.hashes) < FEWEST:
        return True
    densities = sample.densities[seen.ksize]
    least, most = min(densities) * sample.spots * MARGIN, max(densities) * sample.spots / MARGIN
    return least <= float(abundances_of(theirs).sum(dtype=np.float64)) <= most


def find_contradiction(theirs: Sequence[Sketch], sample: Sample, comparisons: Sequence[Comparison]) -> str:
    """Why the signature can't be of the run; '' if nothing speaks against it."""
    pairs = pair_by_ksize(theirs, sample.sketches)
    looked_at = [c for c in comparisons if c.expected]
    if looked_at and all(c.containment < FOREIGN for c in looked_at):
        return OTHER_RUN
    missing = sum(c.missing for c in comparisons)
    if missing:
        if all(is_cut_by_threshold(*pair) for pair in pairs):
            return "other parameters: all hashes above the largest it has are missing, so that its scaled is larger"
        return f"it lacks {missing:,} hashes of {len(sample.slices)} slices: a subset of the reads, or hashes removed"
    if drifted := sum(c.drifted for c in comparisons):
        return f"{drifted:,} hashes are more often in {len(sample.slices)} slices than it says: a subset of the reads"
    unfit = [c for c, pair in zip(comparisons, pairs, strict=True) if not abundance_sum_fits(*pair, sample)]
    if unfit:
        factor = unfit[0].abundance_ratio
        what = (
            f"a subset of the reads, about {factor:.0%}" if factor < 1 else "multiplied abundances, or other reads too"
        )
        return f"its abundances sum up to {factor:.3g} times what the run's bases let expect: {what}"
    return ""


def is_cut_by_threshold(theirs: Sketch, seen: Sketch) -> bool:
    """Whether all hashes that are missing are larger than any there is."""
    _, there = find_in_sorted(theirs.hashes, seen.hashes)
    missing = seen.hashes[~there]
    return bool(missing.size == 0 or (theirs.hashes.size and missing[0] > theirs.hashes[-1]))
