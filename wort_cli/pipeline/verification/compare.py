"""Compares a signature with what the recipe makes of the same run, and says what most likely made the difference.

Pure functions of sketches; what needs other reads to be told (other flags of the decoder) is asked for by verify.py.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.signature_file import Sketch
from wort_cli.model.verdict import Comparison

FOREIGN = 0.05
"""A sketch that has less than this of what it must have is of something else."""
FEW = 0.01
"""Differences in a smaller share of the hashes are changes of a signature, not another way to make it."""

OTHER_RUN = "it is of another run, or made with other parameters"
OTHER_READS = "it is of another run, or of reads that were corrected or trimmed"
MORE_READS = "it is of more reads than the run has, or of reads that were not trimmed as the recipe does"

Mask = NDArray[np.bool_]


def find_in_sorted(hashes: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], Mask]:
    """Where each of `wanted` would be in `hashes`, and whether it is there; both ascend."""
    places = np.searchsorted(hashes, wanted)
    there = np.zeros(wanted.size, np.bool_)
    inside = places < hashes.size
    there[inside] = hashes[places[inside]] == wanted[inside]
    return places, there


def abundances_of(sketch: Sketch) -> NDArray[np.uint64]:
    """The abundances of a sketch; ones where none are kept."""
    return np.ones(len(sketch.hashes), np.uint64) if sketch.abundances is None else sketch.abundances


def shared_abundances(theirs: Sketch, ours: Sketch) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Of the hashes that are in both: the abundances in each."""
    places, there = find_in_sorted(theirs.hashes, ours.hashes)
    return abundances_of(theirs)[places[there]], abundances_of(ours)[there]


def pair_by_ksize(theirs: Sequence[Sketch], ours: Sequence[Sketch]) -> list[tuple[Sketch, Sketch]]:
    """The sketches of the same k; both are of one profile."""
    by_ksize = {sketch.ksize: sketch for sketch in theirs}
    return [(by_ksize[sketch.ksize], sketch) for sketch in ours]


def compare(theirs: Sequence[Sketch], ours: Sequence[Sketch]) -> tuple[Comparison, ...]:
    """A signature beside the recalculated one, sketch by sketch."""
    return tuple(compare_sketch(*pair) for pair in pair_by_ksize(theirs, ours))


def compare_sketch(theirs: Sketch, ours: Sketch) -> Comparison:
    """One sketch beside the recalculated one."""
    mine, other = shared_abundances(theirs, ours)
    union = len(theirs.hashes) + len(ours.hashes) - mine.size
    return Comparison(
        ksize=ours.ksize,
        hashes=len(theirs.hashes),
        expected=len(ours.hashes),
        missing=len(ours.hashes) - mine.size,
        extra=len(theirs.hashes) - mine.size,
        drifted=int(np.count_nonzero(mine != other)),
        abundance_ratio=sum_ratio(abundances_of(theirs), abundances_of(ours)),
        jaccard=mine.size / union if union else 1.0,
        containment=mine.size / len(ours.hashes) if len(ours.hashes) else 1.0,
    )


def sum_ratio(theirs: NDArray[np.uint64], ours: NDArray[np.uint64]) -> float:
    """Of the sums of abundances."""
    return float(theirs.sum(dtype=np.float64) / max(ours.sum(dtype=np.float64), 1.0))


def likely_cause(
    pairs: Sequence[tuple[Sketch, Sketch]], comparisons: Sequence[Comparison], other_flags: Sequence[str]
) -> str:
    """What most likely made the difference; `other_flags` are ways of decoding that would explain what is too much."""
    foreign = [c.ksize for c in comparisons if c.expected and c.containment < FOREIGN]
    if len(foreign) == len(comparisons):
        return OTHER_RUN
    if foreign:
        return f"the sketch of k={', '.join(map(str, foreign))} is of other parameters than it says, or of another run"
    if other_flags:
        return " and ".join(other_flags)
    return cause_of_numbers(pairs, comparisons)


def cause_of_numbers(pairs: Sequence[tuple[Sketch, Sketch]], comparisons: Sequence[Comparison]) -> str:
    """What most likely made the difference between sketches that are alike, by what is missing and what is too much."""
    missing, extra, drifted = (sum(getattr(c, key) for c in comparisons) for key in ("missing", "extra", "drifted"))
    expected = sum(c.expected for c in comparisons)
    if missing and not extra:
        return cause_of_missing(pairs, missing, drifted)
    if extra and not missing:
        return MORE_READS if drifted else f"{hashes_were(extra)} added"
    if missing and extra:
        if not drifted and missing + extra <= max(2, FEW * expected):
            return f"hashes were changed: {missing:,} are missing, {extra:,} are none of the run's"
        return OTHER_READS
    return cause_of_drift(pairs, drifted, expected)


def cause_of_missing(pairs: Sequence[tuple[Sketch, Sketch]], missing: int, drifted: int) -> str:
    """Why hashes are missing, where none is too many."""
    if not drifted:
        largest = max(int(theirs.hashes[-1]) for theirs, _ in pairs if theirs.hashes.size)
        cut = all(
            np.searchsorted(ours.hashes, theirs.hashes[-1:], side="right").sum() == len(theirs.hashes)
            for theirs, ours in pairs
        )
        kept = sum(len(theirs.hashes) for theirs, _ in pairs) / sum(len(ours.hashes) for _, ours in pairs)
        if cut and kept < 1 - FEW and largest < pairs[0][1].max_hash:
            return f"other parameters: it was made with scaled={roughly(2**64 / largest)} or so"
        return f"{hashes_were(missing)} removed"
    if all(not np.any(mine > other) for mine, other in (shared_abundances(*pair) for pair in pairs)):
        return f"it is of a subset of the reads, about {abundance_share(pairs):.0%}"
    return OTHER_READS


def cause_of_drift(pairs: Sequence[tuple[Sketch, Sketch]], drifted: int, expected: int) -> str:
    """Why abundances differ, where the hashes are the same."""
    shared = [shared_abundances(*pair) for pair in pairs]
    mine, other = (np.concatenate(side) for side in zip(*shared, strict=True))
    factors = mine / other
    if np.ptp(factors) == 0:
        return f"the abundances are {factors[0]:g} times those of the run"
    if drifted <= max(2, FEW * expected):
        return f"abundances were changed, of {drifted:,} {'hash' if drifted == 1 else 'hashes'}"
    if not np.any(mine > other):
        return f"it is of a subset of the reads, about {abundance_share(pairs):.0%}"
    if not np.any(mine < other):
        return MORE_READS
    return "the abundances are not those of the run"


def hashes_were(number: int) -> str:
    """1 hash was, 2 hashes were."""
    return "1 hash was" if number == 1 else f"{number:,} hashes were"


def roughly(number: float) -> int:
    """A number by its first two digits."""
    return int(round(number, 2 - len(str(int(number)))))


def abundance_share(pairs: Sequence[tuple[Sketch, Sketch]]) -> float:
    """The sum of abundances, of what it must be."""
    return sum(float(abundances_of(theirs).sum()) for theirs, _ in pairs) / sum(
        float(abundances_of(ours).sum()) for _, ours in pairs
    )
