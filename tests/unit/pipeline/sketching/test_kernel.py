"""The kernel keeps the same hashes as sourmash."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from sourmash import MinHash

from wort_cli.pipeline.sketching import hash_text as caller
from wort_cli.pipeline.sketching import kernel
from wort_cli.pipeline.sketching.hash_text import hash_text

KSIZES = [1, 2, 7, 8, 9, 15, 16, 17, 21, 31, 32, 33, 47, 48, 49, 51, 63, 64, 65, 80, 127, 128, 129, 191, 192, 193, 255]
ALL = 2**64 - 1
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def reverse_complement(text: str) -> str:
    return text.translate(COMPLEMENT)[::-1]


def kept(text: str | bytes, ksizes: list[int], max_hash: int = ALL, seed: int = 42) -> list[Counter[int]]:
    data = text.encode("latin-1") if isinstance(text, str) else text
    return [Counter(hashes.tolist()) for hashes in hash_text(data, ksizes, seed, max_hash)]


def sourmash_kept(text: str | bytes, ksizes: list[int], scaled: int = 1, seed: int = 42) -> list[Counter[int]]:
    results = []
    for k in ksizes:
        minhash = MinHash(n=0, ksize=k, scaled=scaled, seed=seed, track_abundance=True)
        minhash.add_sequence(text, force=True)
        results.append(Counter(dict(minhash.hashes)))
    return results


def max_hash_of(scaled: int) -> int:
    return int(MinHash(n=0, ksize=21, scaled=scaled)._max_hash)


def random_dna(number: int, seed: int = 1) -> str:
    return "".join(Random(seed).choices("ACGT", k=number))


def test_arrays_are_as_large_as_the_kernel_needs() -> None:
    for name in ("LETTER_ROWS", "WORD_ROWS", "ROW"):
        assert getattr(caller, name) == getattr(kernel, name)


@pytest.mark.parametrize("k", KSIZES)
def test_lengths_around_k(k: int) -> None:
    text = random_dna(k + 70, seed=k)
    for length in {*range(min(k + 1, 4)), *range(max(0, k - 2), k + 4), k + 15, k + 16, k + 31, k + 70}:
        assert kept(text[:length], [k]) == sourmash_kept(text[:length], [k])


@pytest.mark.parametrize("k", range(1, 140))
def test_all_k_below_140(k: int) -> None:
    text = random_dna(400, seed=k)
    assert kept(text, [k]) == sourmash_kept(text, [k])


@pytest.mark.parametrize("k", KSIZES)
def test_palindromes_and_repeats(k: int) -> None:
    half = random_dna((k + 1) // 2, seed=k)
    for text in (half + reverse_complement(half), "A" * (k + 5), "T" * (k + 5), "ACGT" * 80, "AT" * 150, "CG" * 150):
        assert kept(text, [k]) == sourmash_kept(text, [k])


@pytest.mark.parametrize("k", [32, 33, 63, 64, 65, 66, 95, 96, 97, 127, 128, 129, 130, 200])
def test_strands_that_differ_only_near_the_middle(k: int) -> None:
    """The k-mer and its reverse complement start with the same letters, except the last letters of the first half."""
    half = random_dna(k // 2, seed=k)
    for middle in ("", "A", "C", "G", "T"):
        for i in range(max(0, len(half) - 3), len(half)):
            for letter in "ACGT":
                changed = half[:i] + letter + half[i + 1 :]
                text = (changed + middle + reverse_complement(half))[:k]
                for strand in (text, reverse_complement(text)):
                    assert kept(strand, [k]) == sourmash_kept(strand, [k])


@given(
    text=st.lists(
        st.one_of(
            st.text("ACGT", min_size=1, max_size=90),
            st.text("ACGTNRYKMSWBDHV", max_size=40),
            st.text("acgtACGTn", max_size=90),
            st.integers(1, 300).map(lambda n: "N" * n),
            st.integers(0, 2**32).flatmap(lambda s: st.integers(1, 600).map(lambda n: random_dna(n, s))),
        ),
        max_size=12,
    ).map("".join),
    ksizes=st.lists(st.integers(1, 255) | st.sampled_from(KSIZES), min_size=1, max_size=4),
    scaled=st.sampled_from([1, 2, 3, 10, 1000]) | st.integers(1, 10**6),
    seed=st.sampled_from([42, 42, 42, 0, 1, 2**32 - 1]),
)
@settings(max_examples=200, deadline=None)
def test_hashes_of_random_text_equal_those_of_sourmash(text: str, ksizes: list[int], scaled: int, seed: int) -> None:
    assert kept(text, ksizes, max_hash_of(scaled), seed) == sourmash_kept(text, ksizes, scaled, seed)


@given(text=st.binary(max_size=300), ksizes=st.lists(st.integers(1, 40), min_size=1, max_size=3))
@settings(deadline=None)
def test_bytes_that_are_not_letters_break_kmers(text: bytes, ksizes: list[int]) -> None:
    """The text has no NUL byte, because sourmash does not accept it."""
    text = bytes(c for c in text if 0 < c < 128) + b"ACGTTGCaac"
    assert kept(text, ksizes) == sourmash_kept(text, ksizes)


@pytest.mark.parametrize("size", [1023, 1024, 1025, 1024 + 254, 1024 + 255, 2048 + 20, 40_000, 200_000])
def test_texts_larger_than_block_and_buffer(size: int) -> None:
    """At scaled=1 all windows are kept, which is more than the buffers hold at once."""
    text = list(random_dna(size))
    for i in Random(2).choices(range(size), k=size // 3000):
        text[i] = "N"
    assert kept("".join(text), [21, 4, 255]) == sourmash_kept("".join(text), [21, 4, 255])


@pytest.mark.parametrize("length", [*range(20, 24), *range(50, 60), 1094, 1095, 1096])
def test_reads_of_each_length_are_separated(length: int) -> None:
    text = "N".join(random_dna(length, seed) for seed in range(9))
    for before, after in (("", ""), ("N" * 31, "N" * 33), ("nN" * 40, "\n")):
        assert kept(before + text + after, [21, 31, 51]) == sourmash_kept(before + text + after, [21, 31, 51])


def test_repeated_hash_is_returned_each_time() -> None:
    text = b"A" * 300_000
    [hashes] = hash_text(text, [21], 42, ALL)
    assert len(hashes) == len(text) - 20
    assert len(set(hashes.tolist())) == 1


# Wrappers, because Python cannot call jit_helper functions.
end_fmix64: Callable[[np.uint64], int] = njit(lambda half: kernel.end_fmix64(half))  # noqa: PLW0108
keep_small: Callable[..., int] = njit(lambda x, y, n, k, limit, out: kernel.keep_small(x, y, n, k, limit, out, 0))


def inverse(number: np.uint64) -> int:
    """Return the inverse of an odd number, for multiplications of 64 bits."""
    return pow(int(number), -1, 2**64)


def halves_of(hash_: int, other: int, k: int) -> tuple[int, int]:
    """Return two halves of state, before the length is mixed in, whose hash is `hash_`; `other` is any number."""
    mixed = (hash_ - int(end_fmix64(np.uint64(other)))) & ALL
    # This inverts end_fmix64: xor with a shift by 33 of 64 bits inverts itself.
    first, second = unmix((mixed ^ (mixed >> 33)) * inverse(kernel.M2) & ALL), unmix(other)
    y = (second - first) & ALL
    return ((first - y) & ALL) ^ k, y ^ k


def unmix(x: int) -> int:
    """Return the number for which start_fmix64 returns x."""
    x = (x ^ (x >> 33)) * inverse(kernel.M1) & ALL
    return x ^ (x >> 33)


@pytest.mark.parametrize("max_hash", [0, 1, 18446744073709552, 2**63 - 2**33, 2**63 - 1, 2**63, ALL - 1, ALL])
@pytest.mark.parametrize("n", [1, 5, 64, 65, 300])
def test_hashes_from_1_to_max_hash_are_kept(max_hash: int, n: int) -> None:
    """A hash of 0 is not kept: it marks skipped windows in sourmash.  No k-mer with that hash is known."""
    rng = Random(f"{max_hash} {n}")
    near = [0, 1, max_hash, max_hash - 1, max_hash + 1, max_hash + 2**31, max_hash + 2**33, ALL]
    hashes = [rng.choice([*near, rng.randrange(2**64)]) & ALL for _ in range(n)]
    pairs = [halves_of(hash_, rng.randrange(2**64), 21) for hash_ in hashes]
    out = np.zeros(n, np.uint64)
    halves1, halves2 = np.array([*pairs, *[(0, 0)] * kernel.MARGIN], np.uint64).T.copy()
    kept_ = keep_small(halves1, halves2, n, np.uint64(21), np.uint64(max_hash), out)
    assert out[:kept_].tolist() == [hash_ for hash_ in hashes if 0 < hash_ <= max_hash]


def test_hash_equal_to_max_hash_is_kept() -> None:
    text = random_dna(2000)
    hashes = sorted(sourmash_kept(text, [21])[0])
    for limit in (hashes[100], hashes[100] - 1):
        assert sorted(kept(text, [21], limit)[0]) == [h for h in hashes if h <= limit]


def test_text_may_be_an_array_or_buffer() -> None:
    text = random_dna(3000).encode()
    expected = [h.tolist() for h in hash_text(text, [21, 31], 42, ALL)]
    writable = np.frombuffer(text, np.uint8).copy()
    for same in (writable, bytearray(text), memoryview(text), np.frombuffer(text, np.uint8)):
        assert [h.tolist() for h in hash_text(same, np.array([21, 31]), 42, ALL)] == expected  # type: ignore[arg-type]
    assert writable.flags.writeable


@pytest.mark.parametrize("ksizes", [[], [0], [21, -1]])
def test_k_below_1_is_an_error(ksizes: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one letter"):
        hash_text(b"ACGT", ksizes, 42, ALL)


def test_threads_return_the_same_hashes() -> None:
    texts = [random_dna(50_000, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda text: kept(text, [21, 51]), texts))
    assert results == [kept(text, [21, 51]) for text in texts]
