"""Loops of seal.py: they write numbers in decimal, and compare them with text."""

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit

Numbers = NDArray[np.uint64]
Text = NDArray[np.uint8]

COMMA, ZERO, NINE = np.frombuffer(b",09", np.uint8)
TEN = np.uint64(10)


@jit
def write_decimals(numbers: Numbers, digits: Text, text: Text) -> int:
    """Write each number and a comma to `text`; return the number of bytes.  `digits` is as long as the longest."""
    n = 0
    for number in numbers:
        first = digits.size
        while True:  # the last digit first
            first -= 1
            digits[first] = ZERO + np.uint8(number % TEN)
            number //= TEN  # noqa: PLW2901
            if number == 0:
                break
        for i in range(first, digits.size):
            text[n] = digits[i]
            n += 1
        text[n] = COMMA
        n += 1
    return n


@jit
def are_decimals(text: Text, numbers: Numbers) -> bool:
    """Return whether `text` is these numbers, separated by commas; a comma after the last is allowed."""
    at = 0
    for number in numbers:
        value, begin = np.uint64(0), at
        while at < text.size and ZERO <= text[at] <= NINE:
            value = value * TEN + np.uint64(text[at] - ZERO)
            at += 1
        if at == begin or value != number:
            return False
        if at < text.size:
            if text[at] != COMMA:
                return False
            at += 1
    return at == text.size
