"""The log of the server is rotated, and a disk that is full costs lines only."""

from pathlib import Path

import pytest

from wort_cli.errors import StorageProblem
from wort_cli.web.log_file import FILES, LogFile


def test_file_is_private_and_rotated(tmp_path: Path) -> None:
    path = tmp_path / "serve.log"
    log = LogFile(path, max_size=20)
    for number in range(30):
        log.write(f"line number {number:02}\n")
    log.close()
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"serve.log", *(f"serve.log.{number}" for number in range(1, FILES + 1))}
    assert (tmp_path / "serve.log.1").read_text() == "line number 28\nline number 29\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_file_that_others_renamed_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "serve.log"
    log = LogFile(path)
    log.write("one\n")
    path.rename(tmp_path / "old")
    log.write("two\n")
    log.reopen()
    log.write("three\n")
    log.close()
    assert ((tmp_path / "old").read_text(), path.read_text()) == ("one\ntwo\n", "three\n")


def test_full_disk_raises_nothing() -> None:
    log = LogFile(Path("/dev/full"))
    log.write("lost\n")
    log.flush()
    log.close()


def test_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageProblem, match="log cannot be written"):
        LogFile(tmp_path / "none" / "serve.log")
