"""Commands that talk to a daemon say which settings it has with other values than the shell."""

import os
from pathlib import Path

import pytest

from wort_cli.commands.shared.daemon.daemon_differences import notice_differences
from wort_cli.health.daemon_view import write_view
from wort_cli.settings import Settings, load_settings


def settings_of(home: Path, **environ: str) -> Settings:
    return load_settings({"WORT_HOME": str(home), **environ})


def test_settings_that_differ_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VDB_CONFIG", "/b")
    write_view(settings_of(tmp_path), {**os.environ, "VDB_CONFIG": "/a"})
    notice_differences(settings_of(tmp_path, WORT_S3_BUCKET="mine", WORT_JOBS="3"))
    assert capsys.readouterr().err == (
        "the daemon has other values than this shell of: jobs, s3_bucket, VDB_CONFIG; `wort doctor` shows them\n"
    )


def test_nothing_is_said_where_nothing_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VDB_CONFIG", "/a")
    write_view(settings_of(tmp_path), {**os.environ, "VDB_CONFIG": "/a"})
    notice_differences(settings_of(tmp_path, WORT_KEEP_LOGS="7"))
    assert capsys.readouterr().err == ""
