"""Compares a stored signature with the one recalculated from its run, and names the most likely cause of a difference.

These are pure functions of sketches.  Causes that need the run to be decoded again, with other flags of fastq-dump, are
examined by verify.py and passed to `likely_cause`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.signature_file import Sketch
from wort_cli.model.verdict import Comparison

FOREIGN = 0.05
"""A sketch that contains less than this share of the expected hashes is from another run."""
FEW = 0.01
"""If a smaller share of the hashes differs, the signature was edited, not computed in another way."""

OTHER_RUN = "it is of another run, or made with other parameters"
OTHER_READS = "it is of another run, or of reads that were corrected or trimmed"
MORE_READS = "it is of more reads than the run has, or of reads that were not trimmed as the recipe does"

Mask = NDArray[np.bool_]


def find_in_sorted(hashes: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> tuple[NDArray[np.int64], Mask]:
    """Return the insertion index of each of `wanted` in `hashes`, and whether it is present; both are sorted."""
    places = np.searchsorted(hashes, wanted)
    present = np.zeros(wanted.size, np.bool_)
    inside = places < hashes.size
    present[inside] = hashes[places[inside]] == wanted[inside]
    return places, present


def abundances_of(sketch: Sketch) -> NDArray[np.uint64]:
    """Return the abundances of a sketch; ones if it has none."""
    abundances = sketch.abundances
    return np.ones(len(sketch.hashes), np.uint64) if abundances is None else abundances.astype(np.uint64, copy=False)


def shared_abundances(stored: Sketch, expected: Sketch) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the abundances of the hashes that are in both sketches, in each of them."""
    places, present = find_in_sorted(stored.hashes, expected.hashes)
    return abundances_of(stored)[places[present]], abundances_of(expected)[present]


def pair_by_ksize(stored: Sequence[Sketch], expected: Sequence[Sketch]) -> list[tuple[Sketch, Sketch]]:
    """Pair the sketches by k; both signatures have the same profile."""
    by_ksize = {sketch.ksize: sketch for sketch in stored}
    return [(by_ksize[sketch.ksize], sketch) for sketch in expected]


def compare(stored: Sequence[Sketch], expected: Sequence[Sketch]) -> tuple[Comparison, ...]:
    """Compare a stored signature with the recalculated one, sketch by sketch."""
    return tuple(compare_sketch(*pair) for pair in pair_by_ksize(stored, expected))


def compare_sketch(stored: Sketch, expected: Sketch) -> Comparison:
    """Compare a stored sketch with the recalculated one."""
    stored_counts, expected_counts = shared_abundances(stored, expected)
    union = len(stored.hashes) + len(expected.hashes) - stored_counts.size
    return Comparison(
        ksize=expected.ksize,
        hashes=len(stored.hashes),
        expected=len(expected.hashes),
        missing=len(expected.hashes) - stored_counts.size,
        extra=len(stored.hashes) - stored_counts.size,
        drifted=int(np.count_nonzero(stored_counts != expected_counts)),
        abundance_ratio=sum_ratio(abundances_of(stored), abundances_of(expected)),
        jaccard=stored_counts.size / union if union else 1.0,
        containment=stored_counts.size / len(expected.hashes) if len(expected.hashes) else 1.0,
    )


def sum_ratio(stored: NDArray[np.uint64], expected: NDArray[np.uint64]) -> float:
    """Return the ratio of the sums of abundances."""
    return float(stored.sum(dtype=np.float64) / max(expected.sum(dtype=np.float64), 1.0))


def likely_cause(
    pairs: Sequence[tuple[Sketch, Sketch]], comparisons: Sequence[Comparison], other_flags: Sequence[str]
) -> str:
    """Return the most likely cause of a difference.

    `other_flags` are causes that verify.py has found by decoding with other flags; they explain extra hashes.
    """
    foreign = [c.ksize for c in comparisons if c.expected and c.containment < FOREIGN]
    if len(foreign) == len(comparisons):
        return OTHER_RUN
    if foreign:
        ksizes = ", ".join(map(str, foreign))
        return f"the sketch of k={ksizes} was made with other parameters than it states, or it is of another run"
    if other_flags:
        return " and ".join(other_flags)
    return cause_of_numbers(pairs, comparisons)


def cause_of_numbers(pairs: Sequence[tuple[Sketch, Sketch]], comparisons: Sequence[Comparison]) -> str:
    """Return the most likely cause of a difference between similar sketches, from missing, extra and drifted hashes."""
    missing, extra, drifted = (sum(getattr(c, key) for c in comparisons) for key in ("missing", "extra", "drifted"))
    expected = sum(c.expected for c in comparisons)
    if missing and not extra:
        return cause_of_missing(pairs, missing, drifted)
    if extra and not missing:
        return MORE_READS if drifted else f"{hashes_were(extra)} added"
    if missing and extra:
        if not drifted and missing + extra <= max(2, FEW * expected):
            return f"hashes were changed: {missing:,} are missing, {extra:,} are not of the run"
        return OTHER_READS
    return cause_of_drift(pairs, drifted, expected)


def cause_of_missing(pairs: Sequence[tuple[Sketch, Sketch]], missing: int, drifted: int) -> str:
    """Return the most likely cause if hashes are missing and none is extra."""
    if not drifted:
        largest = max(int(stored.hashes[-1]) for stored, _ in pairs if stored.hashes.size)
        cut = all(
            np.searchsorted(expected.hashes, stored.hashes[-1:], side="right").sum() == len(stored.hashes)
            for stored, expected in pairs
        )
        kept = sum(len(stored.hashes) for stored, _ in pairs) / sum(len(expected.hashes) for _, expected in pairs)
        if cut and kept < 1 - FEW and largest < pairs[0][1].max_hash:
            return f"other parameters: it was made with scaled of about {roughly(2**64 / largest)}"
        return f"{hashes_were(missing)} removed"
    if all(
        not np.any(stored_counts > expected_counts)
        for stored_counts, expected_counts in (shared_abundances(*pair) for pair in pairs)
    ):
        return f"it is of a subset of the reads, about {abundance_share(pairs):.0%}"
    return OTHER_READS


def cause_of_drift(pairs: Sequence[tuple[Sketch, Sketch]], drifted: int, expected: int) -> str:
    """Return the most likely cause if the hashes are equal but abundances differ."""
    shared = [shared_abundances(*pair) for pair in pairs]
    stored_counts, expected_counts = (np.concatenate(side) for side in zip(*shared, strict=True))
    factors = stored_counts / expected_counts
    if np.ptp(factors) == 0:
        return f"the abundances are {factors[0]:g} times those of the run"
    if drifted <= max(2, FEW * expected):
        return f"the abundances of {drifted:,} {'hash' if drifted == 1 else 'hashes'} were changed"
    if not np.any(stored_counts > expected_counts):
        return f"it is of a subset of the reads, about {abundance_share(pairs):.0%}"
    if not np.any(stored_counts < expected_counts):
        return MORE_READS
    return "the abundances are not those of the run"


def hashes_were(number: int) -> str:
    """Return "1 hash was" or "2 hashes were"."""
    return "1 hash was" if number == 1 else f"{number:,} hashes were"


def roughly(number: float) -> int:
    """Round a number to two significant digits."""
    return int(round(number, 2 - len(str(int(number)))))


def abundance_share(pairs: Sequence[tuple[Sketch, Sketch]]) -> float:
    """Return the sum of all abundances as a share of the expected sum."""
    return sum(float(abundances_of(stored).sum()) for stored, _ in pairs) / sum(
        float(abundances_of(expected).sum()) for _, expected in pairs
    )
