"""Hashes DNA text: FracMinHash of canonical k-mers, for many windows at a time, with the same hashes as sourmash.

For each window of k letters of the text:

1. Lower case is converted to upper case.  A window with any byte but A, C, G and T is skipped.
2. The canonical k-mer is the smaller, as ASCII text, of the k-mer and its reverse complement.
3. Its hash is the first half of MurmurHash3 x64_128 of the k letters.
4. The hash is kept if it is at most `max_hash` and not 0.  (In sourmash, a hash of 0 marks a skipped window.)

Sources: in sourmash's src/core/src, signature.rs (SeqToHashes), sketch/minhash.rs (add_hash), encodings.rs (revcomp),
lib.rs (_hash_murmur); MurmurHash3.cpp by Austin Appleby, public domain.  Tests compare with the installed sourmash.

Why it is fast.  Each step of the hash is done for all windows of a block before the next step.  So every loop runs over
adjacent elements of a few arrays, and the compiler makes SIMD code of it; k is an ordinary variable.  Three
observations keep the steps few:

* MurmurHash3 reads words of 8 letters, and scrambles each word before it mixes it into its state.  A scrambled word
  depends only on its position in the text, not on k or on the window, so a table of them is computed once for all.
* If a k-mer and its reverse complement differ, they differ in their first half.  A 32-bit key holds 16 letters, with 2
  bits each, so that up to k=32 one comparison of keys finds the smaller strand.
* Few hashes are kept.  The last step of the hash, and rule 1, are done for these only (keep_small).

The tables of a block fit into the L2 cache.  Constants are np.uint64, because numba converts the result of a uint64 and
an int to a float.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.sketching.jit import jit, jit_helper

Letters = NDArray[np.uint8]
Words = NDArray[np.uint64]
AnyWords = NDArray[Any]  # unsigned integers of 1, 2, 4 or 8 bytes
Keys = NDArray[np.uint32]
Ints = NDArray[np.int64]
Word = np.uint64

WORD = 8  # letters in a word of MurmurHash3
KEY = 16  # letters in a key, with which the strands are compared
MARGIN = 16  # letters on either side of the windows: a word or a key can be longer than the k-mer
BLOCK = 4096  # windows that are hashed together
GROUP = 64  # hashes that keep_small checks together
MAX_INT64, SIGN, CARRY = np.int64(2**63 - 1), np.uint64(2**63), np.uint64(2**32)
FORWARD, BACKWARD = np.int64(-1), np.int64(0)  # masks of the strand: SIMD code can select by the sign of an int64
C1, C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
M1, M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
FIVE, N1, N2 = np.uint64(5), np.uint64(0x52DCE729), np.uint64(0x38495AB5)
A, C, G, T, N, LOWER_A, LOWER_Z, TO_UPPER = np.frombuffer(b"ACGTNaz\xdf", np.uint8)
# Rows of the tables of a block.  Entry i describes the letters from i on, or (RC) their reverse complement.
WORDS, RC_WORDS = 0, 1  # 8 letters, the first one in the lowest byte
SCRAMBLED_1, SCRAMBLED_2, RC_SCRAMBLED_1, RC_SCRAMBLED_2 = 2, 3, 4, 5  # words scrambled for each half of the state
ROWS = 6
KEYS, RC_KEYS = 0, 1  # in the table of keys: 16 letters, the first one in the highest bits; A=0 C=1 G=2 T=3


@jit
def hash_blocks(
    text: Letters, start: int, ksizes: Ints, seed: Word, max_hash: Word, longest: int, kept: Words, n_kept: Ints
) -> int:
    """Hash the windows from `start` on, block by block, until the end or until `kept` may be too small for a block.

    `longest` is the largest of `ksizes`.  `n_kept` must be all 0.  At the end, kept[j, : n_kept[j]] are the hashes for
    ksizes[j].  Returns the next window.
    """
    # The letters of a block with MARGIN on either side, and arrays that are computed from them.
    room = MARGIN + BLOCK + longest + MARGIN
    letters = np.empty(room, np.uint8)
    table, keys = np.empty((ROWS, room), np.uint64), np.empty((2, room), np.uint32)
    bytes1, bytes2 = np.empty(room, np.uint8), np.empty(room, np.uint8)
    halves, quads = np.empty(room, np.uint16), np.empty(room, np.uint32)
    strands = np.empty(BLOCK, np.int64)
    halves1, halves2 = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    most = 0  # the maximum of n_kept; max() of an array would take a second to compile
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
    """Set letters[i] to text[start + i] in upper case, or to N outside the text."""
    before = max(0, -start)
    after = max(before, min(letters.size, text.size - start))
    letters[:before] = N
    letters[after:] = N
    source, target = text[start + before : start + after], letters[before:after]
    for i in range(target.size):
        c = source[i]
        target[i] = c & TO_UPPER if LOWER_A <= c <= LOWER_Z else c


@jit_helper
def tabulate(
    letters: Letters,
    table: Words,
    keys: Keys,
    bytes1: Letters,
    bytes2: Letters,
    halves: NDArray[np.uint16],
    quads: Keys,
) -> None:
    """Fill both tables for each position in `letters`; the other arrays are for intermediate results.

    Joining neighbours builds a word in three steps, of 2, 4 and 8 letters, instead of eight.  Entries that would need
    letters after the last one are invalid.
    """
    words, rc_words = table[WORDS], table[RC_WORDS]
    join(letters, letters[1:], 8, halves)
    join(halves, halves[2:], 16, quads)
    join(quads, quads[4:], 32, words)

    complement(letters, bytes1)
    join(bytes1[1:], bytes1, 8, halves)
    join(halves[2:], halves, 16, quads)
    join(quads[4:], quads, 32, rc_words)

    scramble_all(words, table[SCRAMBLED_1], table[SCRAMBLED_2])
    scramble_all(rc_words, table[RC_SCRAMBLED_1], table[RC_SCRAMBLED_2])

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
    """Set out[i] to low[i], of `bits` bits, with high[i] above it."""
    for i in range(min(low.size, high.size)):
        out[i] = np.uint64(low[i]) | (np.uint64(high[i]) << np.uint64(bits))


@jit_helper
def complement(letters: Letters, out: Letters) -> None:
    """Complement each letter.  The result for a byte other than A, C, G and T is arbitrary."""
    for i in range(letters.size):
        # A=0x41 and T=0x54 differ in the bits of 21; C=0x43 and G=0x47 in those of 4, and only they have bit 1 set.
        out[i] = letters[i] ^ (np.uint8(4) if letters[i] & np.uint8(2) else np.uint8(21))


@jit_helper
def two_bits(letters: Letters, flip: int, out: Letters) -> None:
    """Encode A, C, G, T as 0, 1, 2, 3 if `flip` is 0, and as 3, 2, 1, 0 (their complements) if it is 3."""
    for i in range(letters.size):
        # Bits 1 and 2 of A, C, G, T are 0, 1, 3, 2: the Gray code of 0, 1, 2, 3.
        c = (letters[i] >> np.uint8(1)) & np.uint8(3)
        out[i] = c ^ (c >> np.uint8(1)) ^ np.uint8(flip)


@jit_helper
def scramble_all(words: Words, out1: Words, out2: Words) -> None:
    """Scramble each word for the first and for the second half of the state."""
    for i in range(words.size):
        out1[i] = scramble(words[i], C1, 31, C2)
        out2[i] = scramble(words[i], C2, 33, C1)


@jit_helper
def hash_windows(table: Words, keys: Keys, k: int, seed: Word, strands: Ints, halves1: Words, halves2: Words) -> None:
    """Hash the canonical k-mers of the windows that start at MARGIN + i in the tables, except for the last step.

    MurmurHash3_x64_128 mixes pairs of words into the two halves of its state, then the last k % 16 letters (the second
    word of that pair first), then k.  Then fmix64 mixes the bits of each half; keep_small does the end of that.
    The words of the k-mer are read forwards from its start, those of its reverse complement backwards from its end.
    """
    words, rc_words = table[WORDS], table[RC_WORDS]
    scrambled_1, scrambled_2 = table[SCRAMBLED_1], table[SCRAMBLED_2]
    rc_scrambled_1, rc_scrambled_2 = table[RC_SCRAMBLED_1], table[RC_SCRAMBLED_2]
    at, end = MARGIN, MARGIN + k
    last = (k - 1) // (2 * KEY)  # the last key of the first half of the k-mer; earlier keys count more
    compare_strands(keys[KEYS][at + KEY * last :], keys[RC_KEYS][end - KEY - KEY * last :], strands)
    for i in range(last - 1, -1, -1):
        compare_earlier(keys[KEYS][at + KEY * i :], keys[RC_KEYS][end - KEY - KEY * i :], strands)

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
    # An incomplete word is the last 8 letters without the lowest ones, which are not in it.
    surplus = np.uint64(8 * (WORD - rest % WORD))
    if rest > WORD:
        mix_part(strands, words[end - WORD :], rc_words[at:], surplus, C2, 33, C1, halves2)
    if rest >= WORD:
        mix_word(strands, scrambled_1[end - rest :], rc_scrambled_1[at + rest - WORD :], halves1)
    elif rest > 0:
        mix_part(strands, words[end - WORD :], rc_words[at:], surplus, C1, 31, C2, halves1)
    mix_length(np.uint64(k), halves1, halves2)


@jit_helper
def compare_strands(keys: Keys, rc_keys: Keys, strands: Ints) -> None:
    """Choose the smaller strand of each window, by 16 letters.  If they are equal, either is right."""
    for i in range(strands.size):
        strands[i] = FORWARD if keys[i] <= rc_keys[i] else BACKWARD


@jit_helper
def compare_earlier(keys: Keys, rc_keys: Keys, strands: Ints) -> None:
    """Compare the 16 letters before those that were compared already."""
    for i in range(strands.size):
        a, b = keys[i], rc_keys[i]
        strands[i] = FORWARD if a < b else (strands[i] if a == b else BACKWARD)


# The next four functions load the values of both strands and then select one.  Selecting an index first would save a
# load, but SIMD code is slow at loading from scattered addresses.
@jit_helper
def mix_first_pair(
    strands: Ints, word1: Words, rc1: Words, word2: Words, rc2: Words, seed: Word, halves1: Words, halves2: Words
) -> None:
    """Mix the first pair of scrambled words into the initial state, which is the seed."""
    for i in range(strands.size):
        a, b = word1[i], rc1[i]
        x = seed ^ (a if strands[i] < 0 else b)
        a, b = word2[i], rc2[i]
        y = seed ^ (a if strands[i] < 0 else b)
        x = (rotate(x, 27) + seed) * FIVE + N1
        halves1[i] = x
        halves2[i] = (rotate(y, 31) + x) * FIVE + N2


@jit_helper
def mix_pair(strands: Ints, word1: Words, rc1: Words, word2: Words, rc2: Words, halves1: Words, halves2: Words) -> None:
    """Mix another pair of scrambled words into the state."""
    for i in range(strands.size):
        a, b = word1[i], rc1[i]
        x = halves1[i] ^ (a if strands[i] < 0 else b)
        a, b = word2[i], rc2[i]
        y = halves2[i] ^ (a if strands[i] < 0 else b)
        x = (rotate(x, 27) + halves2[i]) * FIVE + N1
        halves1[i] = x
        halves2[i] = (rotate(y, 31) + x) * FIVE + N2


@jit_helper
def mix_word(strands: Ints, word: Words, rc: Words, halves: Words) -> None:
    """Mix a last scrambled word into one half of the state."""
    for i in range(strands.size):
        a, b = word[i], rc[i]
        halves[i] ^= a if strands[i] < 0 else b


@jit_helper
def mix_part(
    strands: Ints, word: Words, rc: Words, surplus: Word, c1: Word, bits: int, c2: Word, halves: Words
) -> None:
    """Mix the last letters into one half of the state: `word`, not yet scrambled, without its lowest `surplus` bits."""
    for i in range(strands.size):
        a, b = word[i], rc[i]
        halves[i] ^= scramble((a if strands[i] < 0 else b) >> surplus, c1, bits, c2)


@jit_helper
def mix_length(k: Word, halves1: Words, halves2: Words) -> None:
    """Mix in the length, and start fmix64 of each half."""
    for i in range(halves1.size):
        x, y = halves1[i] ^ k, halves2[i] ^ k
        x += y
        y += x
        halves1[i] = start_fmix64(x)
        halves2[i] = start_fmix64(y)


@jit_helper
def scramble(word: Word, c1: Word, bits: int, c2: Word) -> Word:
    """Scramble a word for the first half of the state (C1, 31, C2) or for the second (C2, 33, C1)."""
    return rotate(word * c1, bits) * c2


@jit_helper
def rotate(x: Word, bits: int) -> Word:
    """Rotate left: rotl64 of MurmurHash3.cpp."""
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@jit_helper
def start_fmix64(x: Word) -> Word:
    """Apply fmix64 of MurmurHash3.cpp up to its last multiplication."""
    x ^= x >> np.uint64(33)
    x *= M1
    return x ^ (x >> np.uint64(33))


@jit_helper
def end_fmix64(x: Word) -> Word:
    """Apply the rest of fmix64, after which every bit depends on every bit."""
    x *= M2
    return x ^ (x >> np.uint64(33))


@jit_helper
def keep_small(halves1: Words, halves2: Words, max_hash: Word, letters: Letters, k: int, kept: Words, n: int) -> int:
    """Append the hashes that are kept to kept[:n].  The k-mer of halves1[i] and halves2[i] starts at letters[i].

    Returns the new n.  A hash is end_fmix64(x) + end_fmix64(y).  The shift in end_fmix64 changes only the lower 31
    bits, so that (x + y) * M2 differs from the hash by less than CARRY: one multiplication rules out most hashes.  The
    loop over a GROUP finds its smallest hash without a branch, and that is seldom small enough.
    """
    # SIMD code compares signed numbers, so SIGN is subtracted from both sides.
    limit = np.int64(max_hash + CARRY + CARRY - SIGN) if max_hash < SIGN - CARRY - CARRY else MAX_INT64
    for start in range(0, halves1.size, GROUP):
        stop = min(start + GROUP, halves1.size)
        smallest = MAX_INT64
        for i in range(start, stop):
            smallest = min(smallest, np.int64((halves1[i] + halves2[i]) * M2 + CARRY - SIGN))
        if smallest <= limit:
            for i in range(start, stop):
                hash_ = end_fmix64(halves1[i]) + end_fmix64(halves2[i])
                if np.uint64(0) != hash_ <= max_hash and is_dna(letters[i : i + k]):
                    kept[n] = hash_
                    n += 1
    return n


@jit_helper
def is_dna(letters: Letters) -> bool:
    """Return whether all letters are A, C, G or T."""
    for c in letters:  # noqa: SIM110, numba has no all()
        if c != A and c != C and c != G and c != T:  # noqa: PLR1714, nor sets
            return False
    return True
