"""Pseudo-random numbers and letters that are always the same: what known answers are computed from (loops.py)."""

import numpy as np
from numpy.typing import NDArray


def known_numbers(count: int) -> NDArray[np.uint64]:
    """Return pseudo-random numbers of 64 bits (SplitMix64, Steele et al. 2014), always the same."""
    x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def known_letters(count: int) -> bytes:
    """Return pseudo-random DNA, always the same: both cases, and a few letters that are unknown."""
    numbers = known_numbers(count)
    letters = np.frombuffer(b"ACGTacgt", np.uint8)[(numbers & np.uint64(7)).astype(np.intp)]
    return np.where(numbers >> np.uint64(8) & np.uint64(255) == 0, np.uint8(ord("N")), letters).tobytes()
