"""HashCounts adds up the counts of hashes, in whatever order and size they are added."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.builders import numbers
from wort_cli.pipeline.sketching import hash_counts
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.slices import Counts, Hashes


def test_table_is_empty_at_first() -> None:
    hashes, times = HashCounts().table()
    assert (len(hashes), len(times)) == (0, 0)
    assert as_dict((hashes, times)) == {}


def test_repeats_add_up_within_and_between_additions() -> None:
    table = HashCounts()
    table.add(numbers([5, 5, 1]))
    table.add_table(numbers([1, 5]), numbers([2, 1]))
    table.add_table(numbers([0, 1, 2**64 - 1]), numbers([7, 10, 1]))
    table.add_table(numbers([]), numbers([]))
    hashes, times = table.table()
    assert hashes.tolist() == [0, 1, 5, 2**64 - 1]
    assert times.tolist() == [7, 13, 3, 1]


def test_second_table_equals_first() -> None:
    table = HashCounts()
    table.add_table(numbers([3]), numbers([4]))
    assert [part.tolist() for part in table.table()] == [part.tolist() for part in table.table()] == [[3], [4]]


@pytest.mark.parametrize("size", [1, 10, 100])
def test_buffer_size_does_not_change_counts(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(hash_counts, "MIN_BUFFER", size)
    table = HashCounts()
    for start in range(50):
        for _ in range(2):
            table.add(numbers(list(range(start, start + 9))))
    hashes, times = table.table()
    assert hashes.tolist() == list(range(58))
    assert times.tolist() == [2 * min(value + 1, 9, 58 - value) for value in range(58)]


def test_buffer_does_not_outgrow_its_share_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_counts, "MIN_BUFFER", 4)
    table = HashCounts()
    for value in range(100):
        table.add(numbers([value]))
        assert table._n_buffered <= max(4, len(table._hashes) // hash_counts.TABLE_TO_BUFFER)


def as_dict(table: tuple[Hashes, Counts]) -> dict[int, int]:
    hashes, counts = table
    assert hashes.dtype == np.uint64
    assert counts.dtype in (np.uint32, np.uint64)
    assert np.all(hashes[1:] > hashes[:-1])
    return dict(zip(hashes.tolist(), counts.tolist(), strict=True))


hashes = st.integers(0, 20) | st.sampled_from([2**64 - 1, 2**64 - 2, 2**63, 2**63 - 1]) | st.integers(0, 2**64 - 1)
plain = st.lists(hashes, max_size=40).map(lambda h: (h, None))
counted = st.lists(
    st.tuples(hashes, st.integers(1, 3) | st.integers(1, 2**33) | st.integers(1, 2**58)), max_size=20
).map(lambda pairs: (sorted(dict(pairs)), [dict(pairs)[h] for h in sorted(dict(pairs))]))


@given(pieces=st.lists(plain | counted | st.none(), max_size=20), size=st.sampled_from([1, 2, 7, 1 << 16]))
@settings(max_examples=200, deadline=None)
def test_counts_equal_those_of_counter(pieces: list[tuple[list[int], list[int] | None] | None], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hash_counts, "MIN_BUFFER", size)
        total, expected = HashCounts(), Counter[int]()
        earlier: list[tuple[tuple[Hashes, Counts], dict[int, int]]] = []
        for piece in pieces:
            if piece is None:  # take a table, and check later that its arrays have not changed
                table = total.table()
                earlier.append((table, as_dict(table)))
                continue
            values, times = piece
            if times is None:
                total.add(numbers(values))
            else:
                total.add_table(numbers(values), numbers(times))
            for i, value in enumerate(values):
                expected[value] += 1 if times is None else times[i]
        assert as_dict(total.table()) == expected
        assert all(as_dict(table) == known for table, known in earlier)


def test_counts_of_many_hashes_equal_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    total, seen = HashCounts(), []
    for _ in range(60):
        piece = rng.integers(0, 200_000, 20_000, dtype=np.uint64) * np.uint64(92_233_720_368_547)
        total.add(piece)
        seen.append(piece)
    found, times = total.table()
    expected, expected_times = np.unique(np.concatenate(seen), return_counts=True)
    assert np.array_equal(found, expected)
    assert np.array_equal(times, expected_times)


def test_counts_above_32_bits_are_exact() -> None:
    total = HashCounts()
    total.add_table(numbers([5, 9]), numbers([2**32 - 2, 1]))
    assert as_dict(total.table()) == {5: 2**32 - 2, 9: 1}
    for _ in range(3):
        total.add(numbers([5, 5, 2]))
    assert as_dict(total.table()) == {2: 3, 5: 2**32 + 4, 9: 1}
    small = HashCounts()
    small.add(numbers([7] * 3))
    small._merge()
    small._counts[0] = 2**32 - 1  # as if it had been counted that often
    small._total = 2**32 - 1
    assert small._counts.dtype == np.uint32
    small.add(numbers([7, 8]))
    assert as_dict(small.table()) == {7: 2**32, 8: 1}


def test_caller_may_change_added_array_afterwards() -> None:
    piece = numbers([1, 2, 3])
    total = HashCounts()
    total.add(piece)
    piece[:] = 9
    assert as_dict(total.table()) == {1: 1, 2: 1, 3: 1}


def test_added_tables_are_merged_with_few_of_about_the_same_size() -> None:
    """Each table is more than twice as large as the next, and none of them is changed."""
    rng = np.random.default_rng(2)
    total, pieces = HashCounts(), []
    for _ in range(40):
        piece = np.unique(rng.integers(0, 5_000, 300, dtype=np.uint64))
        piece.flags.writeable = False  # as in a file of a finished slice
        pieces.append(piece)
        total.add_table(piece, np.full(piece.size, 2, np.uint64))
        sizes = [hashes.size for hashes, _ in total._tables]
        assert all(size > 2 * after for size, after in pairwise(sizes))
    found, times = total.table()
    expected, expected_times = np.unique(np.concatenate(pieces), return_counts=True)
    assert np.array_equal(found, expected)
    assert np.array_equal(times, 2 * expected_times)
