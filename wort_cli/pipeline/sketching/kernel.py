"""Hashes DNA text as sourmash does: FracMinHash of canonical k-mers, many windows at a time.

What is computed, for each window of k letters of the text:

1. lower case is made upper case, and a window with any byte but A, C, G and T is passed over;
2. the canonical k-mer is the smaller, as ASCII text, of the k-mer and its reverse complement;
3. its hash is the first half of MurmurHash3 x64_128 of the k letters;
4. it is kept if it is at most `max_hash` and not 0, by which sourmash marks windows that it passes over.

Sources: in sourmash's src/core/src, signature.rs (SeqToHashes), sketch/minhash.rs (add_hash), encodings.rs (revcomp),
lib.rs (_hash_murmur); MurmurHash3.cpp by Austin Appleby, public domain.  Tests compare with the installed sourmash.

How it is made fast.  All windows of a block of text go through one step of the hash before the next step begins, so
that every loop runs over neighbours in a few arrays and the compiler makes SIMD code of it; k is an ordinary number.
Three observations keep the steps few:

* MurmurHash3 takes its input in words of 8 letters, and scrambles a word before it mixes it in.  The scrambled word
  depends on its place in the text only, neither on k nor on the window, so it is tabulated once for all.
* If a k-mer and its reverse complement differ, they differ within their first half.  With 2 bits a letter a 32-bit key
  holds 16 letters, so that up to k=32 one comparison of keys finds the smaller.
* Few hashes are kept.  The last step of the hash, and rule 1, are done for these alone (keep_small).

The tables of a block stay in a processor's L2 cache.  Constants are np.uint64, for numba makes a float of a uint64 and
an int.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit, jit_helper

Letters = NDArray[np.uint8]
Words = NDArray[np.uint64]
AnyWords = NDArray[Any]  # unsigned integers of 1, 2, 4 or 8 bytes
Keys = NDArray[np.uint32]
Masks = NDArray[np.int64]

WORD = 8
"""Letters in a word of MurmurHash3."""
KEY = 16
"""Letters in a key, by which strands are compared."""
MARGIN = 16
"""Letters on either side of the windows that have table entries too: a word or key may stick out of a short k-mer."""
BLOCK = 4096
"""Windows that are hashed together."""
GROUP = 64
"""Hashes that are looked at together for one that is kept."""
LARGEST_SIGNED = np.int64(2**63 - 1)
SIGN, CARRY = np.uint64(2**63), np.uint64(2**32)
FORWARD, BACKWARD = np.int64(-1), np.int64(0)
"""Masks of the strand; SIMD code chooses by the sign of a 64-bit number without more ado."""
C1, C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
M1, M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
FIVE, N1, N2 = np.uint64(5), np.uint64(0x52DCE729), np.uint64(0x38495AB5)
A, C, G, T, N, LOWER_A, LOWER_Z, TO_UPPER = np.frombuffer(b"ACGTNaz\xdf", np.uint8)
# The rows of the table of a block.  Entry i of each is about the letters from i on, and of the complementary strand
# about the reverse complement of the same letters.
WORDS, RC_WORDS = 0, 1  # the next 8 letters, the first one lowest
SCRAMBLED_1, SCRAMBLED_2, RC_SCRAMBLED_1, RC_SCRAMBLED_2 = 2, 3, 4, 5  # these, scrambled for either half of the hash
ROWS = 6
KEYS, RC_KEYS = 0, 1  # in a table of keys: the next 16 letters, the first one highest, A=0 C=1 G=2 T=3


@jit
def hash_blocks(
    text: Letters, start: int, ksizes: NDArray[np.int64], seed: np.uint64, max_hash: np.uint64, longest: int,
    kept: Words, n_kept: NDArray[np.int64],
) -> int:  # fmt: skip
    """Hash the windows from `start` on, block by block, until all are done or `kept` may not hold another block's.

    `longest` is the largest of ksizes.  `n_kept` is 0 for each of them before; then kept[j, : n_kept[j]] are the hashes
    kept for ksizes[j].  Returns where to go on.
    """
    # The block's letters with MARGIN on either side, and what is derived of them.
    room = MARGIN + BLOCK + longest + MARGIN
    letters = np.empty(room, np.uint8)
    table, keys = np.empty((ROWS, room), np.uint64), np.empty((2, room), np.uint32)
    bytes1, bytes2 = np.empty(room, np.uint8), np.empty(room, np.uint8)
    halves, quads = np.empty(room, np.uint16), np.empty(room, np.uint32)
    strands = np.empty(BLOCK, np.int64)
    halves1, halves2 = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    most = 0  # of n_kept; max() of an array takes a second to compile
    while start < text.size and most + BLOCK <= kept.shape[1]:
        copy_letters(text, start - MARGIN, letters)
        tabulate(letters[: text.size - start + 2 * MARGIN], table, keys, bytes1, bytes2, halves, quads)
        for j in range(ksizes.size):
            k = ksizes[j]
            n = min(BLOCK, text.size - k + 1 - start)
            if n > 0:
                hash_windows(table, keys, k, seed, strands[:n], halves1[:n], halves2[:n])
                n_kept[j] = keep_small(halves1[:n], halves2[:n], max_hash, letters[MARGIN:], k, kept[j], n_kept[j])
                most = max(most, n_kept[j])
        start += BLOCK
    return start


@jit_helper
def copy_letters(text: Letters, start: int, letters: Letters) -> None:
    """letters[i] = text[start + i] in upper case, and N where the text does not reach."""
    before = max(0, -start)
    after = max(before, min(letters.size, text.size - start))
    letters[:before] = N
    letters[after:] = N
    source, target = text[start + before : start + after], letters[before:after]
    for i in range(target.size):
        c = source[i]
        target[i] = c & TO_UPPER if LOWER_A <= c <= LOWER_Z else c


# The tables over positions -------------------------------------------------------------------------------------------


@jit_helper
def tabulate(
    letters: Letters, table: Words, keys: Keys, bytes1: Letters, bytes2: Letters, halves: NDArray[np.uint16],
    quads: Keys,
) -> None:  # fmt: skip
    """Fill the rows of both tables for each place in `letters`; the other arrays are for intermediate results.

    A word is put together in three steps, of 1, 2 and 4 neighbours, rather than in 8: each step joins what begins at a
    place with what begins a little further on.  Entries that would need letters behind the last are not valid.
    """
    words, rc_words = table[WORDS], table[RC_WORDS]

    join(letters, letters[1:], 8, halves)
    join(halves, halves[2:], 16, quads)
    join(quads, quads[4:], 32, words)

    complement(letters, bytes1)
    join(bytes1[1:], bytes1, 8, halves)
    join(halves[2:], halves, 16, quads)
    join(quads[4:], quads, 32, rc_words)

    scramble(words, table[SCRAMBLED_1], table[SCRAMBLED_2])
    scramble(rc_words, table[RC_SCRAMBLED_1], table[RC_SCRAMBLED_2])

    two_bits(letters, 0, bytes1)
    join(bytes1[1:], bytes1, 2, bytes2)
    join(bytes2[2:], bytes2, 4, bytes1)
    join(bytes1[4:], bytes1, 8, halves)
    join(halves[8:], halves, 16, keys[KEYS])

    two_bits(letters, 3, bytes1)
    join(bytes1, bytes1[1:], 2, bytes2)
    join(bytes2, bytes2[2:], 4, bytes1)
    join(bytes1, bytes1[4:], 8, halves)
    join(halves, halves[8:], 16, keys[RC_KEYS])


@jit_helper
def join(low: AnyWords, high: AnyWords, bits: int, out: AnyWords) -> None:
    """out[i] = high[i] above the `bits` bits of low[i]."""
    for i in range(min(low.size, high.size)):
        out[i] = np.uint64(low[i]) | (np.uint64(high[i]) << np.uint64(bits))


@jit_helper
def complement(letters: Letters, out: Letters) -> None:
    """The letters of the complementary strand; of a byte that is no A, C, G or T, anything."""
    for i in range(letters.size):
        # A=0x41 and T=0x54 differ by 21, C=0x43 and G=0x47 by 4, and only the latter have bit 1 set.
        out[i] = letters[i] ^ (np.uint8(4) if letters[i] & np.uint8(2) else np.uint8(21))


@jit_helper
def two_bits(letters: Letters, flip: int, out: Letters) -> None:
    """A, C, G, T as 0, 1, 2, 3 if `flip` is 0, and as those of their complements, 3, 2, 1, 0, if it is 3."""
    for i in range(letters.size):
        # Bits 1 and 2 of A, C, G, T are 0, 1, 3, 2, that is 0, 1, 2, 3 in Gray code.
        c = (letters[i] >> np.uint8(1)) & np.uint8(3)
        out[i] = c ^ (c >> np.uint8(1)) ^ np.uint8(flip)


@jit_helper
def scramble(words: Words, out1: Words, out2: Words) -> None:
    """What MurmurHash3 does to a word before it mixes it into the first, and into the second half of the hash."""
    for i in range(words.size):
        out1[i] = scrambled(words[i], C1, 31, C2)
        out2[i] = scrambled(words[i], C2, 33, C1)


# Hashing, one step for all windows of a block ------------------------------------------------------------------------


@jit_helper
def hash_windows(
    table: Words, keys: Keys, k: int, seed: np.uint64, strands: Masks, halves1: Words, halves2: Words
) -> None:
    """Hash the canonical k-mers of the windows that begin at MARGIN + i of the tables, but for the last step.

    MurmurHash3_x64_128: pairs of words are mixed into two halves of state; then come the last k % 16 letters, first
    those of the second word of the pair; then k; then all bits are mixed once more, of which keep_small does the rest.

    The words of the k-mer begin at its begin; those of the reverse complement are those of the text backwards, the
    first one before the end of the k-mer.
    """
    words, rc_words = table[WORDS], table[RC_WORDS]
    scrambled_1, scrambled_2 = table[SCRAMBLED_1], table[SCRAMBLED_2]
    rc_scrambled_1, rc_scrambled_2 = table[RC_SCRAMBLED_1], table[RC_SCRAMBLED_2]
    at, end = MARGIN, MARGIN + k
    last = (k - 1) // (2 * KEY)  # of the keys in the first half of the k-mer; the first one counts most
    compare_strands(keys[KEYS][at + KEY * last :], keys[RC_KEYS][end - KEY - KEY * last :], strands)
    for i in range(last - 1, -1, -1):
        compare_before(keys[KEYS][at + KEY * i :], keys[RC_KEYS][end - KEY - KEY * i :], strands)

    if k < 2 * WORD:
        halves1[:] = seed
        halves2[:] = seed
    for i in range(0, k - 15, 16):
        this, that = at + i, end - WORD - i
        word1, rc_word1 = scrambled_1[this:], rc_scrambled_1[that:]
        word2, rc_word2 = scrambled_2[this + WORD :], rc_scrambled_2[that - WORD :]
        if i == 0:
            mix_first_pair(strands, word1, rc_word1, word2, rc_word2, seed, halves1, halves2)
        else:
            mix_pair(strands, word1, rc_word1, word2, rc_word2, halves1, halves2)

    rest = k % 16
    # A part of a word: the last 8 letters, without those that are not its own, which are the lowest.
    foreign = np.uint64(8 * (WORD - rest % WORD))
    if rest > WORD:
        mix_part(strands, words[end - WORD :], rc_words[at:], foreign, C2, 33, C1, halves2)
    if rest >= WORD:
        mix_word(strands, scrambled_1[end - rest :], rc_scrambled_1[at + rest - WORD :], halves1)
    elif rest > 0:
        mix_part(strands, words[end - WORD :], rc_words[at:], foreign, C1, 31, C2, halves1)
    finish(np.uint64(k), halves1, halves2)


@jit_helper
def compare_strands(keys: Keys, rc_keys: Keys, strands: Masks) -> None:
    """Say which is the smaller of k-mer and reverse complement, by 16 letters; if they are equal, either will do."""
    for i in range(strands.size):
        strands[i] = FORWARD if keys[i] <= rc_keys[i] else BACKWARD


@jit_helper
def compare_before(keys: Keys, rc_keys: Keys, strands: Masks) -> None:
    """Compare 16 more letters, which come before those compared already."""
    for i in range(strands.size):
        a, b = keys[i], rc_keys[i]
        strands[i] = FORWARD if a < b else (strands[i] if a == b else BACKWARD)


# In each of the next four both strands' values are loaded and one is taken: to choose an index would be one load less,
# but from anywhere, which SIMD code is slow at.


@jit_helper
def mix_first_pair(
    strands: Masks, word1: Words, rc_word1: Words, word2: Words, rc_word2: Words, seed: np.uint64, halves1: Words,
    halves2: Words,
) -> None:  # fmt: skip
    """Mix a pair of scrambled words into the state that all begin with."""
    for i in range(strands.size):
        a, b = word1[i], rc_word1[i]
        x = seed ^ (a if strands[i] < 0 else b)
        a, b = word2[i], rc_word2[i]
        y = seed ^ (a if strands[i] < 0 else b)
        x = (rotate(x, 27) + seed) * FIVE + N1
        halves1[i] = x
        halves2[i] = (rotate(y, 31) + x) * FIVE + N2


@jit_helper
def mix_pair(
    strands: Masks, word1: Words, rc_word1: Words, word2: Words, rc_word2: Words, halves1: Words, halves2: Words
) -> None:
    """Mix a pair of scrambled words into the state."""
    for i in range(strands.size):
        a, b = word1[i], rc_word1[i]
        x = halves1[i] ^ (a if strands[i] < 0 else b)
        a, b = word2[i], rc_word2[i]
        y = halves2[i] ^ (a if strands[i] < 0 else b)
        x = (rotate(x, 27) + halves2[i]) * FIVE + N1
        halves1[i] = x
        halves2[i] = (rotate(y, 31) + x) * FIVE + N2


@jit_helper
def mix_word(strands: Masks, word: Words, rc_word: Words, halves: Words) -> None:
    """Mix in a last scrambled word."""
    for i in range(strands.size):
        a, b = word[i], rc_word[i]
        halves[i] ^= a if strands[i] < 0 else b


@jit_helper
def mix_part(
    strands: Masks, word: Words, rc_word: Words, foreign: np.uint64, c1: np.uint64, bits: int, c2: np.uint64,
    halves: Words,
) -> None:  # fmt: skip
    """Mix in the last letters: `word` without its lowest `foreign` bits, not scrambled yet."""
    for i in range(strands.size):
        a, b = word[i], rc_word[i]
        halves[i] ^= scrambled((a if strands[i] < 0 else b) >> foreign, c1, bits, c2)


@jit_helper
def finish(k: np.uint64, halves1: Words, halves2: Words) -> None:
    """Mix in the length, and all bits of each half, but for the last step of that; see keep_small."""
    for i in range(halves1.size):
        x, y = halves1[i] ^ k, halves2[i] ^ k
        x += y
        y += x
        halves1[i] = half_mixed(x)
        halves2[i] = half_mixed(y)


@jit_helper
def scrambled(word: np.uint64, c1: np.uint64, bits: int, c2: np.uint64) -> np.uint64:
    """A word of input, as MurmurHash3 has it before it is mixed into the first half (C1, 31, C2) or the second."""
    return rotate(word * c1, bits) * c2


@jit_helper
def rotate(x: np.uint64, bits: int) -> np.uint64:
    """rotl64 of MurmurHash3.cpp."""
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@jit_helper
def half_mixed(x: np.uint64) -> np.uint64:
    """fmix64 of MurmurHash3.cpp, up to the last multiplication."""
    x ^= x >> np.uint64(33)
    x *= M1
    return x ^ (x >> np.uint64(33))


@jit_helper
def all_mixed(x: np.uint64) -> np.uint64:
    """The rest of fmix64: then every bit depends on every bit."""
    x *= M2
    return x ^ (x >> np.uint64(33))


# What is kept --------------------------------------------------------------------------------------------------------


@jit_helper
def keep_small(
    halves1: Words, halves2: Words, max_hash: np.uint64, letters: Letters, k: int, kept: Words, n_kept: int
) -> int:
    """Append to `kept` the hashes that are to be kept; the k-mer of halves1[i], halves2[i] begins at letters[i].

    Returns how many there are then.  A hash is all_mixed(x) + all_mixed(y).  The shift in all_mixed changes the lower
    31 bits alone, so that (x + y) * M2 is less than CARRY away from it: one multiplication says of most hashes that
    they are not small.  Of a GROUP, the smallest is found without a branch, and seldom is it small.
    """
    # SIMD code can compare numbers that have a sign; half of all is taken away to make them such.
    limit = LARGEST_SIGNED
    if max_hash < SIGN - CARRY - CARRY:
        limit = np.int64(max_hash + CARRY + CARRY - SIGN)
    for start in range(0, halves1.size, GROUP):
        stop = min(start + GROUP, halves1.size)
        smallest = LARGEST_SIGNED
        for i in range(start, stop):
            smallest = min(smallest, np.int64((halves1[i] + halves2[i]) * M2 + CARRY - SIGN))
        if smallest <= limit:
            for i in range(start, stop):
                hash_ = all_mixed(halves1[i]) + all_mixed(halves2[i])
                if np.uint64(0) != hash_ <= max_hash and is_dna(letters[i : i + k]):
                    kept[n_kept] = hash_
                    n_kept += 1
    return n_kept


@jit_helper
def is_dna(letters: Letters) -> bool:
    """Whether all are A, C, G or T."""
    for c in letters:  # noqa: SIM110, numba has no all()
        if c != A and c != C and c != G and c != T:  # noqa: PLR1714, nor sets
            return False
    return True
