"""Completion offers commands, options and names of the ledger, and changes nothing; `wort help` shows the help."""

import json
import subprocess
from pathlib import Path

import pytest

from scripts.completion_words import words
from tests.support.builders import TOOLS, published, request
from wort_cli import cli
from wort_cli.commands.shared.help.completion import WORDS, offers
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import load_settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two jobs of a group, and a signature."""
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "home"))
    settings = load_settings()
    settings.make_directories()
    ledger = Ledger(settings.ledger_file)
    ledger.jobs.enqueue([request("SRR100001", group="soil"), request("SRR100002", group="soil")])
    ledger.catalog.record(published("SRR200003"))
    ledger.close()
    return tmp_path / "home"


def test_words_are_those_of_the_commands() -> None:
    """`make docs` writes them."""
    assert json.loads(WORDS.read_text()) == words()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("comp", ["compute", "completion"]),
        ("daemon sta", ["start", "status"]),
        ("status --gr", ["--group"]),
        ("status -g ", ["soil"]),
        ("wait --group so", ["soil"]),
        ("status --state fa", ["failed"]),
        ("retry --reason netw", ["network"]),
        ("compute --profile sra", ["sra-v1"]),
        ("status SRR1", ["SRR100001", "SRR100002"]),
        ("ls SRR", ["SRR200003"]),
        ("cancel -g soil --al", ["--all"]),
        ("compute --from-file ", []),
        ("help comput", ["compute"]),
        ("completion z", ["zsh"]),
        ("nothing of this ", []),
    ],
)
def test_last_word_is_completed(line: str, expected: list[str]) -> None:
    assert offers(line.split(" ")) == expected


def test_completion_makes_no_home_and_changes_no_ledger(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    assert offers(["status", "-g", ""]) == ["soil"]
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "none"))
    assert offers(["status", "-g", ""]) == []
    assert not (tmp_path / "none").exists()


def test_ledger_that_cannot_be_read_has_no_names(home: Path) -> None:
    (home / "ledger.db").write_bytes(b"not a database" * 100)
    assert offers(["status", "-g", ""]) == []


BASH = """
eval "$(wort completion bash)"
COMP_WORDS=(wort wait -g s); COMP_CWORD=3; _wort; echo "${COMPREPLY[@]}"
COMP_WORDS=(wort submit READ); COMP_CWORD=2; _wort; echo "offers: ${#COMPREPLY[@]}"
"""
ZSH = """
compdef() { }; compadd() { print -- ${(P)@[-1]} }; _files() { print "any file" }
eval "$(wort completion zsh)"
words=(wort wait -g s); CURRENT=4; _wort
words=(wort submit READ); CURRENT=3; _wort
"""
FISH = """
wort completion fish | source
complete -C "wort wait -g s"
complete -C "wort submit READ"
"""


@pytest.mark.parametrize(
    ("shell", "files"),
    [
        (("bash", "-c", BASH), "offers: 0"),
        (("zsh", "-f", "-c", ZSH), "any file"),
        (("fish", "-c", FISH), "README"),
    ],
    ids=["bash", "zsh", "fish"],
)
def test_shells_complete_with_their_script(shell: tuple[str, ...], files: str, home: Path) -> None:
    """A shell asks the installed `wort`, as it does when a user presses Tab; without an offer, it completes files."""
    env = {"PATH": f"{TOOLS}:/usr/bin:/bin", "WORT_HOME": str(home), "HOME": str(home)}
    (home / "README").touch()
    done = subprocess.run(shell, env=env, cwd=home, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"soil\n{files}\n", "")


@pytest.mark.parametrize("words", [["help"], ["help", "compute"], ["help", "daemon", "start"], ["compute", "-h"]])
def test_help_of_a_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words) == 0
    shown = " ".join(word for word in words if word not in ("help", "-h"))
    assert capsys.readouterr().out.startswith(f"Usage: wort {shown}".rstrip())


def test_mistyped_commands_have_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["help", "compuet"]) == 2
    assert "did you mean compute?" in capsys.readouterr().err
    assert cli.run(["compuet"]) == 2
    assert "Did you mean 'compute'" in capsys.readouterr().err
    assert cli.run(["completion", "csh"]) == 2
    assert "the shells are: bash, zsh, fish" in capsys.readouterr().err
