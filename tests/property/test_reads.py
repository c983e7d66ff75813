"""Sketches of files of reads equal those of sourmash, wherever the stream and its text are cut."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sourmash import MinHash

from wort_cli.model.profile import Profile
from wort_cli.pipeline.reads.parser import CompiledParser, ReadsParser
from wort_cli.pipeline.reads.python_parser import PythonParser
from wort_cli.pipeline.reads.sketch_files import Cutter, Hasher
from wort_cli.pipeline.sketching.hash_counts import HashCounts

PROFILE = Profile("test", (4, 11, 21), 1, True, 42, ())
SEQUENCE = st.text("ACGT" * 4 + "acgtN-", max_size=90).map(str.encode)
HASHERS = {engine: Hasher(engine, PROFILE) for engine in ("kernel", "sourmash")}


def as_fasta(sequences: list[bytes], width: int) -> bytes:
    lines = [b"\n".join(s[start : start + width] for start in range(0, len(s), width)) for s in sequences]
    return b"".join(b">%d\n%s\n" % (number, text) for number, text in enumerate(lines))


def as_fastq(sequences: list[bytes], _: int) -> bytes:
    return b"".join(b"@%d\n%s\n+\n%s\n" % (number, s, b"@" * len(s)) for number, s in enumerate(sequences))


Write = Callable[[list[bytes], int], bytes]


@pytest.mark.parametrize("write", [as_fasta, as_fastq])
@pytest.mark.parametrize(("engine", "kind"), [("kernel", CompiledParser), ("sourmash", PythonParser)])
@settings(max_examples=40, deadline=None)
@given(sequences=st.lists(SEQUENCE, min_size=1, max_size=4), step=st.integers(1, 60), width=st.integers(1, 70))
def test_counts_are_those_of_sourmash(
    write: Callable[[list[bytes], int], bytes],
    engine: str,
    kind: type[ReadsParser],
    sequences: list[bytes],
    step: int,
    width: int,
) -> None:
    data = write(sequences, width)
    parser, cutter, hasher = kind(), Cutter(max(PROFILE.ksizes)), HASHERS[engine]
    counts = [HashCounts() for _ in PROFILE.ksizes]
    texts = [parser.feed(data[start : start + step]) for start in range(0, len(data), step)]
    for text in [*texts, parser.finish()]:
        if text.size:
            for count, hashes in zip(counts, hasher.hash(cutter.piece(text)), strict=True):
                count.add(hashes)
    for ksize, count in zip(PROFILE.ksizes, counts, strict=True):
        minhash = MinHash(n=0, ksize=ksize, scaled=1, track_abundance=True)
        for sequence in sequences:
            minhash.add_sequence(sequence.decode(), force=True)
        hashes, numbers = count.table()
        assert dict(zip(hashes.tolist(), numbers.tolist(), strict=True)) == dict(minhash.hashes)
    assert parser.stats.bases == sum(map(len, sequences))
    assert parser.stats.longest == max(map(len, sequences))
