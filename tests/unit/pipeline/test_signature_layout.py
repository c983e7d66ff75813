"""A sealed signature has the bytes that sourmash writes."""

import gzip
import io
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sourmash import MinHash, load_signatures_from_json

from wort_cli.model.accession import parse_name
from wort_cli.model.failure import JobFailed
from wort_cli.model.signature_file import Sketch, digest, parse_signature, read_signature
from wort_cli.pipeline import seal as module
from wort_cli.pipeline import signature_layout as layout
from wort_cli.pipeline.seal import reads_back, seal, write_signature
from wort_cli.pipeline.sketching.hash_counts import HashCounts
from wort_cli.pipeline.sketching.hash_text import hash_text

NAMES = st.sampled_from(
    ["SRR139146", "", "my run", 'quo"te', "é€😀", '"mins":[1,2]', '"signatures":[', '],"version"']
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def array(values: list[int]) -> NDArray[np.uint64]:
    return np.array(values, np.uint64)


def max_hash_of(scaled: int) -> int:
    return int(MinHash(n=0, ksize=21, scaled=scaled)._max_hash)


def sealed(name: str, sketches: list[Sketch]) -> bytes:
    file = io.BytesIO()
    write_signature(name, sketches, file)
    return file.getvalue()


def sketch(hashes: list[int], abundances: list[int] | None, ksize: int = 21, scaled: int = 1000) -> Sketch:
    return Sketch(ksize, 42, max_hash_of(scaled), array(hashes), None if abundances is None else array(abundances))


@st.composite
def sketch_lists(draw: st.DrawFn) -> list[Sketch]:
    scaled = draw(st.sampled_from([1, 2, 10, 1000, 10**6]) | st.integers(1, 10**6))
    limit = max_hash_of(scaled)
    seed = draw(st.sampled_from([42, 42, 0, 2**32 - 1]))
    with_abundances = draw(st.booleans())
    near_powers = st.builds(lambda p, d: min(limit, max(1, 10**p + d)), st.integers(0, 19), st.integers(-1, 1))
    values = st.integers(1, limit) | near_powers | st.just(limit)
    result = []
    for ksize in draw(st.lists(st.integers(1, 255), min_size=1, max_size=4)):
        hashes = sorted(draw(st.sets(values, max_size=30)))
        counts = [draw(st.integers(1, 9) | st.integers(1, 2**64 - 1)) for _ in hashes] if with_abundances else None
        result.append(Sketch(ksize, seed, limit, array(hashes), None if counts is None else array(counts)))
    return result


@given(name=NAMES, sketches=sketch_lists(), block_size=st.sampled_from([1, 2, 3, 1 << 16]))
@settings(max_examples=150, deadline=None)
def test_signature_has_the_bytes_of_sourmash(name: str, sketches: list[Sketch], block_size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block_size)
        data = sealed(name, sketches)
        derived = layout.layout_from_examples(name, sketches)
        assert not layout.is_plain(name) or layout.known_layout(name, sketches) == derived
        assert gzip.decompress(data) == layout.write_with_sourmash(name, sketches)
        assert reads_back(name, sketches, io.BytesIO(data))
        document = parse_signature(gzip.decompress(data))
        assert document.digest == digest(sketches)
        assert [s.md5 for s in document.sketches] == [s.md5sum() for s in sketches]


def test_many_blocks_have_the_bytes_of_sourmash() -> None:
    rng = np.random.default_rng(1)
    limit = max_hash_of(1000)
    sketches = []
    for ksize in (21, 31, 51):
        hashes = np.unique(rng.integers(1, limit, 150_000, dtype=np.uint64))
        sketches.append(Sketch(ksize, 42, limit, hashes, rng.integers(1, 300, hashes.size, dtype=np.uint64)))
    data = sealed("SRR139146", sketches)
    assert gzip.decompress(data) == layout.write_with_sourmash("SRR139146", sketches)
    assert reads_back("SRR139146", sketches, io.BytesIO(data))


@pytest.mark.parametrize("n", [65535, 65536, 65537, 131072])
def test_last_block_has_the_bytes_of_sourmash(n: int) -> None:
    sketches = [sketch(list(range(1, n + 1)), [1] * n)]
    data = sealed("x", sketches)
    assert gzip.decompress(data) == layout.write_with_sourmash("x", sketches)
    assert reads_back("x", sketches, io.BytesIO(data))


def test_sealed_file_equals_output_of_sourmash_sketch(tmp_path: Path) -> None:
    """From reads to file: kernel, counts and sealing together write the bytes of `sourmash sketch`."""
    rng = Random(3)
    genome = "".join(rng.choices("ACGT", k=200_000))
    reads = [genome[i : i + 150] for i in rng.choices(range(len(genome) - 150), k=3000)]
    fasta = tmp_path / "reads.fa"
    fasta.write_text("".join(f">SRR139146.{i}.1\n{read}\n" for i, read in enumerate(reads, 1)))
    ours, scaled = [], 1000
    text = "N".join(reads).encode()
    for ksize, hashes in zip((21, 31, 51), hash_text(text, [21, 31, 51], 42, max_hash_of(scaled)), strict=True):
        counts = HashCounts()
        counts.add(hashes)
        ours.append(Sketch(ksize, 42, max_hash_of(scaled), *counts.table()))
    output = tmp_path / "SRR139146.sig"
    with fasta.open("rb") as stdin:
        subprocess.run(
            [str(Path(sys.executable).with_name("sourmash")), "sketch", "dna", "-p", "k=21,k=31,k=51,scaled=1000,abund",
             "--name", "SRR139146", "-o", str(output), "-"],
            stdin=stdin, check=True, capture_output=True,
        )  # fmt: skip
    assert gzip.decompress(sealed("SRR139146", ours)) == output.read_bytes()


def test_equal_content_gives_equal_bytes() -> None:
    sketches = [sketch([1, 2], [3, 4])]
    data = sealed("x", sketches)
    assert data == sealed("x", sketches)
    assert data[4:8] == b"\0" * 4  # no time
    assert not data[3]  # no name


SMALL = [sketch([1, 20, 300], [4, 50, 6]), sketch([], [], 31), sketch([7], [2**64 - 1], 51)]


def test_reading_back_detects_every_changed_byte() -> None:
    text = gzip.decompress(sealed("x", SMALL))
    assert reads_back("x", SMALL, io.BytesIO(gzip.compress(text)))
    for i in range(len(text)):
        for changed in (text[:i] + bytes([text[i] ^ 1]) + text[i + 1 :], text[:i] + text[i + 1 :], text[:i]):
            if changed != text:
                assert not reads_back("x", SMALL, io.BytesIO(gzip.compress(changed)))
    assert not reads_back("x", SMALL, io.BytesIO(gzip.compress(text + b" ")))
    for add in (b"0", b",", b" ", b"-"):
        for i in range(len(text)):
            assert not reads_back("x", SMALL, io.BytesIO(gzip.compress(text[:i] + add + text[i:])))


def test_reading_back_detects_damaged_gzip() -> None:
    data = sealed("x", SMALL)
    for i in range(10, len(data)):
        damaged = bytearray(data)
        damaged[i] ^= 1
        assert not reads_back("x", SMALL, io.BytesIO(bytes(damaged)))
        assert not reads_back("x", SMALL, io.BytesIO(data[:i]))
    assert not reads_back("x", SMALL, io.BytesIO(b""))


def test_reading_back_detects_other_sketches() -> None:
    data = sealed("x", SMALL)
    assert not reads_back("y", SMALL, io.BytesIO(data))
    assert not reads_back("x", SMALL[:2], io.BytesIO(data))
    assert not reads_back("x", [*SMALL[:2], sketch([8], [2**64 - 1], 51)], io.BytesIO(data))
    assert not reads_back("x", [*SMALL[:2], sketch([7], [1], 51)], io.BytesIO(data))
    assert not reads_back("x", [*SMALL[:2], sketch([7], None, 51)], io.BytesIO(data))
    assert not reads_back("x", [SMALL[0], sketch([1], [1], 31), SMALL[2]], io.BytesIO(data))


def test_layout_of_installed_sourmash_is_built_in() -> None:
    """Importing sourmash would double the time of a small run.  For a new version: compare, then add it."""
    assert version("sourmash") in layout.KNOWN_VERSIONS


@pytest.mark.parametrize(
    ("known", "other"),
    [
        (b'"mins":[', b'"hashes":['),
        (b'"mins":[1', b'"mins":[ 1'),
        (b'"md5sum":"', b'"md5":"'),
        (b'"signatures":[', b'"sketches":['),
        (b'"molecule"', b'"more":[],"molecule"'),
    ],
)
def test_unknown_layout_is_written_by_sourmash(monkeypatch: pytest.MonkeyPatch, known: bytes, other: bytes) -> None:
    """A future sourmash may write another layout; then its own output is used."""
    monkeypatch.setattr(layout, "KNOWN_VERSIONS", frozenset())
    real = layout.sourmash_json
    monkeypatch.setattr(layout, "sourmash_json", lambda *given: real(*given).replace(known, other))
    sketches = [sketch([1, 20, 300], [4, 50, 6])]
    with pytest.raises(layout.UnknownLayout):
        layout.layout_of("x", sketches)
    if b"signatures" in known:  # not even the list of sketches is found
        with pytest.raises(layout.UnknownLayout):
            sealed("x", sketches)
    else:
        data = sealed("x", sketches)
        assert gzip.decompress(data) == real("x", sketches[0]).replace(known, other)
        [found] = load_signatures_from_json(real("x", sketches[0]))
        assert found.minhash.hashes == {1: 4, 20: 50, 300: 6}
        readable = b"mins" in other or b"more" in other
        if readable:
            assert reads_back("x", sketches, io.BytesIO(data))
        assert not reads_back("x", [sketch([1], [4])], io.BytesIO(data))


@pytest.mark.parametrize(
    "wrong",
    [
        sketch([3, 2, 1], [1, 2, 3]),
        sketch([1, 1], [2, 3]),
        sketch([1, 2], [3, 0]),
        sketch([1, 2], [3]),
        sketch([1, max_hash_of(1000) + 1], [3, 4]),
        replace(sketch([1], [1]), moltype="RNA"),
        replace(sketch([1], [1]), max_hash=max_hash_of(1000) + 500_000),
    ],
)
def test_invalid_sketch_is_not_sealed(tmp_path: Path, wrong: Sketch) -> None:
    with pytest.raises(JobFailed, match="cannot write a signature of SRR139146"):
        seal(parse_name("SRR139146"), [sketch([1], [1], 31), wrong], tmp_path / "sealed.sig")
    assert not list(tmp_path.iterdir())


def test_signature_that_does_not_read_back_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert seal(parse_name("SRR139146"), SMALL, tmp_path / "good.sig") == digest(SMALL)
    assert read_signature(tmp_path / "good.sig").digest == digest(SMALL)

    def write_wrong(name: str, sketches: list[Sketch], file: io.BytesIO, *others: Any) -> None:
        write_signature(name, sketches[:2], file, *others)

    monkeypatch.setattr(module, "write_signature", write_wrong)
    with pytest.raises(JobFailed, match="does not read back"):
        seal(parse_name("SRR139146"), SMALL, tmp_path / "sealed.sig")
    assert [path.name for path in tmp_path.iterdir()] == ["good.sig"]


def test_max_hash_without_scaled_is_rejected() -> None:
    wrong = replace(SMALL[0], max_hash=SMALL[0].max_hash + 500_000)
    with pytest.raises(ValueError, match="no scaled"):
        sealed("x", [wrong])
