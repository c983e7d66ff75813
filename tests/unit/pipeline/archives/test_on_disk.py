"""Archives of a run are found on disk in every layout, and the setting `quality` chooses among them."""

from pathlib import Path

import pytest

from tests.support.kar_files import kar_archive, metadata
from tests.unit.pipeline.archives.test_archive_names import LAYOUTS, RUN
from wort_cli.model.archive_format import Format
from wort_cli.pipeline.archives.archive_format import format_of
from wort_cli.pipeline.archives.fetch_record import FetchRecord, write_record
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.on_disk import FoundArchive, choose, find_in_directories, find_in_folder

NEITHER = kar_archive({"tbl": {"SEQUENCE": {"col": {"READ": {"data": b"x"}}}}, "md": {"cur": metadata({})}})
NORMALIZED = kar_archive({"tbl": {"SEQUENCE": {"col": {"QUALITY": {"data": b"x"}}}}, "md": {"cur": metadata({})}})
LITE = kar_archive({"md": {"cur": metadata({"SOFTWARE": {"delite": {"name": "delite", "vers": "1"}}})}})


def put(path: Path, content: bytes = NEITHER) -> Path:
    """Write an archive, with a record if it is one of columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if path.name.endswith(".columns"):
        write_record(path, record_of(len(content)))
    return path


def record_of(size: int) -> FetchRecord:
    extents = (Extent(0, size - 1),)
    return FetchRecord(
        RUN, Format.NORMALIZED, size, "", "https://example.org/x", True, "column-md5s", "0" * 64, extents, (), 1.0, "1"
    )


def found_in(*directories: Path, quality: str = "prefer-normalized") -> Path | None:
    found = choose(find_in_directories(RUN, directories, lambda _: None), quality)
    return found.path if found else None


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_archive_is_found_in_every_layout(tmp_path: Path, layout: str) -> None:
    path = put(tmp_path / "b" / layout)
    put(tmp_path / "b" / "SRR139147.sra")
    assert found_in(tmp_path / "no such directory", tmp_path / "a", tmp_path / "b") == path


def test_first_directory_with_the_archive_wins(tmp_path: Path) -> None:
    first, _ = put(tmp_path / "b" / "SRR139146.kar"), put(tmp_path / "a" / RUN / "SRR139146.sra")
    assert found_in(tmp_path / "b", tmp_path / "a") == first


@pytest.mark.parametrize("other", ["SRR1391467.sra", "SRR139146.fastq", "SRR139146/x.sra", "SRR139146.sra.tmp"])
def test_similar_file_names_are_ignored(tmp_path: Path, other: str) -> None:
    put(tmp_path / other)
    assert found_in(tmp_path) is None


def test_directory_with_the_name_of_an_archive_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "SRR139146.sra").mkdir()
    assert found_in(tmp_path) is None
    assert found_in() is None


@pytest.mark.parametrize("content", [b"", b"NCBI.sr", b"<!DOCTYPE html>"])
def test_file_that_is_no_archive_is_passed_over_and_logged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "SRR139146.sra").write_bytes(content)
    good = put(tmp_path / "next" / "SRR139146.sralite")
    log: list[str] = []
    assert list(find_in_directories(RUN, (tmp_path, tmp_path / "next"), log.append)) == [
        FoundArchive(good, Format.LITE)
    ]
    assert log == [f"{tmp_path / 'SRR139146.sra'} is skipped: it does not start like an SRA archive"]


def test_columns_without_their_record_are_passed_over(tmp_path: Path) -> None:
    path = put(tmp_path / "SRR139146.sra.columns")
    (tmp_path / "SRR139146.sra.columns.json").unlink()
    assert found_in(tmp_path) is None
    write_record(path, record_of(path.stat().st_size + 1))
    assert found_in(tmp_path) is None
    write_record(path, record_of(path.stat().st_size))
    assert found_in(tmp_path) == path


@pytest.mark.parametrize(
    ("quality", "names", "chosen"),
    [
        ("prefer-normalized", ("SRR139146.sralite", "SRR139146.1"), "SRR139146.1"),
        ("prefer-normalized", ("SRR139146.sra.columns", "SRR139146.sra"), "SRR139146.sra"),
        ("prefer-normalized", ("SRR139146.sralite", "SRR139146.sra.columns"), "SRR139146.sra.columns"),
        ("prefer-normalized", ("SRR139146.sralite",), "SRR139146.sralite"),
        ("normalized", ("SRR139146.sralite", "SRR139146.lite.1"), None),
        ("normalized", ("SRR139146.sralite", "SRR139146.kar"), "SRR139146.kar"),
        ("lite", ("SRR139146.sra", "SRR139146"), None),
        ("lite", ("SRR139146.sra", "SRR139146.lite.1"), "SRR139146.lite.1"),
    ],
)
def test_quality_chooses_among_several_archives(
    tmp_path: Path, quality: str, names: tuple[str, ...], chosen: str | None
) -> None:
    for name in names:
        put(tmp_path / name)
    found = found_in(tmp_path, quality=quality)
    assert (found.name if found else None) == chosen


def test_normalized_archive_of_a_later_directory_is_preferred_to_a_lite_one(tmp_path: Path) -> None:
    put(tmp_path / "a" / "SRR139146.sralite")
    normalized = put(tmp_path / "b" / "SRR139146.sra")
    assert found_in(tmp_path / "a", tmp_path / "b") == normalized
    assert found_in(tmp_path / "b", tmp_path / "a", quality="lite") == tmp_path / "a" / "SRR139146.sralite"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.sra", NORMALIZED, Format.NORMALIZED),
        ("x.sralite", NORMALIZED, Format.NORMALIZED),
        ("x.sra", LITE, Format.LITE),
        ("x", LITE, Format.LITE),
        ("x.sralite", NEITHER, Format.LITE),
        ("x.lite.1", NEITHER, Format.LITE),
        ("x.sra", NEITHER, Format.NORMALIZED),
        ("x.sralite", b"NCBI.sra", Format.LITE),
        ("x.sra", kar_archive({"md": {"cur": b"\x88\x19\x03\x05damaged"}}), Format.NORMALIZED),
        ("x.sra", kar_archive({"md": {"cur": metadata({"SOFTWARE": {"loader": {"name": "delite"}}})}}),
         Format.NORMALIZED),
    ],
)  # fmt: skip
def test_format_comes_from_the_content_or_else_the_name(
    tmp_path: Path, name: str, content: bytes, expected: Format
) -> None:
    assert format_of(put(tmp_path / name, content)) is expected


def test_folder_of_a_run_is_searched_for_its_names_only(tmp_path: Path) -> None:
    put(tmp_path / "run" / "other.sra")
    path = put(tmp_path / "run" / "run.sra")
    assert list(find_in_folder("run", tmp_path / "run", lambda _: None)) == [FoundArchive(path, Format.NORMALIZED)]
    assert list(find_in_folder("run", tmp_path / "nowhere", lambda _: None)) == []
