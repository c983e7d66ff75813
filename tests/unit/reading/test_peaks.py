"""Peaks of histograms are found where genomes are, and nowhere else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.builders import sketch
from wort_cli.reading.abundance import abundance_histogram
from wort_cli.reading.peaks import find_peaks

ERRORS = np.ones(20_000, np.int64)


def tail(rng: np.random.Generator, number: int = 100_000) -> NDArray[np.int64]:
    """Abundances of a community without dominant genomes: a power law."""
    return rng.zipf(2.2, number).clip(0, 5000)


def peaks(*parts: NDArray[np.int64]) -> list[float]:
    abundances = np.concatenate(parts)
    abundances = abundances[abundances > 0]
    found = find_peaks(abundance_histogram(sketch(range(len(abundances)), abundances.tolist())))
    return [peak.abundance for peak in found]


@pytest.mark.parametrize("seed", range(5))
def test_genomes_make_peaks_at_their_depth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert peaks(ERRORS, rng.poisson(30, 5000)) == pytest.approx([30], rel=0.1)
    diploid = peaks(ERRORS, rng.poisson(15, 3000), rng.poisson(30, 5000))
    assert diploid == pytest.approx([15, 30], rel=0.1)
    community = peaks(tail(rng), rng.poisson(50, 3000), rng.poisson(300, 1000), rng.poisson(2000, 400))
    assert community == pytest.approx([50, 300, 2000], rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_tails_and_few_hashes_make_no_peaks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert peaks(tail(rng)) == []
    assert peaks(np.exp(rng.uniform(0, 7, 5000)).astype(np.int64)) == []
    assert peaks(rng.poisson(30, 5)) == []


def test_singletons_are_never_a_peak() -> None:
    assert peaks(ERRORS) == []
    assert find_peaks(()) == ()
    assert peaks(np.full(500, 2)) == [2.0]


def test_hashes_of_a_peak_reach_from_valley_to_valley() -> None:
    rng = np.random.default_rng(1)
    abundances = np.concatenate([ERRORS, rng.poisson(20, 4000), rng.poisson(400, 1000)])
    first, second = find_peaks(abundance_histogram(sketch(range(len(abundances)), abundances.tolist())))
    assert (first.hashes, second.hashes) == (4000, 1000)
