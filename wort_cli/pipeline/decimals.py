"""Numbers as decimal text, and back, by compiled loops (decimal_loops.py).

Writing and reading share no code, so that reading a written text back proves that it was right.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.known_input import known_numbers
from wort_cli.pipeline.sketching.loops import INT, Array, Loops

Numbers = NDArray[np.uint64]
Text = NDArray[np.uint8]

BLOCK = 1 << 16
"""Numbers that are formatted together."""
LONGEST = 20
"""Digits of the largest unsigned 64-bit number."""
POWERS = np.array([*(10**i for i in range(LONGEST)), 2**64 - 1], np.uint64)

DECIMALS = Loops("wort_cli.pipeline.decimal_loops", __name__)
NUMBERS, TEXT = Array(np.uint64), Array(np.uint8)
write_decimals = DECIMALS.function("write_decimals", NUMBERS, NUMBERS, NUMBERS, TEXT, TEXT, results=1)
are_decimals = DECIMALS.function("are_decimals", TEXT, NUMBERS, TEXT, results=1)
are_digits = DECIMALS.function("are_digits", TEXT, results=1)
count_bytes = DECIMALS.function("count_bytes", TEXT, INT, NUMBERS)
write_codes = DECIMALS.function("write_codes", TEXT, NUMBERS, NUMBERS, NUMBERS, INT, results=1)


def number_blocks(numbers: NDArray[np.unsignedinteger]) -> Iterator[tuple[bytes, bytes]]:
    """Yield numbers in decimal in blocks: separated by commas, and their digits alone."""
    room = BLOCK * (LONGEST + 1)
    text, digits, groups = np.empty(room, np.uint8), np.empty(room, np.uint8), groups_of_digits()
    for start in range(0, numbers.size, BLOCK):
        part = numbers[start : start + BLOCK].astype(np.uint64, copy=False)
        n = write_decimals(part, groups, POWERS, text, digits)
        last = start + BLOCK >= numbers.size
        yield text[: n - last].tobytes(), digits[: n - part.size].tobytes()


@cache
def groups_of_digits() -> Numbers:
    """Return the four digits of each number below 10,000 as text, the first one as the lowest byte."""
    numbers = np.arange(10_000, dtype=np.uint64)
    groups = np.zeros(numbers.size, np.uint64)
    for place in range(4):
        digit = numbers // np.uint64(10 ** (3 - place)) % np.uint64(10) + np.uint64(ord("0"))
        groups |= digit << np.uint64(8 * place)
    return groups


def digits_of(text: bytes, numbers: Numbers) -> Text | None:
    """Return the digits of a text that is these numbers, separated by commas; None if it is another one."""
    letters = np.frombuffer(text, np.uint8)
    digits = np.empty(letters.size, np.uint8)
    n = are_decimals(letters, numbers, digits)
    return digits[:n] if n >= 0 else None


def decimal_length(numbers: Numbers) -> int:
    """Return the length of numbers as decimal text, with a comma after each."""
    return 2 * numbers.size + int(np.searchsorted(POWERS[1:LONGEST], numbers, side="right").sum())


@DECIMALS.known_answer("2c3ebaf2cd1d4add3a71c7c4413393a63ef742132047d9482a38f83ff8a6fa7f")
def write_known_numbers() -> bytes:
    """Return known numbers as text and as bits, and whether they read back."""
    numbers = known_numbers(500) >> np.arange(500, dtype=np.uint64) % np.uint64(64)
    text, digits = (b"".join(parts) for parts in zip(*number_blocks(numbers), strict=True))
    letters = np.frombuffer(text, np.uint8)
    counts, words = np.zeros(256, np.uint64), np.zeros(letters.size, np.uint64)
    count_bytes(letters, 7, counts)
    codes, lengths = np.arange(256, dtype=np.uint64) & np.uint64(31), np.full(256, 5, np.uint64)
    bits = write_codes(letters, codes, lengths, words, 3)
    found = digits_of(text, numbers)
    facts = (
        found is not None and found.tobytes() == digits,
        digits_of(text[:-1], numbers) is not None,
        are_digits(letters),
        are_digits(np.frombuffer(text + b"-", np.uint8)),
        *counts[counts > 0].tolist(),
        bits,
        *words[: bits // 64 + 1].tolist(),
    )
    return text + b" " + " ".join(str(int(fact)) for fact in facts).encode()
