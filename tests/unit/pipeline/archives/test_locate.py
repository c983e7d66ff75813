"""Archives on disk are found in the configured directories, and checked before a tool opens them."""

from pathlib import Path

import pytest

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.locate import check_is_archive, find_in_directories

LAYOUTS = [
    f"{folder}SRR139146{suffix}" for folder in ("", "SRR139146/") for suffix in (".sra", ".sralite", ".csra", ".kar")
]


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"NCBI.sra")
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
def test_archive_is_found_in_flat_and_prefetch_layouts(tmp_path: Path, layout: str) -> None:
    path = put(tmp_path / "b" / layout)
    put(tmp_path / "b" / "SRR139147.sra")
    assert find_in_directories("SRR139146", (tmp_path / "no such directory", tmp_path / "a", tmp_path / "b")) == path


def test_first_directory_with_the_archive_wins(tmp_path: Path) -> None:
    first, _ = put(tmp_path / "b" / "SRR139146.kar"), put(tmp_path / "a" / "SRR139146" / "SRR139146.sra")
    assert find_in_directories("SRR139146", (tmp_path / "b", tmp_path / "a")) == first


@pytest.mark.parametrize("other", ["SRR1391467.sra", "SRR139146.fastq", "SRR139146", "SRR139146/x.sra"])
def test_similar_file_names_are_ignored(tmp_path: Path, other: str) -> None:
    put(tmp_path / other)
    assert find_in_directories("SRR139146", (tmp_path,)) is None


def test_directory_with_the_name_of_an_archive_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "SRR139146.sra").mkdir()
    assert find_in_directories("SRR139146", (tmp_path,)) is None
    assert find_in_directories("SRR139146", ()) is None


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
