"""A bucket whose objects, metadata and provenance are not what they say."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.small_world import (
    SmallWorld,
    publish_elsewhere,
    reference,
    reference_sketches,
    renamed,
    wrong,
    wrong_sketches,
)
from tests.support.submissions import document, text

A, B = "SRR000001", "SRR000002"
KEY = f"sigs/{A}.sig"


@pytest.fixture
def objects() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def world(tmp_path: Path, objects: MemoryStore) -> SmallWorld:
    return SmallWorld(tmp_path / "home", objects)


def announced(content: bytes, objects: MemoryStore) -> None:
    """Put content under the key of A, with the metadata of a right signature."""
    publish_elsewhere(objects, A, reference_sketches(A))
    objects.contents[KEY] = content


GARBAGE = {
    "a page": b"<html>",
    "nothing": b"\0" * 100,
    "another run": renamed(reference(A), A, B),
    "a bomb": gzip.compress(b'[{"name":"' + b"a" * 60_000_000),
    "deep nesting": b"[" * 200_000,
    "truncated": reference(A)[:-20],
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_object_with_right_headers_and_other_bytes_is_computed(
    world: SmallWorld, objects: MemoryStore, content: bytes, tmp_path: Path
) -> None:
    announced(content, objects)
    out = tmp_path / "out.sig"
    assert world("compute", A, "--now", "-o", str(out)).code == 0
    assert out.read_bytes() == gzip.decompress(reference(A))
    assert world.file(A).read_bytes() == objects.contents[KEY] == reference(A)
    assert world.trust(A) == "computed"
    assert content in [objects.contents[key] for key in objects.contents if key.startswith("replaced/")]


def test_garbage_in_a_public_bucket_is_computed(world: SmallWorld, objects: MemoryStore) -> None:
    announced(b"<html>", objects)
    assert world("compute", A, "--now", env={"WORT_S3_UNSIGNED": "true"}).code == 0
    assert (world.trust(A), world.file(A).read_bytes()) == ("computed", reference(A))
    assert objects.contents[KEY] == b"<html>"


def test_signature_of_others_is_published_and_not_computed(world: SmallWorld, objects: MemoryStore) -> None:
    publish_elsewhere(objects, A, wrong_sketches(A))
    assert world("compute", A, "--now").code == 0
    record = world.record(A)
    assert record is not None
    assert (str(record.trust), record.provenance.host, record.path) == ("published", "sra-node-1", "")
    assert "published" in world("view", A).out
    assert world("sync", "pull", A).code == 0
    assert world.trust(A) == "published"
    assert world("verify", A, "--now").code == 5
    assert world.trust(A) == "mismatch"


def test_refuted_signature_of_others_is_computed_and_replaced(world: SmallWorld, objects: MemoryStore) -> None:
    publish_elsewhere(objects, A, wrong_sketches(A))
    lie = objects.contents[KEY]
    world("sync", "pull", A)
    world("verify", A, "--now")
    assert world("compute", A, "--now").code == 0
    assert (world.trust(A), world.file(A).read_bytes(), objects.contents[KEY]) == ("computed", *[reference(A)] * 2)
    assert lie in [objects.contents[key] for key in objects.contents if key.startswith("replaced/")]


def test_signature_in_the_bucket_only_is_downloaded_to_be_verified(world: SmallWorld, objects: MemoryStore) -> None:
    publish_elsewhere(objects, A, wrong_sketches(A))
    publish_elsewhere(objects, B, reference_sketches(B))
    assert world("compute", B, "--now").code == 0  # of A, the catalog knows nothing
    assert world("verify", A, "--now").code == 5
    assert (world.trust(A), world.file(A).read_bytes()) == ("mismatch", objects.contents[KEY])
    assert world("verify", B, "--now").code == 0
    assert world.trust(B) == "verified"
    assert world("verify", "SRR000003", "--now").code == 2
    assert world.trust("SRR000003") == ""


@pytest.mark.parametrize("content", [b"<html>", wrong(A)])
def test_lost_signature_is_not_replaced_by_another_to_be_verified(
    world: SmallWorld, objects: MemoryStore, content: bytes
) -> None:
    assert world("compute", A, "--now").code == 0
    world.file(A).unlink()
    objects.contents[KEY] = content
    before = world.record(A)
    assert world("verify", A, "--now").code == 1
    assert world.record(A) == before
    assert not world.file(A).exists()


def test_right_signature_of_others_is_verified_and_rewritten_here(world: SmallWorld, objects: MemoryStore) -> None:
    publish_elsewhere(objects, A, reference_sketches(A))
    content = gzip.decompress(objects.contents[KEY]).replace(b'"filename":""', b'"filename":"x"')
    objects.contents[KEY] = gzip.compress(content)
    assert world("sync", "pull", A).code == 0
    assert world("verify", A, "--now").code == 0
    assert (world.trust(A), world.file(A).read_bytes()) == ("verified", reference(A))


def test_provenance_that_names_another_run_changes_no_other_record(world: SmallWorld, objects: MemoryStore) -> None:
    world("compute", B, "--now", "--no-upload")
    world("verify", B, "--now", env={"WORT_S3_BUCKET": ""})
    before = world.record(B)
    publish_elsewhere(objects, A, wrong_sketches(A), name=B)
    for words in (("compute", A, "--now"), ("sync", "pull", A)):
        assert world(*words).code == 0
        assert world.record(B) == before
        assert world.trust(A) == "published"


HOSTILE_DOCUMENTS: dict[str, bytes] = {
    "deep nesting": b"[" * 200_000,
    "a list": b"[]",
    "infinity": b'{"spots": Infinity}',
    "large": b" " * 5_000_000 + b"{}",
    "nonsense": b"\xff\xfe",
}
ODD_VALUES: dict[str, Any] = {"spots": "many", "bases": -1, "seconds": 1e400, "tools": [], "host": "x" * 100_000,
                              "sketches": [{}], "argv": "sh", "validated": "yes", "started_at": None}  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE_DOCUMENTS.values(), ids=HOSTILE_DOCUMENTS)
def test_hostile_provenance_is_ignored(world: SmallWorld, objects: MemoryStore, data: bytes) -> None:
    publish_elsewhere(objects, A, reference_sketches(A))
    objects.contents[f"prov/{A}.json"] = data
    check_without_provenance(world)


@pytest.mark.parametrize("key", ODD_VALUES)
def test_oddly_typed_provenance_is_ignored(world: SmallWorld, objects: MemoryStore, key: str) -> None:
    publish_elsewhere(objects, A, reference_sketches(A))
    known = json.loads(objects.contents[f"prov/{A}.json"])
    objects.contents[f"prov/{A}.json"] = json.dumps({**known, key: ODD_VALUES[key]}).encode()
    check_without_provenance(world)


def check_without_provenance(world: SmallWorld) -> None:
    assert world("view", A, "--provenance").code == 0
    assert world("compute", A, "--now").code == 0
    record = world.record(A)
    assert record is not None
    assert (str(record.trust), record.provenance.host) == ("published", "")
    assert world("view", A).code == 0


def test_established_signature_is_not_replaced_from_the_bucket(
    world: SmallWorld, objects: MemoryStore, tmp_path: Path
) -> None:
    """The local file is lost, and the object is another signature."""
    world("compute", A, "--now")
    world("verify", A, "--now")
    before = world.record(A)
    world.file(A).unlink()
    publish_elsewhere(objects, A, wrong_sketches(A))
    assert world("sync", "pull", A).code == 1
    assert world("view", A, "--raw").code == 5
    assert world("compute", A, "--now", "-o", str(tmp_path / "x.sig")).code == 5
    assert world.record(A) == before
    assert world("compute", A, "--now", "--force").code == 0
    assert world.file(A).read_bytes() == objects.contents[KEY] == reference(A)
    assert world.trust(A) == "verified"


def test_job_takes_no_other_signature_than_the_established_one(world: SmallWorld, objects: MemoryStore) -> None:
    """It was never uploaded, its file is lost, and meanwhile others have published another one."""
    world("compute", A, "--now", "--no-upload")
    before = world.record(A)
    world.file(A).unlink()
    publish_elsewhere(objects, A, wrong_sketches(A))
    assert world("compute", A, "--now").code == 1
    assert world.job(A) == ("failed", "conflict")
    assert (world.record(A), world.file(A).read_bytes()) == (before, reference(A))


def test_metadata_that_admit_less_trust_are_believed(world: SmallWorld, objects: MemoryStore) -> None:
    publish_elsewhere(objects, A, reference_sketches(A))
    objects.metadata[KEY]["trust"] = "unproved"
    assert world("compute", A, "--now").code == 0
    assert world.trust(A) == "unverified"


def test_copy_in_the_bucket_does_not_lower_what_was_verified(world: SmallWorld, objects: MemoryStore) -> None:
    world("compute", A, "--now")
    world("verify", A, "--now")
    objects.contents[KEY] = wrong(A)
    assert world("verify", A, "--now").code == 5
    assert world.trust(A) == "verified"


def test_object_larger_than_the_limit_is_not_fetched(world: SmallWorld, objects: MemoryStore) -> None:
    announced(b"x" * 5000, objects)
    limit = {"WORT_SUBMIT_SIZE": "4000"}
    assert world("sync", "pull", A, env=limit).code == 1
    assert world("view", A, env=limit).code == 6
    assert world("compute", A, "--now", env=limit).code == 1  # it may be a signature, so it is not replaced
    assert "too-large" in world("sync", "check", A, "--repair", env=limit).out
    assert world.job(A) == ("failed", "conflict")
    assert objects.reads.count(KEY) == 0
    assert objects.contents[KEY] == b"x" * 5000


def test_signature_of_other_parameters_is_not_replaced(world: SmallWorld, objects: MemoryStore) -> None:
    other = document(A)
    other[0]["signatures"].pop()
    objects.edit(KEY, text(other))
    assert world("compute", A, "--now").code == 1
    assert world.job(A) == ("failed", "params-mismatch")
