"""Tests of atomic writes in directories where others put links, files and locks."""

import fcntl
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest

from tests.support.second_user import give_to_other
from wort_cli.system.atomic_files import atomic_directory, atomic_file, atomic_output, partial_suffix, write_atomically
from wort_cli.system.file_locks import lock_file
from wort_cli.system.locked_json import locked_json

Writer = Callable[[Path], AbstractContextManager[IO[bytes]]]
WRITERS = (atomic_file, atomic_output)


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def hard_link(path: Path, victim: Path) -> None:
    path.hardlink_to(victim)


def pipe(path: Path, victim: Path) -> None:
    os.mkfifo(path)


def foreign_file(path: Path, victim: Path) -> None:
    path.write_text("planted")
    give_to_other(path)


PLANTED = (link, hard_link, pipe, foreign_file)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("plant", PLANTED)
def test_planted_file_is_not_written_to(tmp_path: Path, writer: Writer, plant: Callable[[Path, Path], None]) -> None:
    """A link, pipe or file of another user in the place of the unfinished file harms nobody."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    target = tmp_path / "X.sig"
    plant(tmp_path / f"X.sig{partial_suffix()}", victim)
    with writer(target) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new"
    assert not target.is_symlink()
    assert target.stat().st_uid == os.geteuid()
    assert target.stat().st_nlink == 1
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("writer", WRITERS)
def test_file_has_the_usual_mode(tmp_path: Path, writer: Writer) -> None:
    """The mode of a new file is that of the umask."""
    before = os.umask(0o027)
    try:
        with writer(tmp_path / "X") as file:
            file.write(b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "X").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("writer", WRITERS)
def test_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, writer: Writer) -> None:
    """If the block raises, the directory is as before."""
    (tmp_path / "X").write_text("old")
    with pytest.raises(ZeroDivisionError), writer(tmp_path / "X") as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("X", "old")]


def test_output_does_not_wait_for_a_lock(tmp_path: Path) -> None:
    """A lock that another process holds on NAME.BOOT.partial does not concern a file outside of wort's directories."""
    with (tmp_path / f"X{partial_suffix()}").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with atomic_output(tmp_path / "X") as file:
            file.write(b"1")
    assert (tmp_path / "X").read_bytes() == b"1"


def test_lock_is_not_waited_for_without_a_limit(tmp_path: Path) -> None:
    """A process that is stopped while it holds a lock makes others fail with a sentence, in time."""
    with (tmp_path / "X").open("wb") as other, (tmp_path / "X").open("wb") as file:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError, match=r"locked for 0\.1 seconds"):
            lock_file(file, 0.1)


def test_killed_writer_leaves_a_file_that_the_next_one_overwrites(tmp_path: Path) -> None:
    """The bytes of a killed writer do not get into the new file."""
    (tmp_path / f"X{partial_suffix()}").write_bytes(b"a long beginning of another file")
    write_atomically(tmp_path / "X", b"short")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("X", b"short")]


def test_shared_document_is_not_written_through_a_link(tmp_path: Path) -> None:
    """A link in the place of a shared JSON file is refused."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "shared.json").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"), locked_json(tmp_path / "shared.json"):
        pass
    assert victim.read_text() == "precious"


def test_directory_appears_with_all_of_its_files(tmp_path: Path) -> None:
    target = tmp_path / "above" / "tasks"
    with atomic_directory(target) as new:
        (new / "inside").mkdir()
        (new / "inside" / "file").write_text("content")
        assert not target.exists()
    assert (target / "inside" / "file").read_text() == "content"
    assert list(target.parent.iterdir()) == [target]
    expected = tmp_path / "expected"
    expected.mkdir()
    assert target.stat().st_mode == expected.stat().st_mode


def test_empty_directory_is_replaced_and_another_one_is_not(tmp_path: Path) -> None:
    target = tmp_path / "tasks"
    target.mkdir()
    with atomic_directory(target) as new:
        (new / "one").touch()
    with pytest.raises(OSError, match="not empty"), atomic_directory(target) as new:
        (new / "two").touch()
    assert [path.name for path in target.iterdir()] == ["one"]
    assert list(tmp_path.iterdir()) == [target]


def test_error_leaves_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="stop"), atomic_directory(tmp_path / "tasks") as new:
        (new / "one").touch()
        raise ValueError("stop")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("plant", [link, foreign_file])
def test_directory_does_not_take_the_place_of_something_else(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "victim").mkdir()
    plant(tmp_path / "tasks", tmp_path / "victim")
    with pytest.raises(OSError, match="Not a directory"), atomic_directory(tmp_path / "tasks"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tasks", "victim"]
