"""Versions of libraries are those that importlib.metadata finds."""

from importlib import metadata
from pathlib import Path

import pytest

from wort_cli.versions import library_version, library_versions


@pytest.fixture(autouse=True)
def forget_versions() -> None:
    library_version.cache_clear()


@pytest.mark.parametrize("name", ["sourmash", "numpy", "numba"])
def test_version_is_the_one_of_the_metadata(name: str) -> None:
    assert library_version(name) == metadata.version(name)


def test_first_directory_of_the_path_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for directory, version in (("first", "1.2.3"), ("second", "4.5.6")):
        found = tmp_path / directory / f"sourmash-{version}.dist-info"
        found.mkdir(parents=True)
        (found / "METADATA").write_text(f"Name: sourmash\nVersion: {version}\n")
        monkeypatch.syspath_prepend(tmp_path / directory)
    assert library_version("sourmash") == metadata.version("sourmash") == "4.5.6"


def test_directory_without_metadata_is_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = metadata.version("numpy")
    (tmp_path / "numpy-0.0.1.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert library_versions()["numpy"] == expected


def test_missing_library_has_no_version() -> None:
    with pytest.raises(metadata.PackageNotFoundError):
        library_version("no-such-library")
