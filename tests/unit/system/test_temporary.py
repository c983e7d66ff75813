"""Large temporary files go to the disk of the home, because TMPDIR may be a small disk in memory."""

import tempfile
from pathlib import Path

import pytest

from wort_cli.system.temporary import roomiest, scratch_directory


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory TMPDIR."""
    found = tmp_path / "small"
    found.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(found))
    return found


def test_scratch_directory_is_on_the_disk_of_the_home(tmp_path: Path, small: Path) -> None:
    cache = tmp_path / "home" / "cache"
    with scratch_directory(cache) as scratch:
        assert scratch.parent == cache
        assert scratch.stat().st_mode & 0o077 == 0
        (scratch / "large").write_bytes(bytes(1000))
        assert list(small.iterdir()) == []
    assert not (tmp_path / "home").exists()


def test_scratch_directory_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    with scratch_directory(tmp_path / "home" / "cache"):
        pass
    assert list((tmp_path / "home").iterdir()) == []


def test_scratch_directory_is_in_tmpdir_if_the_home_cannot_be_written(tmp_path: Path, small: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with scratch_directory(tmp_path / "home" / "cache") as scratch:
        assert scratch.parent == small
    assert list(small.iterdir()) == []


def test_directory_without_room_is_not_chosen(tmp_path: Path) -> None:
    assert roomiest([tmp_path / "missing", tmp_path], 1) == tmp_path
    with pytest.raises(OSError, match="no temporary directory has room"):
        roomiest([tmp_path], 1 << 62)
    with pytest.raises(OSError, match="no temporary directory has room"):
        roomiest([tmp_path / "missing"])
