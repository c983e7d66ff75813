"""Tools run with the user's settings, and with those that wort requires, which have the last word."""

from pathlib import Path

import pytest

from wort_cli.pipeline.toolkit.configuration import ToolkitSettings, settings_text, user_settings


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"HOME": "/h"}, "/h/.ncbi/user-settings.mkfg"),
        ({"HOME": "/h", "NCBI_HOME": "/n"}, "/n/user-settings.mkfg"),
        ({"HOME": "/h", "NCBI_HOME": "/n", "NCBI_SETTINGS": "/s/mine"}, "/s/mine"),
        ({"HOME": "/h", "NCBI_SETTINGS": ""}, "/h/.ncbi/user-settings.mkfg"),
        ({}, "/.ncbi/user-settings.mkfg"),
    ],
)
def test_settings_of_the_user_are_where_the_toolkit_looks(environ: dict[str, str], path: str) -> None:
    assert user_settings(environ) == Path(path)


def test_lines_of_wort_come_last() -> None:
    lines = settings_text(
        '/repository/user/cache-disabled = "false"\n', [Path("/r"), Path("/s")], offline=True
    ).splitlines()
    assert lines[0] == '/repository/user/cache-disabled = "false"'
    assert '/repository/user/cache-disabled = "true"' in lines[1:]
    assert '/repository/site/main/wort/root = "/r"' in lines
    assert '/repository/site/main/wort1/root = "/s"' in lines
    assert lines[-1] == '/repository/remote/disabled = "true"'


def test_network_is_disabled_only_offline() -> None:
    assert "remote" not in settings_text("", (), offline=False)


def test_type_of_qualities_is_the_users() -> None:
    assert settings_text('/sra/quality_type = "q"', (), offline=False).count("quality_type") == 1
    assert settings_text("", (), offline=False).count("quality_type") == 1


@pytest.mark.parametrize("path", ['/a"b', "/a$(HOME)", "/a\nb", "/a\\b"])
def test_path_that_the_format_cannot_express_is_left_out(path: str) -> None:
    assert "site" not in settings_text("", [Path(path)], offline=False)


def test_file_has_the_settings_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").write_bytes(b'/a/\xff = "1"\n')
    monkeypatch.setenv("NCBI_SETTINGS", str(tmp_path / "mine"))
    monkeypatch.delenv("NCBI_VDB_CONFIG", raising=False)
    variables = ToolkitSettings(tmp_path).environment(offline=True)
    assert list(variables) == ["NCBI_SETTINGS"]
    assert Path(variables["NCBI_SETTINGS"]).read_bytes().startswith(b'/a/\xff = "1"\n')


def test_configuration_that_replaces_all_others_is_extended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCBI_VDB_CONFIG", "/etc/vdb")
    variables = ToolkitSettings(tmp_path).environment(offline=False)
    assert variables["NCBI_VDB_CONFIG"] == f"/etc/vdb:{variables['NCBI_SETTINGS']}"
