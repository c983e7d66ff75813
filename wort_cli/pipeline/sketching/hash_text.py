"""Hashes a text with the kernel, and collects the hashes that it keeps.

The loops are in kernel.py, which explains what they compute and why they are fast.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.known_input import known_letters
from wort_cli.pipeline.sketching.loops import INT, WORD, Array, Loops

Letters = NDArray[np.uint8]
Words = NDArray[np.uint64]

CAPACITY = 1 << 15
"""Hashes, for each k, that the kernel collects before it returns them: a block of windows, or more."""


KERNEL = Loops("wort_cli.pipeline.sketching.kernel", __name__)
hash_blocks = KERNEL.function(
    "hash_blocks",
    Array(np.uint8),  # text
    INT,  # start
    Array(np.int64),  # ksizes
    WORD,  # seed
    WORD,  # max_hash
    Array(np.uint64, 2),  # kept
    Array(np.int64),  # n_kept
    Array(np.uint8, 2),  # letters
    Array(np.uint64, 2),  # words
    results=1,
)
LETTER_ROWS, WORD_ROWS, ROW = 6, 9, 1152
"""Sizes of the arrays for intermediate results, the same as in kernel.py, which only the compiler imports."""


def hash_text(
    text: bytes | Letters, ksizes: Sequence[int] | NDArray[np.int64], seed: int, max_hash: int
) -> list[Words]:
    """Return, for each of `ksizes`, the hashes of `text` that are kept, in the order of the text, with repeats.

    K-mers with any byte but A, C, G and T, in upper or lower case, are skipped.  Raises ValueError if a k is below 1.
    Releases the GIL, and keeps no state.
    """
    letters = np.frombuffer(text, np.uint8)
    lengths = np.asarray(ksizes, np.int64)
    if lengths.size == 0 or lengths.min() < 1:
        raise ValueError("a k-mer has at least one letter")
    size = ROW + int(lengths.max())
    tables = np.empty((LETTER_ROWS, size), np.uint8), np.empty((WORD_ROWS, size), np.uint64)
    kept, n_kept = np.empty((lengths.size, CAPACITY), np.uint64), np.zeros(lengths.size, np.int64)
    parts: list[list[Words]] = [[] for _ in lengths]
    start = 0
    while start < letters.size:
        start = hash_blocks(letters, start, lengths, seed, max_hash, kept, n_kept, *tables)
        for hashes, n, part in zip(kept, n_kept, parts, strict=True):
            part.append(hashes[:n].copy())
        n_kept[:] = 0
    return [np.concatenate(part) if part else np.empty(0, np.uint64) for part in parts]


KNOWN_KSIZES = (1, 7, 8, 16, 21, 31, 32, 33, 51, 64)
"""Lengths of k-mers with which each loop of the kernel runs."""


@KERNEL.known_answer("39955a4693bb424de524224b48e2c30ec899fda3ed8833000bdad8626ced91bb")
def hash_known_text() -> bytes:
    """Return the hashes of a known text."""
    return b"".join(part.tobytes() for part in hash_text(known_letters(20_000), KNOWN_KSIZES, 42, 1 << 62))
