"""Both engines keep the same hashes, alone and in RunSketcher."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sourmash import MinHash

from tests.support.fake_decoders import sketched
from wort_cli.model.profile import SRA_V1, Profile, max_hash_for_scaled
from wort_cli.pipeline.decoding import fastq_dump
from wort_cli.pipeline.sketching.engine import ENGINES, Engine

texts = st.lists(st.text("ACGT", max_size=200) | st.text("ACGTNacgt \tR", max_size=60), max_size=12)


def count(engine: Engine, text: bytes) -> list[Counter[int]]:
    return [Counter(hashes.tolist()) for hashes in engine.hash_text(text)]


@given(reads=texts, scaled=st.sampled_from([1, 2, 50]), piece=st.sampled_from([1, 40, 1 << 20]))
@settings(max_examples=80, deadline=None)
def test_engines_keep_the_same_hashes(reads: list[str], scaled: int, piece: int) -> None:
    profile = Profile("x", (5, 21, 33), scaled, abundance=True, seed=42, decode_flags=())
    text = "".join(f"N{read}" for read in reads).encode()
    engines = [make(profile) for make in ENGINES.values()]
    assert count(engines[0], text) == count(engines[1], text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fastq_dump, "TEXT_SIZE", piece)
        made = [sketched(reads, profile, engine, threads=2, slices=2) for engine in engines]
        for ours, theirs in zip(*made, strict=True):
            assert ours.abundances is not None
            assert theirs.abundances is not None
            assert np.array_equal(ours.hashes, theirs.hashes)
            assert np.array_equal(ours.abundances, theirs.abundances)


@given(scaled=st.integers(1, 10**6) | st.integers(1, 2**32 - 1))
@settings(max_examples=500, deadline=None)
def test_max_hash_equals_that_of_sourmash(scaled: int) -> None:
    assert max_hash_for_scaled(scaled) == MinHash(n=0, ksize=21, scaled=scaled)._max_hash


def test_max_hash_of_the_recipe() -> None:
    assert SRA_V1.max_hash == 18446744073709552
