"""Tests of the statistics and the histogram of a sketch."""

import pytest

from tests.support.builders import sketch
from wort_cli.model.signature_file import Sketch
from wort_cli.reading.abundance import abundance_histogram, sketch_statistics


def test_statistics_scale_the_counts_of_hashes() -> None:
    numbers = sketch_statistics(sketch([1, 2, 3, 4], [1, 1, 2, 8]))
    assert (numbers["k"], numbers["scaled"], numbers["hashes"], numbers["distinct_kmers"]) == (21, 1000, 4, 4000)
    assert (numbers["kmers"], numbers["singletons"], numbers["median_abundance"]) == (12_000, 2, "1.5")


@pytest.mark.parametrize("empty", [sketch([], []), sketch([1], None)])
def test_sketch_without_abundances_has_no_abundance_statistics(empty: Sketch) -> None:
    numbers = sketch_statistics(empty)
    assert (numbers["kmers"], numbers["singletons"], numbers["median_abundance"]) == ("", "", "")
    assert abundance_histogram(empty) == {}


@pytest.mark.parametrize(
    ("abundances", "bars"),
    [
        ([1], {"1": 1}),
        ([2], {"1": 0, "2": 1}),
        ([1, 1, 2, 3, 4, 5, 8, 9], {"1": 2, "2": 1, "3-4": 2, "5-8": 2, "9-16": 1}),
        ([2**40], None),
    ],
)
def test_histogram_counts_every_hash_once(abundances: list[int], bars: dict[str, int] | None) -> None:
    found = abundance_histogram(sketch(list(range(len(abundances))), abundances))
    assert sum(found.values()) == len(abundances)
    assert bars is None or found == bars
