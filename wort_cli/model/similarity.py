"""Compares two sketches as sourmash does: Jaccard similarity, containment, and the identity that follows from it.

Sources: sourmash src/core/src/sketch/minhash.rs (`intersection_size`, `jaccard`), src/sourmash/minhash.py
(`contained_by`, `containment_ani`, `size_is_accurate`) and src/sourmash/distance_utils.py; the formula of the identity
is that of Hera et al. 2023, https://doi.org/10.1101/2022.01.11.475870.
"""

from dataclasses import dataclass
from math import exp, floor, lgamma, log, log1p

import numpy as np
from numpy.typing import NDArray

from wort_cli.model.signature_file import Sketch

ACCURATE_SIZE = 0.2
"""The relative error of the number of k-mers up to which an identity is computed."""
CONFIDENCE = 0.95
CERTAIN_HASHES = 2000
"""The number of hashes above which the estimated number of k-mers is accurate enough."""


@dataclass(frozen=True)
class Similarity:
    """The similarity of the sketches `a` and `b`; abundances are ignored."""

    k: int
    molecule: str
    scaled: int
    """The larger `scaled` of the two, at which they are compared; 0 for MinHash sketches."""
    num: int
    a_hashes: int
    b_hashes: int
    common: int
    jaccard: float
    a_in_b: float | None
    """The containment of a in b; None for MinHash sketches, which allow no estimate of it."""
    b_in_a: float | None
    ani: float | None
    """The mean of the identities that follow from both containments: of nucleotides (ANI), or of amino acids (AAI).

    None for MinHash sketches, and where the sketches are too small for an estimate.
    """


def comparable(a: Sketch, b: Sketch) -> bool:
    """Return whether two sketches can be compared; the larger `scaled` is then used for both."""
    return (a.ksize, a.moltype, a.seed, a.num, bool(a.scaled)) == (b.ksize, b.moltype, b.seed, b.num, bool(b.scaled))


def similarity(a: Sketch, b: Sketch) -> Similarity:
    """Compare two sketches that are comparable."""
    if a.num:
        return similarity_of_minhash(a, b)
    max_hash = min(a.max_hash, b.max_hash)
    hashes, others = below(a, max_hash), below(b, max_hash)
    scaled = max(a.scaled, b.scaled)
    common = len(np.intersect1d(hashes, others, assume_unique=True))
    union = len(hashes) + len(others) - common
    a_in_b, b_in_a = contained(common, len(hashes), scaled), contained(common, len(others), scaled)
    accurate = size_is_accurate(len(hashes), scaled) and size_is_accurate(len(others), scaled)
    ani = (identity(a_in_b, a.k) + identity(b_in_a, a.k)) / 2 if accurate else None
    return Similarity(
        a.k, a.moltype, scaled, 0, len(hashes), len(others), common, common / max(1, union), a_in_b, b_in_a, ani
    )


def similarity_of_minhash(a: Sketch, b: Sketch) -> Similarity:
    """Compare two MinHash sketches: which of the `num` smallest hashes of both together are in both."""
    smallest = np.union1d(a.hashes, b.hashes)[: a.num]
    common = len(np.intersect1d(np.intersect1d(a.hashes, b.hashes, assume_unique=True), smallest, assume_unique=True))
    jaccard = common / max(1, len(smallest))
    return Similarity(a.k, a.moltype, 0, a.num, len(a.hashes), len(b.hashes), common, jaccard, None, None, None)


def below(sketch: Sketch, max_hash: int) -> NDArray[np.uint64]:
    """Return the hashes of a sketch that a smaller one would keep, too."""
    return sketch.hashes[: int(np.searchsorted(sketch.hashes, np.uint64(max_hash), side="right"))]


def contained(common: int, hashes: int, scaled: int) -> float:
    """Return the containment of a sketch with this number of hashes, without the bias of small sketches."""
    if not hashes:
        return 0.0
    bias = 1.0 - (1.0 - 1.0 / scaled) ** float(hashes * scaled)
    return float(min(1.0, common / (hashes * bias)))


def identity(containment: float, k: int) -> float:
    """Return the identity of two sequences whose k-mers are contained to this degree."""
    return float(containment ** (1.0 / k))


def size_is_accurate(hashes: int, scaled: int) -> bool:
    """Return whether the number of k-mers differs from `hashes * scaled` by less than 20 %, with 95 % confidence.

    The number of hashes is binomially distributed; the probabilities of all accurate numbers are added.
    """
    if hashes > CERTAIN_HASHES or scaled == 1 or not hashes:
        return True
    kmers, chance = hashes * scaled, 1.0 / scaled
    least = -hashes * (ACCURATE_SIZE - 1)
    first = int(least) if least == int(least) else floor(least) + 1
    last = min(kmers, floor(hashes * (ACCURATE_SIZE + 1)))
    whole = lgamma(kmers + 1)
    total = sum(
        exp(whole - lgamma(n + 1) - lgamma(kmers - n + 1) + n * log(chance) + (kmers - n) * log1p(-chance))
        for n in range(first, last + 1)
    )
    return total >= CONFIDENCE
