"""The reader returns the facts of any signature that sourmash writes, and stays within its limits."""

import gzip
from pathlib import Path

import pytest

from tests.support.hostile_signatures import HOSTILE
from tests.support.submissions import document, sketch, text, valid_signature
from wort_cli.model.signature_file import parse_signature
from wort_cli.reading import signatures
from wort_cli.reading.facts import SignatureFacts
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import LimitExceeded, Refusal
from wort_cli.reading.signatures import read_facts

ANY = ReadLimits()


def facts_of(data: bytes, directory: Path, limits: ReadLimits = ANY) -> SignatureFacts:
    path = directory / "x.sig"
    path.write_bytes(data)
    with path.open("rb") as file:
        return read_facts(file, limits)


def test_facts_are_the_same_from_this_process_and_from_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = facts_of(gzip.compress(valid_signature()), tmp_path)
    assert here == SignatureFacts.of(parse_signature(valid_signature()))
    assert (here.profile, here.name, len(here.sketches)) == ("sra-v1", "SRR000001", 3)
    monkeypatch.setattr(signatures, "SMALL", 0)
    assert facts_of(gzip.compress(valid_signature()), tmp_path) == here


def test_signature_of_other_parameters_has_no_profile(tmp_path: Path) -> None:
    protein = sketch(10, [1, 2], molecule="protein", max_hash=0, num=500)
    del protein["abundances"]
    found = facts_of(text(document(signatures=[sketch(7, [1, 2, 3]), protein])), tmp_path)
    assert (found.profile, found.name, len(found.sketches)) == ("", "SRR000001", 2)
    assert facts_of(text(document(hashes=0)), tmp_path).profile == "sra-v1"


def test_small_file_that_unpacks_to_much_is_read_in_a_child(tmp_path: Path) -> None:
    bomb = HOSTILE["bomb of ascending hashes"]()
    with pytest.raises(LimitExceeded, match=r"decompressed size|memory|seconds"):
        facts_of(bomb, tmp_path, ReadLimits(unpacked=30_000_000))


def test_file_above_the_size_limit_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="larger than 100 bytes"):
        facts_of(valid_signature(), tmp_path, ReadLimits(size=100))


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"\x1f\x8b", valid_signature()[:-9]])
def test_anything_else_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(Refusal):
        facts_of(data, tmp_path)
