"""`wort doctor` says which decoder is used, and what it costs if libncbi-vdb cannot be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from wort_cli.commands.doctor import check_decoder
from wort_cli.pipeline.decoding import vdb_library
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode
from wort_cli.settings import Settings, default_settings, load_settings


def loaded_file(soname: str) -> str:
    """Return the path of a library that this process has loaded."""
    vdb_library.load_library()
    return next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if soname in line)


@pytest.fixture
def settings() -> Settings:
    return default_settings({})


def test_versions_that_were_compared_are_shown(settings: Settings) -> None:
    finding = check_decoder(settings)
    assert finding.state == "ok"
    assert f"{vdb_library.SONAME} {vdb_library.installed_version()}, else fastq-dump" in finding.detail


def test_versions_that_were_not_compared_are_a_warning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vdb_library, "COMPARED", {"9.9.9": ("9.9.8",)})
    finding = check_decoder(settings)
    assert finding.state == "warning"
    assert "was not compared" in finding.detail
    assert "twice as long" in finding.detail
    assert "9.9.9 with fastq-dump 9.9.8" in finding.fix


@pytest.fixture
def other_library() -> Iterator[None]:
    """Let a test choose another library in this process; afterwards, the usual one is used."""

    def forget() -> None:
        vdb_library.load_library.cache_clear()
        vdb_library.installed_version.cache_clear()
        vdb_library.choose_library("")

    forget()
    yield
    forget()


@pytest.mark.usefixtures("other_library")
def test_missing_library_is_a_warning_that_says_how_to_get_it(tmp_path: Path) -> None:
    finding = check_decoder(
        load_settings({"WORT_HOME": str(tmp_path), "WORT_VDB_LIBRARY": "/nowhere/libncbi-vdb.so.3"})
    )
    assert finding.state == "warning"
    assert "/nowhere/libncbi-vdb.so.3" in finding.detail
    assert "apt install libncbi-vdb3" in finding.fix
    assert "vdb_library" in finding.fix


@pytest.mark.usefixtures("other_library")
def test_library_of_the_setting_is_used_and_shown(tmp_path: Path) -> None:
    library = tmp_path / "renamed.so"
    library.symlink_to(loaded_file(vdb_library.SONAME))
    vdb_library.load_library.cache_clear()
    (tmp_path / "config.toml").write_text(f'vdb_library = "{library}"\n')
    finding = check_decoder(load_settings({"WORT_HOME": str(tmp_path)}))
    assert finding.state == "ok"
    assert f"{library} {vdb_library.installed_version()}" in finding.detail


@pytest.mark.usefixtures("other_library")
def test_second_library_of_a_process_is_refused() -> None:
    vdb_library.load_library()
    with pytest.raises(CannotDecode, match=r"this process has loaded .* already"):
        vdb_library.choose_library("/other/library.so")
