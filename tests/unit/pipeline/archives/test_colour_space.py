"""The columns of an archive show whether it has colours or bases."""

from pathlib import Path

import pytest

from tests.support.kar_files import kar_archive
from wort_cli.pipeline.archives.colour_space import has_colours


def archive(path: Path, *columns: str) -> Path:
    path.write_bytes(kar_archive({"tbl": {"SEQUENCE": {"col": {name: {"data": b"x"} for name in columns}}}}))
    return path


@pytest.mark.parametrize("column", ["CSREAD", "CMP_CSREAD", "CS_KEY"])
def test_columns_of_colours(tmp_path: Path, column: str) -> None:
    assert has_colours(archive(tmp_path / "x.sra", "READ_LEN", column))


def test_bases_are_no_colours(tmp_path: Path) -> None:
    assert not has_colours(archive(tmp_path / "x.sra", "READ", "READ_LEN", "CS_NATIVE"))


def test_file_that_is_not_an_archive_has_no_colours(tmp_path: Path) -> None:
    path = tmp_path / "x.sra"
    path.write_bytes(b"text")
    assert not has_colours(path)
