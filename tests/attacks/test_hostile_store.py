"""Files of the local store, their provenance, and sealed signatures that somebody swapped."""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.small_world import SmallWorld, reference, renamed, wrong, wrong_sketches
from wort_cli.model.accession import Accession
from wort_cli.model.signature_file import digest
from wort_cli.pipeline.publish import is_sealed_content
from wort_cli.stores.object_store import Headers

A, B = "SRR000001", "SRR000002"
KEY = f"sigs/{A}.sig"

SWAPS: dict[str, Callable[[], bytes]] = {
    "another content": lambda: wrong(A),
    "another run": lambda: reference(B),
    "another name": lambda: renamed(reference(A), A, B),
    "garbage": lambda: b"<html>",
}
swaps = pytest.mark.parametrize("swap", SWAPS.values(), ids=SWAPS)


@pytest.fixture
def objects() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def world(tmp_path: Path, objects: MemoryStore) -> SmallWorld:
    """A home that has computed A, and did not upload it."""
    made = SmallWorld(tmp_path / "home", objects)
    assert made("compute", A, "--now", "--no-upload").code == 0
    return made


def forge_provenance(world: SmallWorld) -> None:
    """Let the provenance beside the file of A describe the wrong signature."""
    made = replace(world.store.provenance(Accession(A)), digest=digest(wrong_sketches(A)))
    world.store.put_provenance(made, Accession(A))


@swaps
def test_swapped_file_is_not_handed_out(world: SmallWorld, swap: Callable[[], bytes], tmp_path: Path) -> None:
    world.file(A).write_bytes(swap())
    forge_provenance(world)
    out = tmp_path / "out" / "out.sig"
    out.parent.mkdir()
    for words in ("view", "view --raw", f"view -o {out}", f"compute --now -o {out}"):
        done = world(*words.split(), A)
        assert (done.code, "is not the recorded signature" in done.err) == (5, True)
    assert list(out.parent.iterdir()) == []


@swaps
def test_swapped_file_is_not_pushed(world: SmallWorld, objects: MemoryStore, swap: Callable[[], bytes]) -> None:
    world.file(A).write_bytes(swap())
    forge_provenance(world)
    assert world("sync", "push").code == 1
    assert objects.contents == {}


def test_file_that_is_swapped_while_it_is_pushed_is_not_published(
    world: SmallWorld, objects: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = objects.put

    def swap_and_put(key: str, content: Path | bytes, headers: Headers, *, replacing: str = "") -> str:
        if isinstance(content, Path):
            content.write_bytes(wrong(A))
        return put(key, content, headers, replacing=replacing)

    monkeypatch.setattr(objects, "put", swap_and_put)
    assert world("sync", "push").code == 75
    assert objects.contents == {}


@swaps
def test_swapped_file_is_moved_away_and_computed_again(world: SmallWorld, swap: Callable[[], bytes]) -> None:
    before = world.record(A)
    world.file(A).write_bytes(swap())
    forge_provenance(world)
    world.repair()
    assert not world.file(A).exists()
    (aside,) = (world.settings.store_dir / "damaged").iterdir()
    assert aside.read_bytes() == swap()
    assert world("compute", A, "--now", "--no-upload").code == 0
    after = world.record(A)
    assert before is not None
    assert after is not None
    assert (after.digest, after.trust, world.file(A).read_bytes()) == (before.digest, before.trust, reference(A))


def test_swapped_file_is_not_verified(world: SmallWorld) -> None:
    world.file(A).write_bytes(renamed(reference(A), A, B))
    assert world("verify", A, "--now").code == 5
    assert world.trust(A) == "mismatch"


def test_file_that_no_catalog_knows_is_unverified_and_not_pushed(world: SmallWorld, objects: MemoryStore) -> None:
    """It is wrong, and its provenance says that it was computed on this host."""
    world.file(B).write_bytes(wrong(B))
    made = replace(world.store.provenance(Accession(A)), name=B, digest=digest(wrong_sketches(B)))
    world.store.put_provenance(made, Accession(B))
    assert world("sync", "push", B).code == 1
    world.repair()
    assert world.trust(B) == "unverified"
    assert world("sync", "push", B).code == 1
    assert f"sigs/{B}.sig" not in objects.contents


@pytest.mark.parametrize("trust", ["unverified", "quick-checked", "published", "mismatch", "unverifiable", "unproved"])
def test_only_established_signatures_are_pushed(world: SmallWorld, objects: MemoryStore, trust: str) -> None:
    set_trust(world, trust)
    assert world("sync", "push").code == 1
    assert objects.contents == {}


def test_trust_travels_with_the_object(world: SmallWorld, objects: MemoryStore) -> None:
    world("verify", A, "--now")
    assert world("sync", "push").code == 0
    assert (objects.contents[KEY], objects.metadata[KEY]["trust"]) == (reference(A), "verified")


def test_provenance_beside_the_file_is_not_published(world: SmallWorld, objects: MemoryStore) -> None:
    """The one in the catalog is."""
    made = replace(world.store.provenance(Accession(A)), host="forged")
    world.store.put_provenance(made, Accession(A))
    assert world("sync", "push").code == 0
    assert json.loads(objects.contents[f"prov/{A}.json"])["host"] != "forged"


def test_refuted_signature_is_computed_again(world: SmallWorld) -> None:
    set_trust(world, "mismatch")
    done = world("compute", A, "--now", "--no-upload")
    assert (done.code, "already there" in done.out) == (0, False)
    assert world.trust(A) == "computed"


def test_signature_of_an_earlier_version_is_compared_by_content(world: SmallWorld) -> None:
    """Its checksum was not recorded."""
    change(world, "UPDATE signatures SET sha256 = ''")
    assert world("view", A).code == 0
    for swap in SWAPS.values():
        world.file(A).write_bytes(swap())
        assert world("view", A, "--raw").code == 5


def test_sealed_signature_that_was_replaced_is_not_published(world: SmallWorld, tmp_path: Path) -> None:
    sealed, made = tmp_path / "sealed.sig", world.store.provenance(Accession(A))
    sealed.write_bytes(reference(A))
    assert is_sealed_content(sealed, made)
    for swap in SWAPS.values():
        sealed.write_bytes(swap())
        assert not is_sealed_content(sealed, made)


def set_trust(world: SmallWorld, trust: str) -> None:
    """Set the trust of the recorded signature of A."""
    change(world, f"UPDATE signatures SET trust = '{trust}'")


def change(world: SmallWorld, statement: str) -> None:
    """Change the ledger."""
    with contextlib.closing(sqlite3.connect(world.settings.ledger_file)) as connection, connection:
        connection.execute(statement)
