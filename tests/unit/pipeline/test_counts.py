"""Counts add up however they come."""

import numpy as np
import pytest

from tests.unit.builders import numbers
from wort_cli.pipeline import counts
from wort_cli.pipeline.counts import HashCounts


def test_nothing_counted_is_nothing() -> None:
    hashes, times = HashCounts().sorted()
    assert (len(hashes), len(times)) == (0, 0)
    assert hashes.dtype == times.dtype == np.uint64


def test_repeats_within_and_between_additions_add_up() -> None:
    table = HashCounts()
    table.add(numbers([5, 5, 1]), numbers([1, 2, 3]))
    table.add(numbers([1, 2**64 - 1, 0]), numbers([10, 1, 7]))
    table.add(numbers([]), numbers([]))
    hashes, times = table.sorted()
    assert hashes.tolist() == [0, 1, 5, 2**64 - 1]
    assert times.tolist() == [7, 13, 3, 1]


def test_asking_twice_does_not_count_twice() -> None:
    table = HashCounts()
    table.add(numbers([3]), numbers([4]))
    assert [part.tolist() for part in table.sorted()] == [part.tolist() for part in table.sorted()] == [[3], [4]]


@pytest.mark.parametrize("least", [1, 10, 100])
def test_counts_are_the_same_whenever_they_are_merged(monkeypatch: pytest.MonkeyPatch, least: int) -> None:
    monkeypatch.setattr(counts, "LEAST", least)
    table = HashCounts()
    for start in range(50):
        table.add(numbers(list(range(start, start + 9))), numbers([2] * 9))
    hashes, times = table.sorted()
    assert hashes.tolist() == list(range(58))
    assert times.tolist() == [2 * min(value + 1, 9, 58 - value) for value in range(58)]


def test_what_is_new_is_merged_before_it_grows_beyond_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "LEAST", 4)
    table = HashCounts()
    for value in range(100):
        table.add(numbers([value]), numbers([1]))
        assert table._size_of_new <= max(4, len(table._hashes) // counts.SHARE)
