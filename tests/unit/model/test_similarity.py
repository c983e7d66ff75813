"""Similarities equal those that sourmash computes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from wort_cli.model.profile import max_hash_for_scaled
from wort_cli.model.signature_file import Sketch
from wort_cli.model.similarity import Similarity, comparable, similarity, size_is_accurate

Hashes = NDArray[np.uint64]


def random_hashes(rng: np.random.Generator, number: int, max_hash: int) -> Hashes:
    return np.unique(rng.integers(0, max_hash, number, dtype=np.uint64))


def pair(seed: int, number: int = 1500, scaled: tuple[int, int] = (1000, 1000), **changes: Any) -> list[Sketch]:
    """Two sketches with common hashes, the second one smaller."""
    rng = np.random.default_rng(seed)
    limits = [max_hash_for_scaled(each) for each in scaled]
    common = random_hashes(rng, number, max(limits))
    sketches = []
    for limit, own in zip(limits, (number, number // 3), strict=True):
        hashes = np.union1d(common, random_hashes(rng, own, limit))
        known = {"ksize": 31, "seed": 42, "moltype": "DNA", "num": 0, **changes}
        hashes = hashes[: known["num"]] if known["num"] else hashes[hashes <= limit]
        sketches.append(Sketch(max_hash=0 if known["num"] else limit, hashes=hashes, abundances=None, **known))
    return sketches


def of_sourmash(sketch: Sketch) -> Any:
    from sourmash import MinHash

    minhash = MinHash(
        n=sketch.num, ksize=sketch.k, scaled=sketch.scaled, is_protein=sketch.moltype == "protein", seed=sketch.seed
    )
    minhash.add_many(sketch.hashes.tolist())
    return minhash


def check(a: Sketch, b: Sketch) -> Similarity:
    """Compare a similarity with sourmash's; return it."""
    found = similarity(a, b)
    one, other = (of_sourmash(each) for each in (a, b))
    if not a.num:
        scaled = max(a.scaled, b.scaled)
        one, other = (each.downsample(scaled=scaled) for each in (one, other))
        assert found.a_in_b == pytest.approx(one.contained_by(other), rel=1e-12)
        assert found.b_in_a == pytest.approx(other.contained_by(one), rel=1e-12)
        ani = one.avg_containment_ani(other)
        assert found.ani == (None if ani is None else pytest.approx(ani, rel=1e-12))
        assert found.common == one.count_common(other)
    assert found.jaccard == pytest.approx(one.jaccard(other), rel=1e-12)
    return found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("seed", range(3))
def test_similarity_equals_that_of_sourmash(seed: int) -> None:
    found = check(*pair(seed))
    assert found.ani is not None
    assert 0.9 < found.ani < 1
    assert check(*pair(seed, number=40)).ani is None  # too few hashes
    check(*pair(seed, scaled=(1000, 5000)))
    check(*pair(seed, scaled=(2000, 100)))
    assert (check(*pair(seed, ksize=30, moltype="protein")).k, check(*pair(seed, num=500)).ani) == (10, None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_extremes_equal_those_of_sourmash() -> None:
    a, _ = pair(1)
    empty = Sketch(31, 42, a.max_hash, np.array([], np.uint64), None)
    assert check(a, a).ani == 1.0
    assert check(a, empty).jaccard == check(empty, empty).jaccard == 0.0
    other = Sketch(31, 42, a.max_hash, pair(7)[0].hashes, None)
    assert check(a, other).common == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_size_is_accurate_where_sourmash_says_so() -> None:
    from sourmash.distance_utils import set_size_exact_prob

    for scaled in (2, 1000):
        for hashes in (1, 2, 5, *range(60, 130), 200, 1000):
            wanted = set_size_exact_prob(hashes * scaled, scaled, relative_error=0.2) >= 0.95
            assert size_is_accurate(hashes, scaled) == wanted, (hashes, scaled)
    assert size_is_accurate(10_000, 1000)


def test_sketches_of_other_parameters_are_not_compared() -> None:
    a, b = pair(1)
    assert comparable(a, b)
    assert comparable(*pair(1, scaled=(1000, 5000)))
    for change in ({"ksize": 21}, {"moltype": "protein"}, {"num": 500}):
        assert not comparable(a, pair(1, **change)[1]), change
    assert not comparable(a, replace(b, seed=43))
