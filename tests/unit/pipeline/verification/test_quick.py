"""Tests of the slices that a quick verification chooses, and of what they refute."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import MAX_HASH, sketch
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.verification.quick import (
    SLICE_BASES,
    Sample,
    TooFewHashes,
    check_has_hashes,
    check_is_large_enough,
    choose_slices,
    compare_with_sample,
    find_contradiction,
)

Counts = dict[int, int]


@given(st.integers(1, 10**7), st.integers(1, 10**11))
def test_first_and_last_spots_are_chosen(spots: int, bases: int) -> None:
    slices = choose_slices(spots, bases)
    assert slices[0].first == 1
    assert slices[-1].last == spots
    assert len(slices) <= 4
    assert all(one.last < other.first for one, other in pairwise(slices))
    if spots > 1000:
        assert sum(part.spots for part in slices) * bases / spots <= max(4.1 * SLICE_BASES, bases * 4.1 / 20)


def test_random_slices_differ_between_calls() -> None:
    assert len({choose_slices(10**6, 3 * 10**8) for _ in range(20)}) > 10


def of(table: Counts) -> Sketch:
    return sketch(sorted(table), [table[h] for h in sorted(table)])


RANDOM = Random(1)
RUN = {RANDOM.randrange(1, MAX_HASH): 40 + n % 7 for n in range(1000)}
"""The hashes of a run of 1000 spots; a slice of 100 has a tenth of the abundances."""
SEEN = {h: n // 10 for h, n in RUN.items()}


def sample(densities: tuple[float, ...] = (4.3, 4.4)) -> Sample:
    of_slices = [value * len(SEEN) / 1000 for value in densities]
    return Sample((Slice(1, 50), Slice(951, 1000)), (of(SEEN),), {21: of_slices}, 1000, 1)


def contradiction_of(theirs: Counts, densities: tuple[float, ...] = (43.0, 44.0)) -> str:
    found = sample(densities)
    return find_contradiction([of(theirs)], found, compare_with_sample([of(theirs)], found))


def test_correct_signature_is_not_refuted() -> None:
    assert contradiction_of(RUN) == ""
    assert contradiction_of({**RUN, 5: 1}) == ""  # it can't know


@pytest.mark.parametrize(
    ("theirs", "why"),
    [
        ({h + 1: n for h, n in RUN.items()}, "another run"),
        (dict(list(RUN.items())[1:]), "lacks 1 hashes of 2 slices"),
        ({h: n for h, n in RUN.items() if h < MAX_HASH // 2}, "its scaled is larger"),
        ({**RUN, next(iter(RUN)): 1}, "1 hashes are more abundant in 2 slices"),
        ({h: 7 * n for h, n in RUN.items()}, "times the expected sum: multiplied abundances"),
        ({h: n // 2 for h, n in RUN.items()}, "a subset of the reads"),
    ],
)
def test_wrong_signature_is_refuted(theirs: Counts, why: str) -> None:
    assert why in contradiction_of(theirs)


def test_different_slices_widen_the_predicted_sum() -> None:
    half = {h: n // 2 for h, n in RUN.items()}
    assert contradiction_of(half, (43.0, 44.0)) != ""
    assert contradiction_of(half, (20.0, 44.0)) == ""


@pytest.mark.parametrize(("bases", "is_enough"), [(0, False), (300_000, False), (999_999, False), (1_000_000, True)])
def test_slices_of_a_small_run_say_too_little(bases: int, is_enough: bool) -> None:
    """At scaled=1000, four of twenty slices of a million bases have about 200 hashes."""
    if is_enough:
        check_is_large_enough(bases, 1000)
        return
    with pytest.raises(TooFewHashes):
        check_is_large_enough(bases, 1000)


def test_slices_with_few_hashes_say_too_little() -> None:
    """A large run with few different sequences has such slices."""
    check_has_hashes(sample())
    few = Sample((Slice(1, 50),), (of(dict(list(SEEN.items())[:199])), of({})), {}, 1000, 1)
    with pytest.raises(TooFewHashes, match="at most 199 hashes"):
        check_has_hashes(few)
