"""`wort import` brings the homes of cluster nodes together; it believes no file, and replaces nothing."""

import gzip
import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.small_world import Result, SmallWorld, reference, signature_bytes, wrong, wrong_sketches
from wort_cli.model.accession import Accession

A, B = "SRR000001", "SRR000002"


@pytest.fixture
def node(tmp_path: Path) -> SmallWorld:
    """The home of another machine, with two signatures."""
    made = SmallWorld(tmp_path / "node", MemoryStore())
    for run in (A, B):
        assert made("compute", run, "--now", "--no-upload").code == 0
    return made


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return SmallWorld(tmp_path / "home", MemoryStore())


def rows(done: Result) -> list[tuple[str, str]]:
    """Return the name and the state in each line."""
    return [(name, state) for name, state, *_ in (line.split("\t") for line in done.out.splitlines()[1:])]


def test_signatures_of_another_home_are_taken_with_their_provenance(node: SmallWorld, world: SmallWorld) -> None:
    (node.settings.store_dir / "notes.txt").write_text("x")
    before = world("import", str(node.settings.store_dir), "--dry-run")
    assert [line.split("\t")[:2] for line in before.out.splitlines()[1:]] == [
        [A, "would be imported"],
        [B, "would be imported"],
    ]
    assert world.record(A) is None
    done = world("import", str(node.settings.store_dir))
    assert (done.code, [line.split("\t")[:2] for line in done.out.splitlines()[1:]]) == (
        0,
        [[A, "imported"], [B, "imported"]],
    )
    assert "1 other file skipped" in done.err
    assert world.file(A).read_bytes() == reference(A)
    assert world.trust(A) == "unverified"
    assert world.store.provenance(Accession(A)) == node.store.provenance(Accession(A))
    assert "0 imported, 2 in sync" in world("import", str(node.settings.store_dir)).err
    assert world("view", A).code == 0
    assert world("verify", A, "--now").code == 0
    assert world.trust(A) == "verified"


def test_plain_file_without_provenance_is_taken_compressed(world: SmallWorld, tmp_path: Path) -> None:
    (tmp_path / "x.sig").write_bytes(gzip.decompress(reference(A)))
    assert world("import", str(tmp_path / "x.sig")).code == 0
    assert world.file(A).read_bytes() == reference(A)
    record = world.record(A)
    assert record is not None
    assert (record.provenance.source, record.trust) == (str(tmp_path / "x.sig"), "unverified")


def test_provenance_of_another_signature_is_not_taken(node: SmallWorld, world: SmallWorld, tmp_path: Path) -> None:
    (tmp_path / "x.sig").write_bytes(wrong(A))
    (tmp_path / "x.prov.json").write_text(json.dumps(node.store.provenance(Accession(A)).to_json()))
    assert world("import", str(tmp_path / "x.sig")).code == 0
    record = world.record(A)
    assert record is not None
    assert record.provenance.host == ""


def test_other_content_replaces_nothing(world: SmallWorld, tmp_path: Path) -> None:
    world("compute", A, "--now", "--no-upload")
    (tmp_path / "x.sig").write_bytes(wrong(A))
    done = world("import", str(tmp_path / "x.sig"), "--json")
    assert done.code == 1
    assert "the catalog has another signature" in json.loads(done.out)["signatures"][0]["message"]
    assert world.file(A).read_bytes() == reference(A)
    assert world.trust(A) == "computed"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"<html>", gzip.compress(b"[" * 100_000, mtime=0), signature_bytes("no/name", wrong_sketches(A))],
    ids=["empty", "cut", "page", "nested", "name"],
)
def test_file_that_is_no_signature_is_named_and_passed_over(content: bytes, world: SmallWorld, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.sig").write_bytes(content)
    (tmp_path / "in" / "good.sig").write_bytes(reference(A))
    os.mkfifo(tmp_path / "in" / "fifo.sig")
    (tmp_path / "in" / "link.sig").symlink_to(tmp_path / "in" / "good.sig")
    done = world("import", str(tmp_path / "in"))
    assert done.code == 1
    assert [line.split("\t")[1] for line in done.out.splitlines()[1:]] == ["failed", "imported"]
    assert "bad.sig" in done.out
    assert world.file(A).exists()


def test_named_file_is_never_passed_over_silently(world: SmallWorld, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("signatures/x.sig.gz", reference(A))
    done = world("import", str(tmp_path / "x.zip"))
    assert (done.code, "it is a zip file" in done.out) == (1, True)
    (tmp_path / "odd").write_bytes(reference(A))
    assert world("import", str(tmp_path / "odd")).code == 0
    assert world.file(A).read_bytes() == reference(A)


def test_collection_under_a_wrong_name_is_refused(world: SmallWorld, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.sig", "w") as archive:
        archive.writestr("signatures/x.sig.gz", reference(A))
    done = world("import", str(tmp_path / "x.sig"))
    assert (done.code, "it is a zip file" in done.out) == (1, True)
    assert world.record(A) is None
    assert not world.file(A).parent.exists()


def test_missing_directory_is_refused(world: SmallWorld, tmp_path: Path) -> None:
    assert world("import", str(tmp_path / "nowhere")).code == 2
