"""Loops of decimals.py and digit_codes.py: numbers as text, text as numbers, and digits as bits of Deflate."""

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit

Numbers = NDArray[np.uint64]
Text = NDArray[np.uint8]
Groups = NDArray[np.uint64]

COMMA, ZERO, NINE = np.frombuffer(b",09", np.uint8)
ONE, TWO, THREE, GROUP, BYTE, TEN, LONGEST, WORD = (np.uint64(i) for i in (1, 2, 3, 4, 8, 10, 20, 64))
"""GROUP: digits that are looked up together; LONGEST: digits of the largest number."""
E4 = np.uint64(10**4)
SYMBOLS = 4
"""Bytes whose codes are joined before they are written."""


@jit
def write_decimals(numbers: Numbers, groups: Groups, powers: Numbers, text: Text, digits: Text) -> int:
    """Write each number and a comma to `text`, and without the comma to `digits`; return the bytes in `text`.

    groups: the GROUP digits of each number below 10**GROUP, the first one as the lowest byte
    powers: of ten, from 10**0 on, and at the end the largest number
    """
    n = to = ONE - ONE  # all indices are unsigned, so that numba need not check whether they are negative
    length = ONE  # also of 0
    for number in numbers:
        while length < LONGEST and number >= powers[length]:  # most numbers are as long as the one before
            length += ONE
        while length > ONE and number < powers[length - ONE]:
            length -= ONE
        end, digits_end, rest = n + length, to + length, number
        while rest >= E4:
            upper = rest // E4
            group = groups[rest - upper * E4]
            rest = upper
            end -= GROUP
            digits_end -= GROUP
            text[end] = digits[digits_end] = np.uint8(group)
            text[end + ONE] = digits[digits_end + ONE] = np.uint8(group >> BYTE)
            text[end + TWO] = digits[digits_end + TWO] = np.uint8(group >> (TWO * BYTE))
            text[end + THREE] = digits[digits_end + THREE] = np.uint8(group >> (THREE * BYTE))
        while True:
            upper = rest // TEN
            end -= ONE
            digits_end -= ONE
            text[end] = digits[digits_end] = ZERO + np.uint8(rest - upper * TEN)
            rest = upper
            if rest == 0:
                break
        n += length
        to += length
        text[n] = COMMA
        n += ONE
    return int(n)


@jit
def are_decimals(text: Text, numbers: Numbers, digits: Text) -> int:
    """Compare `text` with numbers, separated by commas; a comma after the last is allowed.

    Copies the digits, without commas, to `digits`; returns how many there are, or -1 if the text is not these numbers.
    """
    at = n = 0
    for number in numbers:
        value, begin = np.uint64(0), n
        while at < text.size and ZERO <= text[at] <= NINE:
            value = value * TEN + np.uint64(text[at] - ZERO)
            digits[n] = text[at]
            n += 1
            at += 1
        if n == begin or value != number:
            return -1
        if at < text.size:
            if text[at] != COMMA:
                return -1
            at += 1
    return n if at == text.size else -1


@jit
def are_digits(text: Text) -> bool:
    """Return whether all bytes are digits or commas."""
    others = 0
    for byte in text:
        others += int((byte != COMMA) & ((byte < ZERO) | (byte > NINE)))
    return others == 0


@jit
def count_bytes(text: Text, step: int, counts: Numbers) -> None:
    """Count how often each byte occurs, among every `step`-th of them."""
    for i in range(0, text.size, step):
        counts[text[i]] += ONE


@jit
def write_codes(text: Text, codes: Numbers, lengths: Numbers, words: Numbers, bits: int) -> int:
    """Append the code of each byte to the first `bits` bits of `words`; return the number of bits.

    The first bit is the lowest of the first word.  No code has more than 15 bits, and `codes` have no other bits.
    """
    at = bits >> 6
    used = np.uint64(bits & 63)
    word = words[at]
    whole = text.size // SYMBOLS * SYMBOLS
    for i in range(0, whole, SYMBOLS):  # the codes of several bytes fit into one word
        code, length = codes[text[i]], lengths[text[i]]
        for j in range(i + 1, i + SYMBOLS):
            code |= codes[text[j]] << length
            length += lengths[text[j]]
        word |= code << used
        words[at] = word
        used += length
        if used >= WORD:
            used -= WORD
            at += 1
            word = code >> (length - used)
    for i in range(whole, text.size):
        code, length = codes[text[i]], lengths[text[i]]
        word |= code << used
        words[at] = word
        used += length
        if used >= WORD:
            used -= WORD
            at += 1
            word = code >> (length - used)
    words[at] = word
    return 64 * at + int(used)
