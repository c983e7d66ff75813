"""The daemon's settings and variables are compared with those of a shell."""

from pathlib import Path

import pytest

from wort_cli.health.daemon_view import MOST, differences, view_of, write_view
from wort_cli.settings import Settings, load_settings


def settings_of(home: Path, **environ: str) -> Settings:
    return load_settings({"WORT_HOME": str(home), **environ})


def test_equal_settings_differ_in_nothing(tmp_path: Path) -> None:
    write_view(settings_of(tmp_path, WORT_S3_BUCKET="mine"), {"VDB_CONFIG": "/a"})
    assert differences(settings_of(tmp_path, WORT_S3_BUCKET="mine", WORT_KEEP_LOGS="7"), {"VDB_CONFIG": "/a"}) == []


def test_each_difference_is_a_sentence(tmp_path: Path) -> None:
    write_view(settings_of(tmp_path, WORT_ARCHIVES="/a:/b", WORT_JOBS="2"), {"VDB_CONFIG": "/a"})
    here = settings_of(tmp_path, WORT_ARCHIVES="/a:/b", WORT_S3_BUCKET="mine", WORT_JOBS="3")
    assert [difference.sentence for difference in differences(here, {"AWS_PROFILE": "lab"})] == [
        "jobs is 2 in the daemon, and 3 here",
        "s3_bucket is not set in the daemon, and mine here",
        "VDB_CONFIG is /a in the daemon, and not set here",
        "AWS_PROFILE is not set in the daemon, and lab here",
    ]


def test_password_of_a_proxy_is_not_written(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_view(settings, {"https_proxy": "http://me:S3KR1T@proxy.example"})
    assert "S3KR1T" not in settings.daemon_view_file.read_text()


def test_no_value_is_a_secret() -> None:
    assert not [name for name in view_of(load_settings({}), {}) if "SECRET" in name or "TOKEN" in name]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"[" * 100_000, b" " * (MOST + 1)])
def test_file_that_cannot_be_read_differs_in_nothing(content: bytes, tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    settings.daemon_view_file.write_bytes(content)
    assert differences(settings, {}) == []
