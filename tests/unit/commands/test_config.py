"""`wort config show` tells where each value comes from, also that of `wort daemon jobs`."""

import json
from pathlib import Path

import pytest

from wort_cli import cli
from wort_cli.settings import load_usable_settings


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.run(list(words)) == 0
    return capsys.readouterr().out


def shown(capsys: pytest.CaptureFixture[str], setting: str) -> tuple[object, str]:
    """Return the value of a setting and its origin."""
    rows = json.loads(run(capsys, "config", "show", "--json"))["settings"]
    (row,) = (row for row in rows if row["setting"] == setting)
    return row["value"], row["origin"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    monkeypatch.setenv("WORT_JOBS", "3")
    return tmp_path


@pytest.mark.usefixtures("home")
def test_jobs_of_the_daemon_replace_the_setting_until_they_are_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "jobs") == (3, "$WORT_JOBS")
    assert run(capsys, "daemon", "jobs", "1") == "1 job at a time, until `wort daemon jobs default`\n"
    assert shown(capsys, "jobs") == (1, "`wort daemon jobs`")
    assert run(capsys, "daemon", "jobs", "default") == "3 jobs at a time, by the setting `jobs`\n"
    assert shown(capsys, "jobs") == (3, "$WORT_JOBS")


def test_settings_are_shown_when_the_ledger_cannot_be_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "ledger.db").write_text("no ledger")
    assert shown(capsys, "jobs") == (3, "$WORT_JOBS")


@pytest.mark.parametrize("config", ["jobs = ", "lease = 0", "jbos = 1", "s3 = 1", "\xff"])
def test_broken_configuration_stops_no_command_that_is_needed_to_repair_it(
    config: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.toml").write_bytes(config.encode("latin-1"))
    commands = {"config path": 0, "daemon status": 3, "daemon stop": 0}
    for command, code in commands.items():
        assert cli.run(command.split()) == code
        out, err = capsys.readouterr()
        assert out
        assert str(home / "config.toml") in err
        assert "its default is used" in err
    assert cli.run(["status"]) == 2


def test_usable_settings_are_kept_beside_broken_ones(home: Path) -> None:
    (home / "config.toml").write_text("threads = 2\nlease = 'soon'\nnonsense = 1\n")
    settings, faults = load_usable_settings()
    assert (settings.threads, settings.lease, settings.jobs) == (2, 60.0, 3)
    assert [fault.key for fault in faults] == ["lease", "nonsense"]
    assert (settings.origins["threads"], settings.origins["lease"]) == (str(home / "config.toml"), "default")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("number", ["0", "1025", "many", "-1", "\u0662", "1.5"])
def test_wrong_number_of_jobs_is_refused(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["daemon", "jobs", "--", number]) == 2
    assert "from 1 to 1024, or `default`" in capsys.readouterr().err
