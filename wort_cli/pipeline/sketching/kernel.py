"""Hashes DNA text: FracMinHash of canonical k-mers, for many windows at a time, with the same hashes as sourmash.

For each window of k letters of the text:

1. Lower case is converted to upper case.  A window with any byte but A, C, G and T is skipped.
2. The canonical k-mer is the smaller, as ASCII text, of the k-mer and its reverse complement.
3. Its hash is the first half of MurmurHash3 x64_128 of the k letters.
4. The hash is kept if it is at most `max_hash` and not 0.  (In sourmash, a hash of 0 marks a skipped window.)

Sources: in sourmash's src/core/src, signature.rs (SeqToHashes), sketch/minhash.rs (add_hash), encodings.rs (revcomp),
lib.rs (_hash_murmur); MurmurHash3.cpp by Austin Appleby, public domain.  Tests compare with the installed sourmash.

Why it is fast.  SIMD code (lanes.py) does each step of the hash for several neighbouring windows at once; k is an
ordinary variable.

* Only windows that rule 1 keeps are hashed: the text is cut into stretches of A, C, G and T.
* MurmurHash3 reads words of 8 letters, and scrambles each word before it mixes it into its state.  A scrambled word
  depends only on its position in the text, not on k or on the window, so a table of them is computed once for all.
* If a k-mer and its reverse complement differ, they differ in their first half.  A key holds 16 letters, with 2 bits
  each, so that up to k=32 one comparison of keys finds the smaller strand.
* Few hashes are kept.  32 bits of a hash are enough to rule out most; the rest is computed for the others only.
* Each step is a loop over a stretch, which stores what the next one needs.  One loop with all steps is slower: each
  step waits for the one before, and the processor can't look ahead far enough to find other work.

The tables of a read fit into the L1 cache.  Constants are np.uint64, because numba converts the result of a uint64 and
an int to a float.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit, jit_helper
from wort_cli.pipeline.sketching.lanes import (
    LETTERS,
    WORDS,
    Lanes,
    any_at_most,
    first_bit,
    high_products,
    load,
    mask_bits,
    select,
    splat,
    store,
    word_loader,
)  # fmt: skip

Letters = NDArray[np.uint8]
Words = NDArray[np.uint64]
Ints = NDArray[np.int64]
Word = np.uint64
WordOrLanes = Any

WORD = 8  # letters in a word of MurmurHash3
KEY = 16  # letters in a key, with which the strands are compared
MARGIN = 64  # entries of a table before the first letter of a stretch, and after the last: the loops access them
BLOCK = 1024  # windows that are hashed together, at most
UPPER = np.uint8(0xDF)  # converts a lower-case letter to upper case, and no other byte to A, C, G or T
A, C, G, T = np.frombuffer(b"ACGT", np.uint8)
ALL_LETTERS = np.uint64(2**LETTERS - 1)
C1, C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
M1, M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
N1, N2 = np.uint64(0x52DCE729), np.uint64(0x38495AB5)
# Rows of the tables of a stretch.  Entry MARGIN + i describes the letters from i on, or (RC) their reverse complement.
UPPER_CASE, COMPLEMENT = 0, 1  # one letter
TWO_BITS, RC_TWO_BITS = 2, 3  # one letter: A=0 C=1 G=2 T=3
QUADS, RC_QUADS = 4, 5  # 4 letters of 2 bits, the first one in the highest bits
LETTER_ROWS = 6
PLAIN, RC_PLAIN = 0, 1  # 8 letters, the first one in the lowest byte
SCRAMBLED_1, SCRAMBLED_2, RC_SCRAMBLED_1, RC_SCRAMBLED_2 = 2, 3, 4, 5  # words scrambled for each half of the state
STRANDS, HALVES_1, HALVES_2 = 6, 7, 8  # of each window: all bits set if it is read forwards; the state of its hash
WORD_ROWS, ROW = 9, MARGIN + BLOCK + MARGIN

load_word, load_rc_word = word_loader(range(WORD)), word_loader(range(WORD)[::-1])
load_key, load_rc_key = word_loader((12, 8, 4, 0)), word_loader((0, 4, 8, 12))  # of quads


@jit
def hash_blocks(
    text: Letters, start: int, ksizes: Ints, seed: Word, max_hash: Word, kept: Words, n_kept: Ints,
    letters: Letters, words: Words,
) -> int:  # fmt: skip
    """Hash the windows from `start` on, until the end or until `kept` may be too small for a block.

    `n_kept` must be all 0.  At the end, kept[j, : n_kept[j]] are the hashes for ksizes[j].  Returns the next window.
    `letters` and `words` are for intermediate results: LETTER_ROWS and WORD_ROWS rows of ROW plus the largest k.
    """
    shortest = longest = ksizes[0]  # min() and max() of an array would take a second to compile
    for k in ksizes:
        shortest, longest = min(shortest, k), max(longest, k)
    strands, halves1, halves2 = words[STRANDS], words[HALVES_1], words[HALVES_2]
    most = 0  # the maximum of n_kept
    while start < text.size and most + BLOCK <= kept.shape[1]:
        start = find(text, start, text.size, True)
        limit = min(text.size, start + BLOCK + longest - 1)
        stop = find(text, start, limit, False)
        if stop - start >= shortest:
            tabulate_letters(text, start, stop - start, letters)
            tabulate_words(letters, stop - start, shortest, words)
            for j in range(ksizes.size):
                k = ksizes[j]
                n = min(BLOCK, stop - start - k + 1)
                if n > 0:
                    hash_windows(letters, words, k, n, seed, strands, halves1, halves2)
                    n_kept[j] = keep_small(halves1, halves2, n, np.uint64(k), max_hash, kept[j], n_kept[j])
                    most = max(most, n_kept[j])
        start = min(start + BLOCK, stop)  # a stretch that is longer than a block continues with the next one
    return start


@jit_helper
def find(text: Letters, start: int, stop: int, wanted: bool) -> int:
    """Return the first position from `start` on whose letter is A, C, G or T, or is not; `stop` if there is none."""
    opposite = np.uint64(0) if wanted else ALL_LETTERS
    while start + LETTERS <= stop:
        c = load(text, start) & UPPER
        found = mask_bits((c == A) | (c == C) | (c == G) | (c == T)) ^ opposite
        if found != np.uint64(0):
            return int(start + first_bit(found))
        start += LETTERS
    while start < stop:
        letter = text[start] & UPPER
        if (letter in (A, C, G, T)) == wanted:
            break
        start += 1
    return start


@jit_helper
def tabulate_letters(text: Letters, start: int, n: int, letters: Letters) -> None:
    """Fill the table of letters for text[start : start + n]."""
    upper_case, complement = letters[UPPER_CASE], letters[COMPLEMENT]
    two_bits, rc_two_bits, quads, rc_quads = letters[TWO_BITS], letters[RC_TWO_BITS], letters[QUADS], letters[RC_QUADS]
    i = 0
    while i < n and start + i + LETTERS <= text.size:
        store(upper_case, MARGIN + i, load(text, start + i) & UPPER)
        i += LETTERS
    for j in range(i, n):
        upper_case[MARGIN + j] = text[start + j] & UPPER
    for i in range(MARGIN - LETTERS, MARGIN + n + LETTERS, LETTERS):
        c = load(upper_case, i)
        # A=0x41 and T=0x54 differ in the bits of 21; C=0x43 and G=0x47 in those of 4, and only they have bit 1 set.
        store(complement, i, select(c << np.uint8(6), c ^ np.uint8(4), c ^ np.uint8(21)))
        # Bits 1 and 2 of A, C, G, T are 0, 1, 3, 2: the Gray code of 0, 1, 2, 3.
        c = (c >> np.uint8(1)) & np.uint8(3)
        c = c ^ (c >> np.uint8(1))
        store(two_bits, i, c)
        store(rc_two_bits, i, c ^ np.uint8(3))
    for i in range(MARGIN - LETTERS, MARGIN + n, LETTERS):
        first, second = join_pair(two_bits, i, i + 1), join_pair(two_bits, i + 2, i + 3)
        store(quads, i, (first << np.uint8(4)) | second)
        first, second = join_pair(rc_two_bits, i + 3, i + 2), join_pair(rc_two_bits, i + 1, i)
        store(rc_quads, i, (first << np.uint8(4)) | second)


@jit_helper
def join_pair(two_bits: Letters, first: int, second: int) -> Lanes:
    """Join two letters to 4 bits, for LETTERS positions."""
    return (load(two_bits, first) << np.uint8(2)) | load(two_bits, second)


@jit_helper
def tabulate_words(letters: Letters, n: int, shortest: int, words: Words) -> None:
    """Fill the table of words for a stretch of n letters."""
    upper_case, complement = letters[UPPER_CASE], letters[COMPLEMENT]
    surplus = max(0, WORD - shortest)  # letters of a word that are outside the stretch, if a k-mer is shorter than it
    for i in range(MARGIN - surplus, MARGIN + n - WORD + 1 + surplus, WORDS):
        word = load_word(upper_case, i)
        store(words[PLAIN], i, word)
        store(words[SCRAMBLED_1], i, scramble(word, C1, 31, C2))
        store(words[SCRAMBLED_2], i, scramble(word, C2, 33, C1))
        word = load_rc_word(complement, i)
        store(words[RC_PLAIN], i, word)
        store(words[RC_SCRAMBLED_1], i, scramble(word, C1, 31, C2))
        store(words[RC_SCRAMBLED_2], i, scramble(word, C2, 33, C1))


@jit_helper
def hash_windows(
    letters: Letters, words: Words, k: int, n: int, seed: Word, strands: Words, halves1: Words, halves2: Words
) -> None:
    """Hash the canonical k-mers of the first n windows of a stretch, up to the last letter.

    MurmurHash3_x64_128 mixes pairs of words into the two halves of its state, then the last k % 16 letters (the second
    word of that pair first).  The words of the k-mer are read forwards from its start, those of its reverse complement
    backwards from its end.
    """
    plain, rc_plain = words[PLAIN], words[RC_PLAIN]
    scrambled_1, scrambled_2 = words[SCRAMBLED_1], words[SCRAMBLED_2]
    rc_scrambled_1, rc_scrambled_2 = words[RC_SCRAMBLED_1], words[RC_SCRAMBLED_2]
    at, end = MARGIN, MARGIN + k
    last = (k - 1) // (2 * KEY)  # the last key of the first half of the k-mer; earlier keys count more
    compare_strands(letters[QUADS][at + KEY * last :], letters[RC_QUADS][end - KEY - KEY * last :], n, strands)
    for i in range(last - 1, -1, -1):
        compare_earlier(letters[QUADS][at + KEY * i :], letters[RC_QUADS][end - KEY - KEY * i :], n, strands)

    if k < 2 * WORD:
        halves1[:n] = seed
        halves2[:n] = seed
    for i in range(0, k - 15, 16):
        this, that = at + i, end - WORD - i
        word1, rc_word1 = scrambled_1[this:], rc_scrambled_1[that:]
        word2, rc_word2 = scrambled_2[this + WORD :], rc_scrambled_2[that - WORD :]
        if i == 0:
            mix_first_pair(strands, word1, rc_word1, word2, rc_word2, n, seed, halves1, halves2)
        else:
            mix_pair(strands, word1, rc_word1, word2, rc_word2, n, halves1, halves2)

    rest = k % 16
    # An incomplete word is the last 8 letters without the lowest ones, which are not in it.
    surplus = np.uint64(8 * (WORD - rest % WORD))
    if rest > WORD:
        mix_part(strands, plain[end - WORD :], rc_plain[at:], n, surplus, C2, 33, C1, halves2)
    if rest >= WORD:
        mix_word(strands, scrambled_1[end - rest :], rc_scrambled_1[at + rest - WORD :], n, halves1)
    elif rest > 0:
        mix_part(strands, plain[end - WORD :], rc_plain[at:], n, surplus, C1, 31, C2, halves1)


@jit_helper
def compare_strands(quads: Letters, rc_quads: Letters, n: int, strands: Words) -> None:
    """Choose the smaller strand of each window, by 16 letters: all bits set mean forwards.

    If the letters are equal, either strand is right.
    """
    for i in range(0, n, WORDS):
        store(strands, i, load_rc_key(rc_quads, i) > load_key(quads, i))


@jit_helper
def compare_earlier(quads: Letters, rc_quads: Letters, n: int, strands: Words) -> None:
    """Compare the 16 letters before those that were compared already."""
    for i in range(0, n, WORDS):
        key, rc_key = load_key(quads, i), load_rc_key(rc_quads, i)
        store(strands, i, (rc_key > key) | ((rc_key == key) & load(strands, i)))


# The next four functions load the values of both strands and then select one.  Selecting an index first would save a
# load, but SIMD code is slow at loading from scattered addresses.
@jit_helper
def mix_first_pair(
    strands: Words,
    word1: Words,
    rc1: Words,
    word2: Words,
    rc2: Words,
    n: int,
    seed: Word,
    halves1: Words,
    halves2: Words,
) -> None:
    """Mix the first pair of scrambled words into the initial state, which is the seed."""
    for i in range(0, n, WORDS):
        forward = load(strands, i)
        x = splat(seed) ^ select(forward, load(word1, i), load(rc1, i))
        y = splat(seed) ^ select(forward, load(word2, i), load(rc2, i))
        x = times_5(rotate(x, 27) + seed) + N1
        store(halves1, i, x)
        store(halves2, i, times_5(rotate(y, 31) + x) + N2)


@jit_helper
def mix_pair(
    strands: Words, word1: Words, rc1: Words, word2: Words, rc2: Words, n: int, halves1: Words, halves2: Words
) -> None:
    """Mix another pair of scrambled words into the state."""
    for i in range(0, n, WORDS):
        forward, x, y = load(strands, i), load(halves1, i), load(halves2, i)
        x = x ^ select(forward, load(word1, i), load(rc1, i))
        x = times_5(rotate(x, 27) + y) + N1
        y = y ^ select(forward, load(word2, i), load(rc2, i))
        store(halves1, i, x)
        store(halves2, i, times_5(rotate(y, 31) + x) + N2)


@jit_helper
def mix_word(strands: Words, word: Words, rc: Words, n: int, halves: Words) -> None:
    """Mix a last scrambled word into one half of the state."""
    for i in range(0, n, WORDS):
        store(halves, i, load(halves, i) ^ select(load(strands, i), load(word, i), load(rc, i)))


@jit_helper
def mix_part(
    strands: Words, word: Words, rc: Words, n: int, surplus: Word, c1: Word, bits: int, c2: Word, halves: Words
) -> None:
    """Mix the last letters into one half of the state: `word`, not yet scrambled, without its lowest `surplus` bits."""
    for i in range(0, n, WORDS):
        part = select(load(strands, i), load(word, i), load(rc, i)) >> surplus
        store(halves, i, load(halves, i) ^ scramble(part, c1, bits, c2))


@jit_helper
def keep_small(halves1: Words, halves2: Words, n: int, k: Word, max_hash: Word, kept: Words, n_kept: int) -> int:
    """Mix in the length, finish the hashes of n windows, and append those that are kept to kept[:n_kept].

    Returns the new n_kept.  After the length, fmix64 mixes the bits of each half, and the hash is the sum of both.  Its
    last shift changes only the lower 31 bits, so that the upper 32 bits of (x + y) * M2 differ from those of the hash
    by at most 1: they rule out most hashes.
    """
    limit = np.uint32(min(max_hash >> np.uint64(32), np.uint64(2**32 - 3)) + np.uint64(2))
    for start in range(0, n, WORDS):
        x = load(halves1, start) ^ k
        y = load(halves2, start) ^ k
        x = x + y
        y = y + x
        x, y = start_fmix64(x), start_fmix64(y)
        if any_at_most(high_products(x + y, M2) + np.uint32(1), limit):
            store(halves1, start, x)
            store(halves2, start, y)
            for i in range(start, min(start + WORDS, n)):
                hash_ = end_fmix64(halves1[i]) + end_fmix64(halves2[i])
                if np.uint64(0) != hash_ <= max_hash:
                    kept[n_kept] = hash_
                    n_kept += 1
    return n_kept


@jit_helper
def scramble(word: Lanes, c1: Word, bits: int, c2: Word) -> Lanes:
    """Scramble words for the first half of the state (C1, 31, C2) or for the second (C2, 33, C1)."""
    return rotate(word * c1, bits) * c2


@jit_helper
def rotate(x: Lanes, bits: int) -> Lanes:
    """Rotate left: rotl64 of MurmurHash3.cpp."""
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@jit_helper
def times_5(x: Lanes) -> Lanes:
    """Multiply by 5, without a multiplication."""
    return (x << np.uint64(2)) + x


@jit_helper
def start_fmix64(x: Lanes) -> Lanes:
    """Apply fmix64 of MurmurHash3.cpp up to its last multiplication."""
    x = (x ^ (x >> np.uint64(33))) * M1
    return x ^ (x >> np.uint64(33))


@jit_helper
def end_fmix64(x: Word) -> Word:
    """Apply the rest of fmix64, after which every bit depends on every bit."""
    x *= M2
    return x ^ (x >> np.uint64(33))
