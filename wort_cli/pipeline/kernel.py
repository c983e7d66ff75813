"""Hashes DNA text as sourmash does: FracMinHash of canonical k-mers, many windows at a time.

What is computed, for each window of k letters of the text:

1. lower case is made upper case, and a window with any byte but A, C, G and T is passed over;
2. the canonical k-mer is the smaller, as ASCII text, of the k-mer and its reverse complement;
3. its hash is the first half of MurmurHash3 x64_128 of the k letters;
4. it is kept if it is at most `max_hash` and not 0, by which sourmash marks windows that it passes over.

Sources: sourmash src/core/src/signature.rs (SeqToHashes), src/core/src/sketch/minhash.rs (add_hash), src/core/src/
encodings.rs (revcomp) and src/core/src/lib.rs (_hash_murmur); MurmurHash3.cpp by Austin Appleby, public domain.  The
tests compare with the installed sourmash.

How it is made fast.  All windows of a block of text go through one step of the hash before the next step begins, so
that every loop runs over neighbours in a few arrays and the compiler makes SIMD code of it; k is an ordinary number.
Three observations keep the steps few:

* MurmurHash3 takes its input in words of 8 letters, and scrambles a word before it mixes it in.  The scrambled word
  depends on its place in the text only, neither on k nor on the window, so it is tabulated once for all.
* If a k-mer and its reverse complement differ, they differ within their first half (the second half says the same once
  more).  With 2 bits a letter a 64-bit key holds 32 letters, so that up to k=64 one comparison of keys finds the
  smaller.
* Few hashes are kept, so that rule 1 is looked at last, for these alone.

The tables of a block take 300 KB, to stay in a processor's L2 cache.  Constants are np.uint64 throughout, for numba
makes a float of a uint64 and an int.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wort_cli.pipeline.compiled import compiled

Letters = NDArray[np.uint8]
Words = NDArray[np.uint64]
AnyWords = NDArray[Any]  # unsigned integers of 1, 2, 4 or 8 bytes
Flags = NDArray[np.bool_]

WORD = 8
"""Letters in a word of MurmurHash3."""
KEY = 32
"""Letters in a key, by which strands are compared."""
MARGIN = 32
"""Letters on either side of the windows that tables are made of too: a word or key may stick out of a short k-mer."""
BLOCK = 4096
"""Windows that are hashed together."""
GROUP = 32
"""Hashes that are looked at together for one that is kept."""
ROOM = 1 << 15
"""Hashes, for each k, that are kept before they are handed on; at least BLOCK."""

LARGEST = np.uint64(2**64 - 1)
C1, C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
M1, M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
FIVE, N1, N2 = np.uint64(5), np.uint64(0x52DCE729), np.uint64(0x38495AB5)
A, C, G, T, N, LOWER_A, LOWER_Z, TO_UPPER = np.frombuffer(b"ACGTNaz\xdf", np.uint8)

# The rows of the table of a block.  Entry i of each is about the letters from i on, and of the complementary strand
# about the reverse complement of the same letters.
WORDS, RC_WORDS = 0, 1  # the next 8 letters, the first one lowest
SCRAMBLED_1, SCRAMBLED_2, RC_SCRAMBLED_1, RC_SCRAMBLED_2 = 2, 3, 4, 5  # these, scrambled for either half of the hash
KEYS, RC_KEYS = 6, 7  # the next 32 letters, the first one highest, A=0 C=1 G=2 T=3: they compare as the text does
ROWS = 8


def hash_text(
    text: bytes | Letters, ksizes: Sequence[int] | NDArray[np.int64], seed: int, max_hash: int, seen: int = 0
) -> list[Words]:
    """For each of `ksizes`, in their order: the hashes of `text` that are kept, in the order of the text, with repeats.

    K-mers with any byte but A, C, G and T, in upper or lower case, are passed over.  Any k from 1 on will do.  Windows
    that lie in the first `seen` letters are passed over as well, so that a long sequence can be hashed in pieces: begin
    each with the last max(ksizes) - 1 letters of the one before.  Lets go of the GIL; keeps no state.
    """
    letters: Letters = np.frombuffer(text, np.uint8)
    letters.flags.writeable = False  # as that of bytes, so that the loops are compiled once for both
    lengths = np.asarray(ksizes, np.int64)
    if lengths.size == 0 or lengths.min() < 1:
        raise ValueError("a k-mer has at least one letter")
    kept, n_kept = np.empty((lengths.size, ROOM), np.uint64), np.zeros(lengths.size, np.int64)
    parts: list[list[Words]] = [[] for _ in lengths]
    start = max(0, seen - int(lengths.max()) + 1)
    while start < letters.size:
        start = hash_blocks(letters, start, seen, lengths, np.uint64(seed), np.uint64(max_hash), kept, n_kept)
        for hashes, n, part in zip(kept, n_kept, parts, strict=True):
            part.append(hashes[:n].copy())
        n_kept[:] = 0
    return [np.concatenate(part) if part else np.empty(0, np.uint64) for part in parts]


@compiled
def hash_blocks(
    text: Letters,
    start: int,
    seen: int,
    ksizes: NDArray[np.int64],
    seed: np.uint64,
    max_hash: np.uint64,
    kept: Words,
    n_kept: NDArray[np.int64],
) -> int:
    """Hash the windows from `start` on, block by block, until all are done or `kept` may not hold another block's.

    kept[j, : n_kept[j]] are the hashes kept for ksizes[j]; more are appended.  Returns where to go on.
    """
    # Plain allocations, made once a call: the block's letters with MARGIN on either side, and what is derived of them.
    room = MARGIN + BLOCK + ksizes.max() + MARGIN
    letters = np.empty(room, np.uint8)
    table = np.empty((ROWS, room), np.uint64)
    bytes1, bytes2 = np.empty(room, np.uint8), np.empty(room, np.uint8)
    halves, quads = np.empty(room, np.uint16), np.empty(room, np.uint32)
    forward = np.empty(BLOCK, np.bool_)
    hashes1, hashes2 = np.empty(BLOCK + GROUP, np.uint64), np.empty(BLOCK, np.uint64)
    while start < text.size and n_kept.max() + BLOCK <= kept.shape[1]:
        copy_letters(text, start - MARGIN, letters)
        tabulate(letters[: min(room, text.size - start + 2 * MARGIN)], table, bytes1, bytes2, halves, quads)
        for j in range(ksizes.size):
            k = ksizes[j]
            first = max(start, seen - k + 1)
            n = min(start + BLOCK, text.size - k + 1) - first
            if n > 0:
                at = first - start + MARGIN
                hash_windows(table, at, k, seed, forward[:n], hashes1[:n], hashes2[:n])
                n_kept[j] = keep_small(hashes1, n, max_hash, letters[at:], k, kept[j], n_kept[j])
        start += BLOCK
    return start


@compiled
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


@compiled
def tabulate(
    letters: Letters,
    table: Words,
    bytes1: Letters,
    bytes2: Letters,
    halves: NDArray[np.uint16],
    quads: NDArray[np.uint32],
) -> None:
    """Fill the table's rows for each place in `letters`; the other arrays are for intermediate results.

    A word is put together in three steps, of 1, 2 and 4 neighbours, rather than in 8: each step joins what begins at a
    place with what begins a little further on.  Entries that would need letters behind the last are not valid.
    """
    # Row by row, for numba forgets that the rows are contiguous in `words, rc_words, ... = table`.
    words, rc_words, keys, rc_keys = table[WORDS], table[RC_WORDS], table[KEYS], table[RC_KEYS]

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
    join(halves[8:], halves, 16, quads)
    join(quads[16:], quads, 32, keys)

    two_bits(letters, 3, bytes1)
    join(bytes1, bytes1[1:], 2, bytes2)
    join(bytes2, bytes2[2:], 4, bytes1)
    join(bytes1, bytes1[4:], 8, halves)
    join(halves, halves[8:], 16, quads)
    join(quads, quads[16:], 32, rc_keys)


@compiled
def join(low: AnyWords, high: AnyWords, bits: int, out: AnyWords) -> None:
    """out[i] = high[i] above the `bits` bits of low[i]."""
    for i in range(min(low.size, high.size)):
        out[i] = np.uint64(low[i]) | (np.uint64(high[i]) << np.uint64(bits))


@compiled
def complement(letters: Letters, out: Letters) -> None:
    """The letters of the complementary strand; of a byte that is no A, C, G or T, anything."""
    for i in range(letters.size):
        # A=0x41 and T=0x54 differ by 21, C=0x43 and G=0x47 by 4, and only the latter have bit 1 set.
        out[i] = letters[i] ^ (np.uint8(4) if letters[i] & np.uint8(2) else np.uint8(21))


@compiled
def two_bits(letters: Letters, flip: int, out: Letters) -> None:
    """A, C, G, T as 0, 1, 2, 3 if `flip` is 0, and as those of their complements, 3, 2, 1, 0, if it is 3."""
    for i in range(letters.size):
        # Bits 1 and 2 of A, C, G, T are 0, 1, 3, 2, that is 0, 1, 2, 3 in Gray code.
        c = (letters[i] >> np.uint8(1)) & np.uint8(3)
        out[i] = c ^ (c >> np.uint8(1)) ^ np.uint8(flip)


@compiled
def scramble(words: Words, out1: Words, out2: Words) -> None:
    """What MurmurHash3 does to a word before it mixes it into the first, and into the second half of the hash."""
    for i in range(words.size):
        out1[i] = scrambled1(words[i])
        out2[i] = scrambled2(words[i])


# Hashing, one step for all windows of a block ------------------------------------------------------------------------


@compiled
def hash_windows(
    table: Words, at: int, k: int, seed: np.uint64, forward: Flags, hashes1: Words, hashes2: Words
) -> None:
    """hashes1[i] = hash of the canonical k-mer of the window that begins at `at` + i of the table.

    MurmurHash3_x64_128: pairs of words are mixed into two halves of state; then come the last k % 16 letters, first
    those of the second word of the pair; then k; then all bits are mixed once more.

    The words of the k-mer begin at its begin; those of the reverse complement are those of the text backwards, the
    first one before the end of the k-mer.
    """
    words, rc_words, keys, rc_keys = table[WORDS], table[RC_WORDS], table[KEYS], table[RC_KEYS]
    scrambled_1, scrambled_2 = table[SCRAMBLED_1], table[SCRAMBLED_2]
    rc_scrambled_1, rc_scrambled_2 = table[RC_SCRAMBLED_1], table[RC_SCRAMBLED_2]
    end = at + k

    forward[:] = True  # which, where the strands are equal, is as good as False
    for i in range((k - 1) // (2 * KEY), -1, -1):  # the first half of the k-mer, the first letters last
        choose_strand(keys[at + KEY * i :], rc_keys[end - KEY - KEY * i :], forward)

    hashes1[:] = seed
    hashes2[:] = seed
    for i in range(0, k - 15, 16):
        this, that = at + i, end - WORD - i
        mix_pair(
            forward,
            scrambled_1[this:], rc_scrambled_1[that:],
            scrambled_2[this + WORD :], rc_scrambled_2[that - WORD :],
            hashes1, hashes2,
        )  # fmt: skip

    rest = k % 16
    # A part of a word: the last 8 letters, without those that are not its own, which are the lowest.
    foreign = np.uint64(8 * (WORD - rest % WORD))
    if rest > WORD:
        mix_part2(forward, words[end - WORD :], rc_words[at:], foreign, hashes2)
    if rest >= WORD:
        mix_word(forward, scrambled_1[end - rest :], rc_scrambled_1[at + rest - WORD :], hashes1)
    elif rest > 0:
        mix_part1(forward, words[end - WORD :], rc_words[at:], foreign, hashes1)
    finish(np.uint64(k), hashes1, hashes2)


@compiled
def choose_strand(keys: Words, rc_keys: Words, forward: Flags) -> None:
    """Compare 32 more letters of k-mer and reverse complement, which come before those compared already."""
    for i in range(forward.size):
        a, b = keys[i], rc_keys[i]
        forward[i] = (a < b) | ((a == b) & forward[i])


# In each of the next four both strands' values are loaded and one is taken, `a if forward[i] else b`.  An index that
# is chosen would be one load less, but a load from anywhere, which SIMD code is slow at.


@compiled
def mix_pair(
    forward: Flags, word1: Words, rc_word1: Words, word2: Words, rc_word2: Words, hashes1: Words, hashes2: Words
) -> None:
    """Mix a pair of scrambled words into the state."""
    for i in range(forward.size):
        a, b = word1[i], rc_word1[i]
        x = hashes1[i] ^ (a if forward[i] else b)
        a, b = word2[i], rc_word2[i]
        y = hashes2[i] ^ (a if forward[i] else b)
        x = (rotate(x, 27) + hashes2[i]) * FIVE + N1
        hashes1[i] = x
        hashes2[i] = (rotate(y, 31) + x) * FIVE + N2


@compiled
def mix_word(forward: Flags, word: Words, rc_word: Words, hashes: Words) -> None:
    """Mix in a last scrambled word."""
    for i in range(forward.size):
        a, b = word[i], rc_word[i]
        hashes[i] ^= a if forward[i] else b


@compiled
def mix_part1(forward: Flags, word: Words, rc_word: Words, foreign: np.uint64, hashes: Words) -> None:
    """Mix in the last letters if they are the first word of a pair: `word` without its lowest `foreign` bits."""
    for i in range(forward.size):
        a, b = word[i], rc_word[i]
        hashes[i] ^= scrambled1((a if forward[i] else b) >> foreign)


@compiled
def mix_part2(forward: Flags, word: Words, rc_word: Words, foreign: np.uint64, hashes: Words) -> None:
    """Mix in the last letters if they are the second word of a pair."""
    for i in range(forward.size):
        a, b = word[i], rc_word[i]
        hashes[i] ^= scrambled2((a if forward[i] else b) >> foreign)


@compiled
def finish(k: np.uint64, hashes1: Words, hashes2: Words) -> None:
    """Mix in the length and make the first half of the hash; the second is not needed."""
    for i in range(hashes1.size):
        x, y = hashes1[i] ^ k, hashes2[i] ^ k
        x += y
        y += x
        hashes1[i] = all_mixed(x) + all_mixed(y)


@compiled
def scrambled1(word: np.uint64) -> np.uint64:
    """A word of input, for the first half of the state."""
    return rotate(word * C1, 31) * C2


@compiled
def scrambled2(word: np.uint64) -> np.uint64:
    """A word of input, for the second half of the state."""
    return rotate(word * C2, 33) * C1


@compiled
def rotate(x: np.uint64, bits: int) -> np.uint64:
    """rotl64 of MurmurHash3.cpp."""
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@compiled
def all_mixed(x: np.uint64) -> np.uint64:
    """fmix64 of MurmurHash3.cpp: every bit depends on every bit."""
    x ^= x >> np.uint64(33)
    x *= M1
    x ^= x >> np.uint64(33)
    x *= M2
    return x ^ (x >> np.uint64(33))


# What is kept --------------------------------------------------------------------------------------------------------


@compiled
def keep_small(hashes: Words, n: int, max_hash: np.uint64, letters: Letters, k: int, kept: Words, n_kept: int) -> int:
    """Append to `kept` those of hashes[:n] that are to be kept; the k-mer of hashes[i] begins at letters[i].

    Returns how many there are then.  Seldom does any of a GROUP qualify, and its smallest is found without a branch.
    """
    hashes[n : n + GROUP] = LARGEST  # the last group is filled up; GROUP places are there
    for start in range(0, n, GROUP):
        smallest = LARGEST
        for i in range(start, start + GROUP):
            smallest = min(smallest, hashes[i])
        if smallest <= max_hash:
            for i in range(start, min(start + GROUP, n)):
                if np.uint64(0) != hashes[i] <= max_hash and is_dna(letters[i : i + k]):
                    kept[n_kept] = hashes[i]
                    n_kept += 1
    return n_kept


@compiled
def is_dna(letters: Letters) -> bool:
    """Whether all are A, C, G or T."""
    for c in letters:  # noqa: SIM110, numba has no all()
        if c != A and c != C and c != G and c != T:  # noqa: PLR1714, nor sets
            return False
    return True
