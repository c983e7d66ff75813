"""Loops of hash_counts.py: they count and merge hashes in sorted arrays."""

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit

Hashes = NDArray[np.uint64]
Counts = NDArray[np.uint32] | NDArray[np.uint64]


@jit
def count_absent(hashes: Hashes, new: Hashes) -> int:
    """Count the distinct values of `new` that are not in `hashes`.  Both are ascending; `new` may have repeats."""
    absent = i = 0
    for j in range(new.size):
        if j > 0 and new[j] == new[j - 1]:
            continue
        while i < hashes.size and hashes[i] < new[j]:
            i += 1
        if i == hashes.size or hashes[i] != new[j]:
            absent += 1
    return absent


@jit
def merge_counts(hashes: Hashes, counts: Counts, n: int, new: Hashes) -> None:
    """Merge `new` into the table in hashes[:n] and counts[:n]; the result fills both arrays exactly.

    The loop starts at the largest hash, so that it moves each entry to a place that is already free.
    """
    i, j, to = n - 1, new.size - 1, hashes.size - 1
    while j >= 0:
        hash_ = new[j]
        while i >= 0 and hashes[i] > hash_:
            hashes[to], counts[to] = hashes[i], counts[i]
            i -= 1
            to -= 1
        times = np.uint64(0)  # not an int: numba converts the sum of an int and a uint64 to a float
        while j >= 0 and new[j] == hash_:
            times += np.uint64(1)
            j -= 1
        if i >= 0 and hashes[i] == hash_:
            times += np.uint64(counts[i])
            i -= 1
        hashes[to], counts[to] = hash_, times
        to -= 1


@jit
def count_common(hashes: Hashes, others: Hashes) -> int:
    """Count the hashes that two tables have in common.

    Which table has the next hash is random.  So this loop and the next one compute with that instead of branching on
    it: the processor would predict half of the branches wrong.
    """
    i = j = common = 0
    while i < hashes.size and j < others.size:
        one, other = hashes[i], others[j]
        common += int(one == other)
        i += int(one <= other)
        j += int(other <= one)
    return common


@jit
def merge_tables(hashes: Hashes, counts: Counts, n: int, other_hashes: Hashes, other_counts: Counts) -> None:
    """Add another table to the one in hashes[:n] and counts[:n]; the result fills both arrays exactly.

    Like merge_counts, it starts at the largest hash.
    """
    i, j, to = n - 1, other_hashes.size - 1, hashes.size - 1
    while i >= 0 and j >= 0:
        one, other = hashes[i], other_hashes[j]
        takes_one, takes_other = np.uint64(one >= other), np.uint64(other >= one)
        times = np.uint64(counts[i]) * takes_one + np.uint64(other_counts[j]) * takes_other
        hashes[to], counts[to] = max(one, other), times
        i -= int(one >= other)
        j -= int(other >= one)
        to -= 1
    while j >= 0:
        hashes[to], counts[to] = other_hashes[j], other_counts[j]
        j -= 1
        to -= 1
