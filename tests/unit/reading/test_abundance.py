"""Tests of the statistics and the histogram of a sketch."""

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.support.builders import sketch
from wort_cli.model.signature_file import Sketch
from wort_cli.reading.abundance import Bin, abundance_histogram, sketch_statistics, whole_histogram


def test_statistics_scale_the_counts_of_hashes() -> None:
    numbers = sketch_statistics(sketch([1, 2, 3, 4], [1, 1, 2, 8]))
    assert (numbers["k"], numbers["scaled"], numbers["hashes"], numbers["distinct_kmers"]) == (21, 1000, 4, 4000)
    assert (numbers["kmers"], numbers["singletons"], numbers["median_abundance"]) == (12_000, 2, 1.5)


@pytest.mark.parametrize("empty", [sketch([], []), sketch([1], None)])
def test_sketch_without_abundances_has_no_abundance_statistics(empty: Sketch) -> None:
    numbers = sketch_statistics(empty)
    assert (numbers["kmers"], numbers["singletons"], numbers["median_abundance"]) == (None, None, None)
    assert abundance_histogram(empty) == ()


def test_minhash_sketch_has_no_estimates() -> None:
    numbers = sketch_statistics(replace(sketch([1, 2], [1, 1], max_hash=0), num=500))
    assert (numbers["scaled"], numbers["num"], numbers["hashes"]) == (0, 500, 2)
    assert (numbers["distinct_kmers"], numbers["kmers"], numbers["singletons"]) == (None, None, 2)


@pytest.mark.parametrize("molecule", ["protein", "dayhoff", "hp"])
def test_k_of_amino_acids_is_a_third_of_what_sourmash_stores(molecule: str) -> None:
    assert sketch_statistics(replace(sketch(ksize=30), moltype=molecule))["k"] == 10


@pytest.mark.parametrize(
    ("abundances", "bins"),
    [
        ([1], [(1, 1, 1)]),
        ([2], [(2, 2, 1)]),
        ([1, 1, 2, 3, 20, 21], [(1, 1, 2), (2, 2, 1), (3, 3, 1), (20, 21, 2)]),
        ([2**40, 2**64 - 1], None),
    ],
)
def test_histogram_counts_every_hash_once(abundances: list[int], bins: list[tuple[int, int, int]] | None) -> None:
    found = abundance_histogram(sketch(list(range(len(abundances))), abundances))
    assert sum(part.hashes for part in found) == len(abundances)
    assert all(part.low <= abundances[-1] and part.low <= part.high for part in found)
    assert bins is None or [(part.low, part.high, part.hashes) for part in found] == bins


def test_bins_cover_every_abundance_in_steps_of_at_most_a_tenth() -> None:
    whole = whole_histogram((Bin(10**6, 10**6, 1),))
    assert whole[0].low == 1
    assert all(one.high + 1 == other.low for one, other in pairwise(whole))
    assert all(part.high <= max(part.low, 1.1 * part.low) for part in whole)
