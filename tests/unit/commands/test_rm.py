"""`wort rm` removes signatures from the local store, and says where else they are."""

from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.small_world import SmallWorld, reference
from wort_cli.commands import rm
from wort_cli.errors import UsageError

A, B = "SRR000001", "SRR000002"


@pytest.fixture
def objects() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def world(tmp_path: Path, objects: MemoryStore) -> SmallWorld:
    """A home with a published signature, and one that is nowhere else."""
    made = SmallWorld(tmp_path / "home", objects)
    assert made("compute", A, "--now").code == 0
    assert made("compute", B, "--now", "--no-upload").code == 0
    return made


def test_signature_is_removed_and_can_be_had_again(world: SmallWorld, objects: MemoryStore) -> None:
    done = world("rm", A, B, "--yes")
    assert (done.code, [line.split("\t")[0] for line in done.out.splitlines()[1:]]) == (0, [A, B])
    assert "2 signatures removed; 1 is nowhere else" in done.err
    assert not world.file(A).exists()
    assert not world.store.provenance_path(world.record(A).name).exists()  # type: ignore[union-attr]
    assert world.record(B) is None
    assert objects.contents[f"sigs/{A}.sig"] == reference(A)
    assert "only in the bucket" in world("compute", A, "--now").err
    assert world("compute", B, "--now").code == 0
    assert world.file(B).read_bytes() == reference(B)


def test_without_a_terminal_nothing_is_removed(world: SmallWorld) -> None:
    done = world("rm", B)
    assert done.code == 2
    assert "remove 1 signature (it is nowhere else)? Nothing was removed" in done.err
    assert "--yes" in done.err
    assert "would be removed" in world("rm", B, "--dry-run").err
    assert world.file(B).exists()


@pytest.mark.parametrize(("answer", "is_removed"), [("y", True), ("n", False)])
def test_terminal_is_asked(answer: str, is_removed: bool, world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return answer == "y"

    monkeypatch.setattr("wort_cli.commands.shared.showing.render.is_terminal", lambda *_: True)
    monkeypatch.setattr("typer.confirm", confirm)
    record = world.record(B)
    assert record is not None
    if is_removed:
        rm.confirm([record])
    else:
        with pytest.raises(UsageError, match="nothing was removed"):
            rm.confirm([record])
    assert asked == ["remove 1 signature (it is nowhere else)?"]


def test_unknown_signature_and_one_with_a_live_job_are_refused(world: SmallWorld) -> None:
    assert "has no signature" in world("rm", "SRR000009", "--yes").err
    world("verify", B)
    done = world("rm", A, B, "--yes")
    assert (done.code, "is queued" in done.err) == (2, True)
    assert world.file(A).exists()
