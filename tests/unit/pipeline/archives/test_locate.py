"""An archive that the user named is checked before a tool opens it."""

from pathlib import Path

import pytest

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.locate import check_is_archive


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"NCBI.sra")
    return path


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, Reason.NOT_FOUND),
        (b"", Reason.NOT_AN_ARCHIVE),
        (b"NCBI.sr", Reason.NOT_AN_ARCHIVE),
        (b"<!DOCTYPE html>", Reason.NOT_AN_ARCHIVE),
        (b"@read\nACGT\n+\nIIII\n", Reason.NOT_AN_ARCHIVE),
    ],
)
def test_file_without_the_magic_of_an_archive_is_rejected(
    tmp_path: Path, content: bytes | None, reason: Reason
) -> None:
    path = tmp_path / "x.sra"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(JobFailed) as failure:
        check_is_archive(path)
    assert failure.value.failure.reason is reason
    assert str(path) in failure.value.failure.detail


def test_file_with_the_magic_of_an_archive_is_accepted(tmp_path: Path) -> None:
    check_is_archive(put(tmp_path / "my file.sra"))


def test_path_that_the_toolkit_cannot_open_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="%"):
        check_is_archive(put(tmp_path / "a%b.sra"))
