"""A home that has nothing yet finds, lists and brings what is in the bucket, and says who computed it."""

import json
from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.small_world import SmallWorld, publish_elsewhere, reference, reference_sketches, wrong_sketches
from wort_cli.model.s3_target import S3Target

A, B = "SRR000001", "SRR000002"


@pytest.fixture
def objects() -> MemoryStore:
    """A bucket with the signatures of two runs, and other objects."""
    made = MemoryStore()
    for run in (A, B):
        publish_elsewhere(made, run, reference_sketches(run))
    del made.contents[f"prov/{B}.json"]
    for key in ("sigs/README.txt", "sigs/GCA_000001.sig", "other"):
        made.contents[key] = b"x"
    return made


@pytest.fixture
def fresh(tmp_path: Path, objects: MemoryStore) -> SmallWorld:
    return SmallWorld(tmp_path / "home", objects)


def test_pull_brings_what_is_in_the_bucket_to_a_fresh_home(fresh: SmallWorld) -> None:
    done = fresh("sync", "pull")
    assert (done.code, sorted(done.out.splitlines())) == (
        0,
        [f"{A}\tpulled\t", f"{B}\tpulled\t", "name\tstate\tmessage"],
    ), done.err
    assert fresh.file(A).read_bytes() == reference(A)
    assert fresh.trust(A) == "published"
    again = fresh("sync", "pull")
    assert (again.code, again.out) == (0, "name\tstate\tmessage\n")
    assert "0 pulled, 2 in sync" in again.err


def test_pull_reports_a_signature_that_the_bucket_has_lost(fresh: SmallWorld, objects: MemoryStore) -> None:
    fresh("compute", A, "--now")
    assert not fresh.file(A).exists()
    del objects.contents[f"sigs/{A}.sig"]
    done = fresh("sync", "pull")
    assert done.code == 1
    assert f"{A}\tfailed" in done.out
    assert f"{B}\tpulled" in done.out
    objects.target = S3Target("another")
    assert f"{A}\tfailed" not in fresh("sync", "pull").out


def test_ls_lists_the_signatures_of_the_bucket(fresh: SmallWorld) -> None:
    size = len(reference(A))
    assert fresh("sync", "ls", "--no-header").out.splitlines() == [
        f"{A}\t{size}\tfalse\ttrue\ts3://wort-test/sigs/{A}.sig",
        f"{B}\t{len(reference(B))}\tfalse\tfalse\ts3://wort-test/sigs/{B}.sig",
    ]
    fresh("sync", "pull", A)
    rows = json.loads(fresh("sync", "ls", A, "SRR000009", "--json").out)["signatures"]
    assert rows == [
        {
            "name": A,
            "size": size,
            "local": True,
            "provenance": True,
            "url": f"s3://wort-test/sigs/{A}.sig",
            "path": str(fresh.file(A)),
        }
    ]


def test_signature_of_others_is_not_shown_as_computed_here(fresh: SmallWorld) -> None:
    fresh("sync", "pull", A)
    shown = dict(line.split("\t", 1) for line in fresh("view", A).out.splitlines() if "\t" in line)
    assert shown["trust"] == "published"
    assert shown["computed elsewhere"].endswith("on sra-node-1, according to its publisher")
    assert "computed" not in shown


def test_done_in_the_bucket_says_so_and_local_brings_it(fresh: SmallWorld) -> None:
    assert fresh("compute", A, "--local").code == 2
    done = fresh("compute", A, "--now")
    assert done.out.splitlines()[1].split("\t") == [A, "in the bucket", "1", "", f"s3://wort-test/sigs/{A}.sig"]
    assert "1 signature only in the bucket; `--local` downloads" in done.err
    (row,) = json.loads(fresh("compute", A, "--now", "--json").out)["signatures"]
    assert (row["state"], row["where"]) == ("already there", "bucket")
    (row,) = json.loads(fresh("compute", A, B, "--now", "--json", "--local").out)["signatures"][:1]
    assert (row["where"], row["path"]) == ("local", str(fresh.file(A)))
    assert fresh.file(B).read_bytes() == reference(B)
    assert fresh.trust(B) == "published"


def test_local_refuses_other_bytes_than_were_found_before(fresh: SmallWorld, objects: MemoryStore) -> None:
    fresh("compute", A, "--now")
    publish_elsewhere(objects, A, wrong_sketches(A))
    done = fresh("compute", A, "--now", "--local")
    assert done.code == 1
    assert f"{A}: not brought into the local store" in done.err
    assert not fresh.file(A).exists()
