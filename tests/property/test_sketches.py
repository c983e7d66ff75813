"""Sketches equal those of sourmash, wherever the reads are cut and however many threads there are."""

import gzip
import hashlib
import importlib
import io
import struct
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sourmash import MinHash

from tests.support.builders import numbers
from tests.support.fake_decoders import sketched
from wort_cli.model.accession import parse_name
from wort_cli.model.profile import Profile
from wort_cli.model.signature_file import Sketch, digest, read_signature
from wort_cli.pipeline.decoding import fastq_dump
from wort_cli.pipeline.seal import seal
from wort_cli.pipeline.sketching import hash_counts
from wort_cli.pipeline.sketching.compiled_fasta import CompiledFastaReader
from wort_cli.pipeline.sketching.engine import ENGINES
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.python_fasta import PythonFastaReader

LETTERS = "ACGT" * 6 + "acgtNnRYKM.-*"
LINE = st.builds(
    lambda before, bases, inner, after: f"{before}{bases}{inner}{after}",
    st.sampled_from(["", "", "", " ", "\t"]),
    st.text(LETTERS, max_size=30),
    st.sampled_from(["", "", "", "", " A", ">C"]),
    st.sampled_from(["", "", "", "\r", " ", "\t\r"]),
).filter(lambda line: not line.startswith(">"))  # fmt: skip
RECORD = st.tuples(st.integers(0, 2), st.lists(LINE, max_size=3), st.sampled_from(["", "", " ", "\r"]))
"""The increase of the spot number, the lines, and the text after the header on its line."""


@st.composite
def fasta(draw: st.DrawFn) -> bytes:
    """Draw a FASTA stream with valid headers, and with odd lines that fastq-dump would not write."""
    text, spot = "", 1
    for number, (rise, lines, rest) in enumerate(draw(st.lists(RECORD, max_size=8))):
        spot += rise
        text += "".join(f"{line}\n" for line in (f">{spot}.{number}{rest}", *lines))
    if text and draw(st.booleans()):
        text = text[:-1]
    return text.encode()


@st.composite
def pieces(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> list[bytes]:
    """Draw a stream, and cut it anywhere."""
    data = draw(whole)
    borders = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[start:end] for start, end in zip([0, *borders], [*borders, len(data)], strict=True)]


def read_by_screed(stream: bytes) -> list[tuple[str, str]]:
    """Return header and bases of each record, as `sourmash sketch` reads them."""
    fasta = importlib.import_module("screed.fasta")  # screed has no type hints
    return [(str(record.name), str(record.sequence)) for record in fasta.fasta_iter(io.BytesIO(stream))]


def counts_of(sequences: list[bytes] | list[str], ksize: int, scaled: int = 1, seed: int = 42) -> dict[int, int]:
    minhash = MinHash(n=0, ksize=ksize, scaled=scaled, seed=seed, track_abundance=True)
    for sequence in sequences:
        minhash.add_sequence(sequence, force=True)
    return dict(minhash.hashes)


def counts_in(made: Sketch) -> dict[int, int]:
    assert made.abundances is not None
    return dict(zip(made.hashes.tolist(), made.abundances.tolist(), strict=True))


@pytest.mark.parametrize("reader", [PythonFastaReader, CompiledFastaReader])
@given(chunks=pieces(fasta()), ksize=st.integers(1, 12))
@settings(deadline=None)
def test_text_has_the_kmers_of_the_reads_wherever_the_stream_is_cut(
    reader: type[PythonFastaReader | CompiledFastaReader], chunks: list[bytes], ksize: int
) -> None:
    records = read_by_screed(b"".join(chunks))
    reads = reader()
    text = b"".join([*(reads.feed(chunk) for chunk in chunks), reads.finish()])
    sequences = [sequence for _, sequence in records]
    assert counts_of([text], ksize) == counts_of(sequences, ksize)
    assert reads.stats.reads == len(records)
    assert reads.stats.spots == len({title.split(".")[0] for title, _ in records})
    assert reads.stats.bases == sum(map(len, sequences))
    assert reads.stats.longest == max(map(len, sequences), default=0)


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 40) | st.integers(0, 2**64 - 1), st.integers(1, 2**32)), max_size=20)),
    st.integers(1, 30),
    st.integers(1, 8),
)
def test_counts_equal_those_of_counter(additions: list[list[tuple[int, int]]], buffer: int, ratio: int) -> None:
    expected: Counter[int] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hash_counts, "MIN_BUFFER", buffer)
        patch.setattr(hash_counts, "TABLE_TO_BUFFER", ratio)
        table = HashCounts()
        for addition in additions:
            counted = sorted(dict(addition).items())
            table.add_table(numbers([value for value, _ in counted]), numbers([times for _, times in counted]))
            table.add(numbers([value for value, _ in addition]))
            expected.update(value for value, _ in addition)
            for value, times in counted:
                expected[value] += times
        hashes, abundances = table.table()
    assert hashes.tolist() == sorted(expected)
    assert dict(zip(hashes.tolist(), abundances.tolist(), strict=True)) == expected
    assert hashes.dtype == np.uint64
    assert abundances.dtype in (np.uint32, np.uint64)  # 32 bits where the counts fit


PROFILES = st.builds(
    Profile, st.just("x"), st.lists(st.integers(1, 60), min_size=1, max_size=3, unique=True).map(tuple),
    st.sampled_from([1, 2, 3, 7, 50]), st.just(True), st.sampled_from([42, 1, 2**32 - 1]), st.just(()),
)  # fmt: skip
READS = st.lists(st.text(LETTERS, max_size=120), max_size=12)


@pytest.mark.parametrize("engine", ENGINES)
@given(
    profile=PROFILES,
    reads=READS,
    threads=st.integers(1, 3),
    size=st.integers(1, 200),
    slices=st.integers(1, 5),
    chunk=st.integers(1, 300),
)
@settings(max_examples=60, deadline=None)
def test_slices_threads_and_text_size_do_not_change_sketches(
    engine: str, profile: Profile, reads: list[str], threads: int, size: int, slices: int, chunk: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fastq_dump, "TEXT_SIZE", size)
        sketches = sketched(reads, profile, ENGINES[engine](profile), threads, slices, chunk)
    assert [made.ksize for made in sketches] == list(profile.ksizes)
    for made in sketches:
        assert counts_in(made) == counts_of(reads, made.ksize, profile.scaled, profile.seed)
        assert (made.seed, made.scaled) == (profile.seed, profile.scaled)


SKETCHES = st.lists(
    st.tuples(
        st.integers(1, 100),
        st.dictionaries(st.integers(0, 18446744073709552), st.integers(1, 2**32 - 1), max_size=30),
    ),
    max_size=4,
    unique_by=lambda pair: pair[0],
)


@given(SKETCHES)
def test_digest_follows_its_definition(pairs: list[tuple[int, dict[int, int]]]) -> None:
    total = hashlib.sha256()
    for ksize, abundances in sorted(pairs, key=lambda pair: pair[0]):
        total.update(f"DNA k={ksize} seed=42 max_hash=18446744073709552 n={len(abundances)}\n".encode())
        for value, times in sorted(abundances.items()):
            total.update(struct.pack("<QQ", value, times))
    assert digest(map(sketch_of, pairs)) == total.hexdigest()


@given(SKETCHES.filter(bool))
@settings(deadline=None)
def test_sealed_signature_reads_back_and_its_digest_depends_on_every_count(
    pairs: list[tuple[int, dict[int, int]]],
) -> None:
    sketches = [sketch_of(pair) for pair in pairs]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sealed.sig"
        expected = seal(parse_name("SRR139146"), sketches, path)
        text = gzip.decompress(path.read_bytes())
        written = read_signature(path)
    assert [counts_in(made) for made in written.sketches] == [abundances for _, abundances in pairs]
    assert [made.md5 for made in written.sketches] == [made.md5sum() for made in sketches]
    assert written.digest == expected
    assert text.count(b'"signatures":[') == 1
    for ksize, abundances in pairs:
        for value in abundances:
            changed = sketch_of((ksize, {**abundances, value: abundances[value] + 1}))
            assert digest([changed, *(made for made in sketches if made.ksize != ksize)]) != expected


def sketch_of(pair: tuple[int, dict[int, int]]) -> Sketch:
    ksize, abundances = pair
    hashes = sorted(abundances)
    return Sketch(ksize, 42, 18446744073709552, numbers(hashes), numbers([abundances[value] for value in hashes]))
