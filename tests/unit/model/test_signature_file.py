"""Tests of strict reading of signature files, and of the digest."""

import gzip
import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sourmash import MinHash, SourmashSignature
from sourmash.signature import save_signatures_to_json

from tests.support.builders import MAX_HASH, numbers, random_reads, sketch
from wort_cli.errors import ExitCode, NoSuchFile, NotASignature
from wort_cli.model.signature_file import Sketch, digest, read_signature


def digest_by_hand(sketches: Sequence[tuple[int, dict[int, int]]]) -> str:
    """Return the digest of DNA sketches with scaled=1000, (k, {hash: abundance}), computed from its definition."""
    total = hashlib.sha256()
    for ksize, counts in sorted(sketches):
        total.update(f"DNA k={ksize} seed=42 max_hash=18446744073709552 n={len(counts)}\n".encode())
        for value in sorted(counts):
            total.update(struct.pack("<QQ", value, counts[value]))
    return total.hexdigest()


def entry(**changes: Any) -> dict[str, Any]:
    """Return a sketch as in a signature file."""
    known = {"num": 0, "ksize": 21, "seed": 42, "max_hash": MAX_HASH, "mins": [1, 2], "abundances": [3, 4],
             "md5sum": "x", "molecule": "DNA"}  # fmt: skip
    return {key: value for key, value in {**known, **changes}.items() if value is not ...}


def document(*sketches: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    return [{"class": "sourmash_signature", "name": "x", "filename": "", "signatures": list(sketches), **changes}]


def written(path: Path, data: bytes | object) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    return path


def sourmash_signature(*, abundance: bool = True) -> tuple[MinHash, bytes]:
    """Return a signature written by sourmash."""
    minhash = MinHash(n=0, ksize=21, scaled=10, track_abundance=abundance)
    for read in [*random_reads(20, 100), *random_reads(10, 100)]:
        minhash.add_sequence(read)
    return minhash, save_signatures_to_json([SourmashSignature(minhash, name="SRR139146")])


def sourmash_md5(minhash: MinHash) -> str:
    """Return the md5 that sourmash computes."""
    return str(SourmashSignature(minhash).md5sum())


def test_digest_matches_its_definition() -> None:
    sketches = [sketch([1, 2**64 - 1], [7, 2**40], ksize=31), sketch([5, 6], [1, 1]), sketch([], [], ksize=51)]
    assert digest(sketches) == digest_by_hand([(21, {5: 1, 6: 1}), (31, {1: 7, 2**64 - 1: 2**40}), (51, {})])


def test_digest_tells_a_sketch_without_abundances_from_one_with_abundances() -> None:
    assert digest([sketch([5, 6], None)]) == digest_by_hand([(21, {5: 0, 6: 0})])
    assert digest([sketch([5, 6], None)]) != digest([sketch([5, 6], [1, 1])])


def test_digest_does_not_depend_on_the_order_of_sketches() -> None:
    sketches = [sketch(ksize=k) for k in (21, 31, 51)]
    assert digest(sketches) == digest(sketches[::-1])


@pytest.mark.parametrize(
    "other",
    [
        sketch(abundances=(4, 5, 7)),
        sketch(hashes=(1, 2, 4)),
        sketch(ksize=31),
        sketch(max_hash=MAX_HASH - 1),
        sketch(hashes=(1, 2), abundances=(4, 5)),
        Sketch(21, 43, MAX_HASH, numbers([1, 2, 3]), numbers([4, 5, 6])),
        Sketch(21, 42, MAX_HASH, numbers([1, 2, 3]), numbers([4, 5, 6]), moltype="protein"),
    ],
)
def test_digest_depends_on_every_part_of_a_sketch(other: Sketch) -> None:
    assert digest([sketch()]) != digest([other])


def test_digest_tells_two_sketches_from_one_merged_sketch() -> None:
    assert digest([sketch([1], [1]), sketch([2], [1])]) != digest([sketch([1, 2], [1, 1])])


@pytest.mark.parametrize("abundance", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_file_of_sourmash_is_read(tmp_path: Path, abundance: bool, packed: bool) -> None:
    minhash, text = sourmash_signature(abundance=abundance)
    signature = read_signature(written(tmp_path / "x.sig", gzip.compress(text) if packed else text))
    (read,) = signature.sketches
    counts = dict(minhash.hashes)
    assert len(counts) > 50
    assert (signature.name, signature.filename) == ("SRR139146", "")
    assert (read.ksize, read.seed, read.scaled, read.moltype) == (21, 42, 10, "DNA")
    assert read.hashes.tolist() == sorted(counts)
    assert (read.abundances is not None) is abundance
    if read.abundances is not None:
        assert dict(zip(read.hashes.tolist(), read.abundances.tolist(), strict=True)) == counts
    assert read.md5 == read.md5sum() == sourmash_md5(minhash)


@pytest.mark.parametrize(("ksize", "md5"), [(21, "3c59dc04"), (31, "c16a5320"), (51, "2838023a")])
def test_md5_of_an_empty_sketch_is_that_of_sourmash(ksize: int, md5: str) -> None:
    empty = sketch([], [], ksize=ksize)
    assert empty.md5sum() == sourmash_md5(MinHash(n=0, ksize=ksize, scaled=1000))
    assert empty.md5sum().startswith(md5)


def test_md5_of_many_hashes_is_that_of_sourmash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.model.signature_file.BATCH", 7)
    minhash = MinHash(n=0, ksize=21, scaled=1)
    minhash.add_many(range(1000))
    assert sketch(list(range(1000)), None).md5sum() == sourmash_md5(minhash)


@pytest.mark.parametrize("scaled", [1, 2, 10, 1000, 100_000, 10**9])
def test_scaled_matches_max_hash_of_sourmash(scaled: int) -> None:
    minhash = MinHash(n=0, ksize=21, scaled=scaled)
    assert sketch(max_hash=int(minhash._max_hash)).scaled == minhash.scaled == scaled


def test_sketch_without_max_hash_has_no_scaled() -> None:
    assert sketch(max_hash=0).scaled == 0


def test_missing_name_is_read_as_empty(tmp_path: Path) -> None:
    assert read_signature(written(tmp_path / "x", document(entry(), name=None, filename=None))).name == ""


WRONG: dict[str, object] = {
    "an empty file": b"",
    "a text": b"hello",
    "bytes": bytes(range(256)),
    "half a document": json.dumps(document(entry())).encode()[:-20],
    "no list": document(entry())[0],
    "an empty list": [],
    "a list of numbers": [1],
    "two signatures": document(entry()) * 2,
    "another class": document(entry(), **{"class": "x"}),
    "no sketches": document(),
    "sketches that are no list": document(entry(), signatures=5),
    "a sketch that is not an object": document(entry(), signatures=["x"]),
    **{f"no {key}": document(entry(**{key: ...})) for key in ("ksize", "seed", "max_hash", "mins", "molecule")},
    "no md5sum": document(entry(md5sum=...)),
    "descending hashes": document(entry(mins=[2, 1])),
    "a hash twice": document(entry(mins=[1, 1])),
    "too few abundances": document(entry(abundances=[1])),
    "too many abundances": document(entry(abundances=[1, 2, 3])),
    "no abundances for some hashes": document(entry(abundances=[])),
    "a negative hash": document(entry(mins=[-1, 2])),
    "a hash of 65 bits": document(entry(mins=[1, 2**64])),
    "a negative abundance": document(entry(abundances=[-1, 2])),
    "hashes with fractions": document(entry(mins=[1.5, 2.5])),
    "hashes as text": document(entry(mins=["1", "2"])),
    "hashes that are yes and no": document(entry(mins=[False, True])),
    "hashes in hashes": document(entry(mins=[[1, 2], [3, 4]])),
    "hashes that are no list": document(entry(mins="12")),
    "hashes that are nothing": document(entry(mins=[None, 1])),
    "abundances with fractions": document(entry(abundances=[1.5, 2.5])),
    "abundances in abundances": document(entry(abundances=[[1], [2]])),
    "a ksize that is no number": document(entry(ksize="\x1b[31mred")),
    "a ksize that steers the terminal": document(entry(ksize="\x1b[31mred", abundances=[])),
    "a seed that is no number": document(entry(seed=[])),
    "deep nesting": b"[" * 200_000,
    "gzip cut short": gzip.compress(json.dumps(document(entry())).encode())[:-12],
    "gzip with a bit flipped": gzip.compress(json.dumps(document(entry())).encode(), mtime=0)[:-8] + b"\0" * 8,
    "gzip in name only": b"\x1f\x8b",
    "gzip of nothing": gzip.compress(b""),
    "gzip of gzip": gzip.compress(gzip.compress(json.dumps(document(entry())).encode())),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_invalid_file_is_refused_with_a_printable_message(tmp_path: Path, what: str) -> None:
    path = written(tmp_path / "x.sig", WRONG[what])
    with pytest.raises(NotASignature) as refusal:
        read_signature(path)
    assert refusal.value.exit_code is ExitCode.NOT_A_SIGNATURE
    assert refusal.value.sentence.isprintable()
    assert len(refusal.value.sentence) < 500


def test_each_invalid_file_has_a_single_error(tmp_path: Path) -> None:
    assert len(read_signature(written(tmp_path / "x.sig", document(entry()))).sketches) == 1


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()], ids=["missing", "a directory"])
def test_file_that_cannot_be_opened_is_reported(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "x.sig")
    with pytest.raises(NoSuchFile):
        read_signature(tmp_path / "x.sig")


@pytest.mark.parametrize(
    ("ksize", "hashes", "md5"),
    [
        (21, (8519891338276414, 15613204358602775, 17962547928043641), "d59860a01cf1888b600908d699af1b70"),
        (31, (), "c16a5320fa475530d9583c34fd356ef5"),
        (51, (), "2838023a778dfaecdc212708f721b788"),
    ],
)
def test_md5_is_that_of_the_public_signature_of_err1248659(ksize: int, hashes: tuple[int, ...], md5: str) -> None:
    """The public service has computed these sketches with the recipe; each hash was seen once."""
    assert sketch(hashes, [1] * len(hashes), ksize).md5sum() == md5
