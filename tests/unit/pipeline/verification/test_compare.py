"""Comparing two signatures finds the differences and their likely cause; acceptance tests use real forgeries."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import MAX_HASH, sketch
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.verification.compare import compare, compare_sketch, likely_cause, pair_by_ksize
from wort_cli.pipeline.verification.verify import FASTERQ_DUMP, causes_of

Counts = dict[int, int]
counts = st.dictionaries(st.integers(1, 60), st.integers(1, 9), max_size=30)


def of(table: Counts, ksize: int = 21) -> Sketch:
    return sketch(sorted(table), [table[h] for h in sorted(table)], ksize)


@given(counts, counts)
def test_comparison_counts_missing_extra_and_drifted_hashes(theirs: Counts, ours: Counts) -> None:
    found = compare_sketch(of(theirs), of(ours))
    shared = theirs.keys() & ours.keys()
    assert found.missing == len(ours.keys() - theirs.keys())
    assert found.extra == len(theirs.keys() - ours.keys())
    assert found.drifted == sum(theirs[h] != ours[h] for h in shared)
    assert found.differs == (theirs != ours)
    union = theirs.keys() | ours.keys()
    assert found.jaccard == (len(shared) / len(union) if union else 1.0)


def run(seed: int = 1, number: int = 400) -> Counts:
    random = Random(seed)
    return {random.randrange(1, MAX_HASH): random.randint(2, 40) for _ in range(number)}


def without(table: Counts, number: int) -> Counts:
    return dict(list(table.items())[number:])


def thinned(table: Counts) -> Counts:
    return {h: n // 2 for h, n in table.items() if n // 2}


CHANGES: dict[str, Callable[[Counts], Counts]] = {
    "1 hash was removed": lambda t: without(t, 1),
    "30 hashes were removed": lambda t: without(t, 30),
    "1 hash was added": lambda t: {**t, 5: 1},
    "hashes were changed: 1 are missing, 1 are not of the run": lambda t: {**without(t, 1), 5: 1},
    "the abundances are 7 times": lambda t: {h: 7 * n for h, n in t.items()},
    "the abundances of 1 hash were changed": lambda t: {**t, next(iter(t)): 99},
    "a subset of the reads, about 4": thinned,
    "a subset of the reads, about 5": lambda t: {h: n // 2 + n % 2 for h, n in t.items()},
    "it is of more reads than the run has": lambda t: {**{h: n + n % 3 for h, n in t.items()}, 5: 1},
    "it was made with scaled of about 2000": lambda t: {h: n for h, n in t.items() if h < MAX_HASH // 2},
    "it is of another run, or made with": lambda t: run(2),
    "it is of another run, or of reads": lambda t: {**without(t, 100), **without(run(2), 300)},
    "the abundances are not those of the run": lambda t: {h: max(1, n + (h % 3) - 1) for h, n in t.items()},
}


@pytest.mark.parametrize("cause", CHANGES)
def test_likely_cause_is_found(cause: str) -> None:
    ours, theirs = [of(run())], [of(CHANGES[cause](run()))]
    assert cause in likely_cause(pair_by_ksize(theirs, ours), compare(theirs, ours), [])


@pytest.mark.parametrize(
    ("clip", "read_filter", "other", "is_likely"),
    [
        (True, True, False, True),
        (True, None, None, True),
        (None, True, False, True),
        (True, False, False, False),
        (True, True, True, False),
        (None, None, False, False),
    ],
)
def test_output_of_fasterq_dump_is_recognized(
    clip: bool | None, read_filter: bool | None, other: bool | None, is_likely: bool
) -> None:
    found = causes_of({("--clip",): clip, ("--read-filter", "pass"): read_filter, ("--skip-technical",): other})
    assert (FASTERQ_DUMP in found) == is_likely


def test_omitted_flags_are_the_cause_unless_it_is_another_run() -> None:
    ours, theirs = [of(run())], [of({**run(), 5: 1})]
    assert likely_cause(pair_by_ksize(theirs, ours), compare(theirs, ours), ["a", "b"]) == "a and b"
    foreign = [of(run(2))]
    assert "another run" in likely_cause(pair_by_ksize(foreign, ours), compare(foreign, ours), ["a"])


def test_single_foreign_sketch_is_reported_with_its_k() -> None:
    ours = [of(run(), 21), of(run(3), 31)]
    theirs = [of(run(), 21), of(run(4), 31)]
    assert "the sketch of k=31 was made with other parameters" in likely_cause(
        pair_by_ksize(theirs, ours), compare(theirs, ours), []
    )
