"""`wort config show` tells where each value comes from; `set` and `edit` change the file and nothing else."""

import json
import re
import tempfile
from pathlib import Path

import pytest

from tests.support.schemas import validated
from wort_cli import cli
from wort_cli.settings import load_usable_settings
from wort_cli.system.config_file import parsed, with_value, without_value


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
    commands = {"config path": 0, "config show": 0, "daemon status": 3, "daemon stop": 0}
    for command, code in commands.items():
        assert cli.run(command.split()) == code
        out, err = capsys.readouterr()
        assert out
        assert str(home / "config.toml") in err
        assert re.search("its default is used|none of its settings is used", err)
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


CONFIG = """\
# The machine in the cellar.
jobs = 2  # of 4 cores
archives = [
    "/data/a#b",  # old
    "/data/c",
]

# Our bucket.
[s3]
bucket = 'ours' # "theirs" was full
"""


@pytest.mark.parametrize(
    ("words", "line", "lines"),
    [
        (("jobs", "4"), "jobs = 4  # of 4 cores", 10),
        (("archives", "/x:/y"), 'archives = ["/x", "/y"]', 7),
        (("s3_bucket", "wort-sra"), 'bucket = "wort-sra" # "theirs" was full', 10),
        (("s3.prefix", "a/"), 'prefix = "a/"', 11),
        (("lease", "90"), "lease = 90", 11),
        (("request-interval", "0.5"), "request_interval = 0.5", 11),
        (("publish_unproved", "Yes"), "publish_unproved = true", 11),
        (("mirrors", "off"), "mirrors = []", 11),
    ],
)
def test_set_changes_one_value_and_keeps_comments_and_order(
    words: tuple[str, str], line: str, lines: int, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / "config.toml"
    file.write_text(CONFIG)
    file.chmod(0o640)
    document = validated(run(capsys, "config", "set", *words, "--json"))
    new = file.read_text().splitlines()
    assert line in new
    assert len(new) == lines
    assert set(CONFIG.splitlines()[:1] + CONFIG.splitlines()[-4:-1]) <= set(new)
    assert new.index("# Our bucket.") + 1 == new.index("[s3]")
    assert file.stat().st_mode & 0o777 == 0o640
    assert load_usable_settings()[1] == []
    assert document["path"] == str(file)
    run(capsys, "config", "set", words[0], "--unset")
    assert line not in file.read_text().splitlines()
    assert load_usable_settings()[1] == []


def test_no_mirror_is_shown_as_it_is_typed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = f", in {home / 'config.toml'}\n"
    assert run(capsys, "config", "set", "mirrors", "off") == f"mirrors = off{where}"
    assert "\toff\t" in run(capsys, "config", "show", "mirrors", "--no-header")
    assert json.loads(run(capsys, "config", "show", "mirrors", "--json"))["settings"][0]["value"] == []
    two = "https://a.org/{run} https://b.org/{run}"
    assert run(capsys, "config", "set", "mirrors", two) == f"mirrors = {two}{where}"
    assert run(capsys, "config", "set", "archives", "/x:/y") == f"archives = /x:/y{where}"


@pytest.mark.parametrize("text", ["", "\n", "jobs = 1", "# nothing\n", "[s3]\n", "a = 1\r\n[s3]\r\nbucket = 'x'\r\n"])
def test_any_text_takes_a_value_and_gives_it_back(text: str) -> None:
    for name in ("jobs", "s3_bucket"):
        new = with_value(text, name, "ä\x7f\"'\\")
        assert parsed(new) == parsed(text) | {name: "ä\x7f\"'\\"}
        assert name not in parsed(without_value(new, name))


@pytest.mark.parametrize(
    ("config", "words", "code", "message"),
    [
        ("", ("jbos", "1"), 2, "did you mean jobs?"),
        ("", ("config_file", "/x"), 2, "there is no setting"),
        ("", ("jobs", "0"), 2, "it must be an integer from 1 to 1024"),
        ("", ("jobs",), 2, "give a VALUE, or --unset"),
        ("", ("jobs", "1", "--unset"), 2, "exclude each other"),
        ("jobs = ", ("jobs", "1"), 2, "wort config edit"),
        ("s3 = {bucket = 'x'}", ("s3_bucket", "abc"), 2, "cannot be changed"),
        ('note = """\njobs = 3\n"""\n', ("jobs", "4"), 2, "cannot be changed"),
    ],
)
def test_set_refuses_and_changes_nothing(
    config: str, words: tuple[str, ...], code: int, message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.toml").write_text(config)
    assert cli.run(["config", "set", *words]) == code
    assert message in capsys.readouterr().err
    assert (home / "config.toml").read_text() == config


def test_set_repairs_an_invalid_value_and_writes_through_a_link(
    home: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    dotfile = tmp_path_factory.mktemp("dotfiles") / "wort.toml"
    dotfile.write_text("lease = 0\n")
    (home / "config.toml").symlink_to(dotfile)
    assert run(capsys, "config", "set", "lease", "30") == f"lease = 30, in {home / 'config.toml'}\n"
    assert dotfile.read_text() == "lease = 30\n"
    assert (home / "config.toml").is_symlink()


@pytest.mark.usefixtures("home")
def test_set_says_that_a_variable_overrides_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["config", "set", "jobs", "1"]) == 0
    assert "$WORT_JOBS overrides it" in capsys.readouterr().err


@pytest.fixture
def editor(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script that is the user's editor; the fixture's value is the file that it writes into what it edits."""
    directory = tmp_path_factory.mktemp("editor")
    script, text = directory / "edit.sh", directory / "text"
    script.write_text(f'#!/bin/sh\n[ "$1" = --wait ] && cat "{text}" > "$2"\n')
    script.chmod(0o700)
    monkeypatch.setenv("VISUAL", f"{script} --wait")
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return text


def test_edit_saves_what_is_valid_and_nothing_else(
    home: Path, editor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    editor.write_text("# mine\njobs = 5\n")
    assert run(capsys, "config", "edit") == f"{home / 'config.toml'}\n"
    assert (home / "config.toml").read_text() == "# mine\njobs = 5\n"
    assert not [*editor.parent.glob("wort-config-*")]
    editor.write_text("jobs = 0\njbos = 1\n")
    assert cli.run(["config", "edit"]) == 2
    err = capsys.readouterr().err
    assert "from 1 to 1024" in err and "no such setting" in err and "nothing was changed" in err
    assert (home / "config.toml").read_text() == "# mine\njobs = 5\n"
    (kept,) = editor.parent.glob("wort-config-*")
    assert kept.read_text() == "jobs = 0\njbos = 1\n"


def test_edit_asks_on_a_terminal_what_to_do_with_an_invalid_file(
    home: Path, editor: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor.write_text("jobs = 0\n")
    answers = iter(["e", "s"])
    monkeypatch.setattr("wort_cli.commands.config.render.is_terminal", lambda stream=None: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    assert cli.run(["config", "edit"]) == 0
    assert capsys.readouterr().err.count("from 1 to 1024") == 2
    assert (home / "config.toml").read_text() == "jobs = 0\n"


def test_edit_changes_nothing_if_the_editor_fails_or_the_file_was_changed_meanwhile(
    home: Path, editor: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "config.toml").write_text("jobs = 2\n")
    for command, message in [
        ("false", "exit code 1"),
        ("/no/such/editor", "set $VISUAL or $EDITOR"),
        (f"sh -c 'echo jobs = 3 > {home}/config.toml; echo jobs = 4 > $0'", "was changed while it was edited"),
    ]:
        monkeypatch.setenv("VISUAL", command)
        assert cli.run(["config", "edit"]) in (1, 2)
        assert message in capsys.readouterr().err
    assert (home / "config.toml").read_text() == "jobs = 3\n"
    assert editor.parent.is_dir()
