"""Whatever lies in a directory that people can reach, it ends no command: it is named and skipped."""

import os
from pathlib import Path

import pytest

from tests.support.memory_store import MemoryStore
from tests.support.small_world import SmallWorld, publish_elsewhere, reference_sketches
from wort_cli.commands.shared.checking.repair import check_home
from wort_cli.stores.local import LocalStore
from wort_cli.upkeep.backups import list_backups, newest_backup_time

A, B, C = "SRR000001", "SRR000002", "SRR000003"
ODD_NAME = b"\xff\xfe.sig"


def litter(directory: Path) -> None:
    """Put everything into a directory that may lie there by accident, also under names of wort's own files."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "notes.txt").write_text("x")
    (directory / ".DS_Store").write_text("x")
    (directory / "copy" / "deep").mkdir(parents=True)
    (directory / "gone.sig").symlink_to("nowhere")
    (directory / f"{C}.sig").mkdir()
    (directory / "SRR000").mkdir(exist_ok=True)
    (directory / "7").write_text("x")
    (directory / "ledger-20260101-000000.db").mkdir()
    os.mkfifo(directory / "SRR000009.sig")
    Path(os.fsdecode(os.fsencode(directory) + b"/" + ODD_NAME)).write_text("x")


@pytest.fixture
def objects() -> MemoryStore:
    made = MemoryStore()
    publish_elsewhere(made, B, reference_sketches(B))
    return made


@pytest.fixture
def world(tmp_path: Path, objects: MemoryStore) -> SmallWorld:
    """A home with one signature, and litter in each of its directories."""
    made = SmallWorld(tmp_path / "home", objects)
    assert made("compute", A, "--now").code == 0
    directories = [path for path in (tmp_path / "home").rglob("*") if path.is_dir()]
    for directory in {*directories, made.settings.work_dir, made.settings.backup_dir, made.settings.slots_dir}:
        litter(directory)
    return made


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "command",
    [
        "status",
        "sync push",
        "sync check",
        "sync ls",
        "sync pull",
        f"view {A}",
        f"compute {A} --now --force",
        f"logs {A}",
    ],
)
def test_command_passes_over_what_is_not_its_own(world: SmallWorld, command: str) -> None:
    done = world(*command.split())  # asserts that there is no unexpected error
    assert done.code in (0, 1), done.err
    assert "unexpected" not in done.err
    if command.startswith("sync"):
        assert A in done.out or "in sync" in done.err
        assert "skipped" in done.err
        assert ".DS_Store" in done.err
    assert world.file(A).is_file()


def test_doctor_names_what_is_not_its_own_and_keeps_it(world: SmallWorld) -> None:
    found = list(check_home(world.settings, repair=False, full=True))
    strays = [finding for finding in found if "notes.txt" in finding.what]
    assert {finding.state for finding in strays} == {"warning"}
    world.repair()
    assert (world.settings.store_dir / "sigs" / "notes.txt").exists()
    assert world.file(A).is_file()


def test_runs_of_the_store_are_those_with_a_file_in_its_place(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    for path in ("sigs/SRR000/SRR000001.sig", "sigs/SRR001/SRR000002.sig", "sigs/SRR000/SRR000003.sig/x"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    (tmp_path / "sigs" / "SRR000004.sig").write_text("x")
    assert list(store.runs()) == [A]
    assert [str(path.relative_to(tmp_path)) for path in store.strays()] == [
        "sigs/SRR000/SRR000003.sig", "sigs/SRR000004.sig", "sigs/SRR001/SRR000002.sig",
    ]  # fmt: skip


def test_only_the_daemons_own_backups_are_counted_and_removed(tmp_path: Path) -> None:
    own = tmp_path / "ledger-20260101-000000.db"
    for path in (own, tmp_path / "ledger-before-the-move.db"):
        path.write_text("x")
    (tmp_path / "ledger-20260102-000000.db").mkdir()
    (tmp_path / "ledger-20260103-000000.db").symlink_to("nowhere")
    assert list_backups(tmp_path) == [own]
    assert newest_backup_time(tmp_path) == own.stat().st_mtime
