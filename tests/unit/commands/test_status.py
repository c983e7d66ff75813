"""`wort status` says when it does not show all jobs, and shows all of them to a program."""

import json
from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import load_settings

RUNS = [f"SRR1000{number:02}" for number in range(60)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with a group of sixty jobs."""
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    settings = load_settings()
    settings.make_directories()
    ledger = Ledger(settings.ledger_file)
    ledger.jobs.enqueue([request(run, group="soil") for run in RUNS])
    ledger.close()


@pytest.mark.parametrize("selection", [["-g", "soil"], ["--state", "queued"]], ids=["group", "state"])
def test_program_gets_every_job(selection: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("--tsv", "--csv"):
        assert cli.run(["status", *selection, form]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 61
    assert cli.run(["status", *selection]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 61
    assert cli.run(["status", *selection, "--json"]) == 0
    assert {job["name"] for job in json.loads(capsys.readouterr().out)["jobs"]} == set(RUNS)


def test_terminal_says_what_is_left_out(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wort_cli.commands.shared.showing.render.is_terminal", lambda *_: True)
    assert cli.run(["status", "-g", "soil"]) == 0
    shown = capsys.readouterr()
    assert sum("SRR1000" in line for line in shown.out.splitlines()) == 50
    assert "the newest 50 of 60 jobs; --all shows the rest" in shown.err
    assert cli.run(["status", "-g", "soil", "--all"]) == 0
    assert sum("SRR1000" in line for line in capsys.readouterr().out.splitlines()) == 60
