"""`wort doctor` says which decoder is used, and what it costs if libncbi-vdb cannot be."""

import pytest

from wort_cli.commands.doctor import check_decoder
from wort_cli.pipeline.decoding import vdb_library
from wort_cli.settings import Settings, default_settings


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


def test_missing_library_is_a_warning_that_says_how_to_get_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(vdb_library.VARIABLE, "/nowhere/libncbi-vdb.so.3")
    vdb_library.load_library.cache_clear()
    vdb_library.installed_version.cache_clear()
    try:
        finding = check_decoder(settings)
    finally:
        vdb_library.load_library.cache_clear()
        vdb_library.installed_version.cache_clear()
    assert finding.state == "warning"
    assert "/nowhere/libncbi-vdb.so.3" in finding.detail
    assert "apt install libncbi-vdb3" in finding.fix
