"""The systemd unit, and what is reported where there is no systemd."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wort_cli.daemon.systemd import DAEMON, SERVER, Unit, install, is_passed, quoted, uninstall, unit_text
from wort_cli.errors import StorageProblem, WortError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which no variable is passed on, and there is no systemctl."""
    for variable in [name for name, value in os.environ.items() if is_passed(name, value)]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def use_systemctl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int) -> Path:
    """Put a systemctl into PATH that logs its arguments and exits with `code`; return the log."""
    program, log = tmp_path / "bin" / "systemctl", tmp_path / "calls"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\necho "no bus" >&2\nexit {code}\n')
    program.chmod(0o755)
    return log


def test_unit_starts_the_daemon_of_this_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORT_HOME", "/data/100%")
    lines = unit_text().splitlines()
    assert f"ExecStart={sys.executable} -m wort_cli daemon start --foreground --quiet" in lines
    assert 'Environment="WORT_HOME=/data/100%%"' in lines
    assert f'Environment="PATH={os.environ["PATH"]}"' in lines
    assert "Restart=on-failure" in lines
    assert "WantedBy=default.target" in lines


def test_unit_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(variable, "S3KR1T")
    monkeypatch.setenv("AWS_PROFILE", "lab")
    assert "S3KR1T" not in unit_text()
    assert 'Environment="AWS_PROFILE=lab"' in unit_text()


@pytest.mark.parametrize(
    ("variable", "passed"),
    [
        ("WORT_S3_BUCKET", True),
        ("WORT_ARCHIVES", True),
        ("XDG_DATA_HOME", True),
        ("XDG_RUNTIME_DIR", False),
        ("XDG_SESSION_ID", False),
        ("VDB_CONFIG", True),
        ("NCBI_SETTINGS", True),
        ("AWS_REGION", True),
        ("AWS_ENDPOINT_URL", True),
        ("AWS_CA_BUNDLE", True),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", True),
        ("AWS_ACCESS_KEY_ID", False),
        ("AWS_SESSION_TOKEN", False),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", False),
        ("TMPDIR", True),
        ("SSL_CERT_FILE", True),
        ("no_proxy", True),
        ("PYTHONPATH", False),
        ("EDITOR", False),
    ],
)
def test_unit_has_what_the_daemon_needs(variable: str, passed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/some/value")
    assert (f'Environment="{variable}=/some/value"' in unit_text()) is passed


def test_unit_has_the_proxy_unless_its_url_has_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:S3KR1T@proxy.example:3128")
    assert 'Environment="https_proxy=http://proxy.example:3128"' in unit_text()
    assert "S3KR1T" not in unit_text()


@pytest.mark.parametrize("text", ['a"b', "a\nb", "a\\b"])
def test_text_that_would_end_a_value_is_refused(text: str) -> None:
    with pytest.raises(WortError, match="systemd unit"):
        quoted(text)


def test_unit_path_follows_the_configuration_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert DAEMON.path == tmp_path / "config" / "systemd" / "user" / "wort.service"
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert DAEMON.path == tmp_path / ".config" / "systemd" / "user" / "wort.service"


def test_unit_is_written_and_the_command_is_shown_where_there_is_no_systemctl() -> None:
    path, instruction = install()
    assert path.read_text() == unit_text()
    assert "`systemctl --user daemon-reload`" in instruction


def test_unit_is_enabled_and_disabled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = use_systemctl(monkeypatch, tmp_path, 0)
    path, instruction = install()
    assert instruction == ""
    assert log.read_text().splitlines() == ["--user daemon-reload", "--user enable --now wort.service"]
    assert uninstall() == (path, "")
    assert not path.exists()
    assert log.read_text().splitlines()[2:] == ["--user disable --now wort.service", "--user daemon-reload"]


def test_failure_of_systemctl_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_systemctl(monkeypatch, tmp_path, 1)
    assert install()[1] == "`systemctl --user daemon-reload` failed: no bus"


def test_uninstalling_without_a_unit_is_an_error() -> None:
    with pytest.raises(WortError, match="does not exist"):
        uninstall()


def test_unit_that_cannot_be_written_is_a_storage_problem(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file")
    with pytest.raises(StorageProblem, match="cannot be written"):
        install()


def test_server_has_a_unit_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    log = use_systemctl(monkeypatch, tmp_path, 0)
    path, instruction = install(SERVER)
    assert (path.name, instruction) == ("wort-serve.service", "")
    assert f"ExecStart={sys.executable} -m wort_cli serve" in path.read_text().splitlines()
    assert uninstall(SERVER) == (path, "")
    assert log.read_text().splitlines()[1:3] == [
        "--user enable --now wort-serve.service",
        "--user disable --now wort-serve.service",
    ]


@pytest.mark.parametrize("unit", [DAEMON, SERVER], ids=["daemon", "server"])
def test_systemd_accepts_the_unit(unit: Unit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORT_HOME", "/data/with space/100%")
    file = tmp_path / unit.file
    file.write_text(unit_text(unit))
    done = subprocess.run(
        ["/usr/bin/systemd-analyze", "verify", "--user", "--man=no", str(file)],
        capture_output=True, text=True, check=False, timeout=120, env={"XDG_RUNTIME_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.file in line]) == (0, [])
