"""The slices of a run contain every spot once; SliceStore returns a finished slice unchanged, or not at all."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.builders import numbers
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.slices import (
    MAX_BASES,
    USUAL_SLICES,
    FinishedSlice,
    Slice,
    SliceStore,
    plan_slices,
    split_for_threads,
)

SMALLEST = 75_000_000
WANTED = Slice(11, 20)
INPUTS = {"source": "d" * 64, "profile": "sra-v1"}
TABLES: tuple[tuple[list[int], list[int]], ...] = (([1, 2**63, 2**64 - 1], [4, 2**64 - 1, 1]), ([], []), ([7], [3]))


def counts(tables: Sequence[tuple[list[int], list[int]]] = TABLES, part: Slice = WANTED) -> FinishedSlice:
    return FinishedSlice(
        part, "x", ReadStats(9, 18, 1800, 150), tuple((numbers(hashes), numbers(times)) for hashes, times in tables)
    )


def as_numbers(done: FinishedSlice | None) -> tuple[object, ...]:
    assert done is not None
    tables = [(hashes.tolist(), times.tolist()) for hashes, times in done.counts]
    assert all(array.dtype == np.uint64 for table in done.counts for array in table)
    return done.slice, done.stats, tables


@given(st.integers(1, 10**10), st.integers(0, 10**14), st.integers(1, 10**15))
@example(1, 10**14, 1)
@example(3, 10**14, 1)
@example(10**10, 10**14, SMALLEST)
def test_slices_contain_every_spot_once(spots: int, bases: int, smallest: int) -> None:
    slices = plan_slices(spots, bases, smallest)
    assert slices[0].first == 1
    assert slices[-1].last == spots
    assert all(before.last + 1 == after.first for before, after in pairwise(slices))
    assert all(part.spots == part.last - part.first + 1 >= 1 for part in slices)
    assert sum(part.spots for part in slices) == spots
    assert max(part.spots for part in slices) - min(part.spots for part in slices) <= 1
    assert plan_slices(spots, bases, smallest) == slices


@pytest.mark.parametrize("bases", [0, 1, SMALLEST - 1, SMALLEST, int(1.4 * SMALLEST)])
def test_small_run_is_one_slice(bases: int) -> None:
    assert plan_slices(1000, bases, SMALLEST) == (Slice(1, 1000),)


@pytest.mark.parametrize(
    ("bases", "number"),
    [
        (2 * SMALLEST, 2),
        (10 * SMALLEST, 10),
        (USUAL_SLICES * SMALLEST, USUAL_SLICES),
        (10 * USUAL_SLICES * SMALLEST, USUAL_SLICES),
        (USUAL_SLICES * MAX_BASES, USUAL_SLICES),
        (10 * USUAL_SLICES * MAX_BASES, 10 * USUAL_SLICES),
    ],
)
def test_number_of_slices_of_a_large_run(bases: int, number: int) -> None:
    assert len(plan_slices(10**9, bases, SMALLEST)) == number


def test_slices_are_not_more_than_spots() -> None:
    assert plan_slices(3, 10**12, SMALLEST) == (Slice(1, 1), Slice(2, 2), Slice(3, 3))


@pytest.mark.parametrize(
    ("spots", "bases", "threads", "number"),
    [
        (1000, 30_000_000, 2, 6),
        (1000, 60_000_000, 2, 8),
        (1000, 60_000_000, 1, 1),
        (1000, 9_000_000, 2, 1),
        (1, 30_000_000, 4, 1),
        (9, 0, 2, 1),
    ],
)
def test_small_run_is_split_for_the_threads_that_it_keeps_busy(
    spots: int, bases: int, threads: int, number: int
) -> None:
    slices = split_for_threads(spots, bases, threads)
    assert len(slices) == number
    assert (slices[0].first, slices[-1].last) == (1, spots)
    assert all(before.last + 1 == after.first for before, after in pairwise(slices))


def test_saved_slice_is_loaded_unchanged(tmp_path: Path) -> None:
    store = SliceStore(tmp_path / "slices", INPUTS)
    assert store.load(WANTED) is None
    store.save(counts())
    assert as_numbers(SliceStore(tmp_path / "slices", INPUTS).load(WANTED)) == as_numbers(counts())
    assert [path.suffix for path in (tmp_path / "slices").iterdir()] == [".slice"]
    assert (tmp_path / "slices").stat().st_mode & 0o777 == 0o700


def test_slice_saved_again_replaces_the_old_one(tmp_path: Path) -> None:
    store = SliceStore(tmp_path, INPUTS)
    store.save(counts())
    store.save(counts([([5], [6])]))
    assert as_numbers(store.load(WANTED)) == as_numbers(counts([([5], [6])]))


@pytest.mark.parametrize("other", [Slice(11, 21), Slice(10, 20), Slice(1, 1), Slice(1, 120)])
def test_another_slice_is_not_loaded(tmp_path: Path, other: Slice) -> None:
    store = SliceStore(tmp_path, INPUTS)
    store.save(counts())
    assert store.load(other) is None


@pytest.mark.parametrize(
    "other",
    [{}, {"source": "d" * 64}, {**INPUTS, "source": "e" * 64}, {**INPUTS, "profile": "sra-v2"}, {**INPUTS, "more": ""}],
)
def test_slice_made_from_other_inputs_is_ignored(tmp_path: Path, other: dict[str, str]) -> None:
    SliceStore(tmp_path, other).save(counts())
    assert SliceStore(tmp_path, INPUTS).load(WANTED) is None


def test_order_of_inputs_does_not_matter(tmp_path: Path) -> None:
    SliceStore(tmp_path, dict(reversed(INPUTS.items()))).save(counts())
    assert SliceStore(tmp_path, INPUTS).load(WANTED) is not None


def save(store: SliceStore, directory: Path, done: FinishedSlice) -> tuple[Path, bytes]:
    """Save a slice, and return its file and the content of it."""
    store.save(done)
    [path] = directory.iterdir()
    return path, path.read_bytes()


def test_truncated_file_is_ignored(tmp_path: Path) -> None:
    store = SliceStore(tmp_path, INPUTS)
    path, data = save(store, tmp_path, counts())
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert store.load(WANTED) is None


@pytest.mark.parametrize("data", [b"", b"text", b"{}\n", bytes(32), bytes(1000)])
def test_file_with_other_content_is_ignored(tmp_path: Path, data: bytes) -> None:
    store = SliceStore(tmp_path, INPUTS)
    path, _ = save(store, tmp_path, counts())
    path.write_bytes(data)
    assert store.load(WANTED) is None


def test_file_with_a_flipped_bit_is_ignored(tmp_path: Path) -> None:
    store = SliceStore(tmp_path, INPUTS)
    path, data = save(store, tmp_path, counts())
    for place in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            assert store.load(WANTED) is None
    path.write_bytes(data)
    assert as_numbers(store.load(WANTED)) == as_numbers(counts())


@pytest.mark.parametrize(("old", "new"), [(b"[50000]", b"[40000]"), (b"[50000]", b"[60000]"), (b"1800", b"1801")])
def test_file_with_changed_header_is_ignored(tmp_path: Path, old: bytes, new: bytes) -> None:
    store = SliceStore(tmp_path, INPUTS)
    many = list(range(1, 50_001))
    path, data = save(store, tmp_path, counts([(many, many)]))
    header, _, rest = data.partition(b"\n")
    assert header.count(old) == 1
    path.write_bytes(header.replace(old, new) + b"\n" + rest)
    assert store.load(WANTED) is None


@pytest.mark.parametrize("more", [b"\0", b"\n", bytes(8), bytes(32)])
def test_file_with_additional_bytes_is_ignored(tmp_path: Path, more: bytes) -> None:
    store = SliceStore(tmp_path, INPUTS)
    path, data = save(store, tmp_path, counts())
    path.write_bytes(data + more)
    assert store.load(WANTED) is None


def test_renamed_file_of_another_slice_is_ignored(tmp_path: Path) -> None:
    store, other = SliceStore(tmp_path, INPUTS), Slice(21, 30)
    path, _ = save(store, tmp_path, counts())
    path.rename(path.with_name(path.name.replace("11-20", "21-30")))
    assert store.load(other) is None


def test_save_raises_oserror_if_directory_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        SliceStore(tmp_path / "file" / "slices", INPUTS).save(counts())
