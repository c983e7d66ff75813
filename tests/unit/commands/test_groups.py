"""The commands with -g: a group has every run that was requested, whatever its state."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import published
from tests.support.job_states import in_state
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import load_settings

STORED, DONE, ABSENT, NEW = "SRR100001", "SRR100002", "SRR100003", "SRR100004"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ledger]:
    """The group `soil`: a stored signature, a job that is done, one that is unavailable, and a new one."""
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    settings = load_settings()
    settings.make_directories()
    found = Ledger(settings.ledger_file)
    for run in (STORED, DONE):
        path = settings.store_dir / published(run).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}")
    found.catalog.record(published(STORED))
    in_state(found, "done", DONE)
    in_state(found, "unavailable", ABSENT)
    cli.run(["compute", STORED, DONE, ABSENT, NEW, "-g", "soil"])
    capsys.readouterr()
    yield found
    found.close()


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[str, str]:
    assert cli.run(list(words)) == code
    said = capsys.readouterr()
    return said.out, said.err


@pytest.mark.usefixtures("ledger")
def test_status_has_every_run_that_was_requested(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run(capsys, "status", "-g", "soil", "--tsv")
    header, *rows = [line.split("\t") for line in out.splitlines()]
    states = {row[header.index("name")]: row[header.index("state")] for row in rows}
    assert states == {STORED: "done", DONE: "done", ABSENT: "unavailable", NEW: "queued"}
    assert {row[header.index("groups")] for row in rows} == {"soil"}
    assert STORED in run(capsys, "status", "-g", "soil", "--state", "done")[0]
    assert STORED not in run(capsys, "status", "-g", "soil", "--state", "failed")[0]


def test_wait_has_the_runs_that_needed_no_job(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.jobs.cancel([3])
    out, _ = run(capsys, "wait", "-g", "soil", "--json", code=1)
    document = json.loads(out)
    jobs = document["jobs"] if isinstance(document, dict) else document
    assert {job["name"]: job["job"] for job in jobs} == {STORED: None, DONE: 1, ABSENT: 2, NEW: 3}


@pytest.mark.usefixtures("ledger")
def test_list_of_signatures_has_those_that_were_there(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = run(capsys, "ls", "--paths", "-g", "soil")
    assert [Path(line).stem for line in out.splitlines()] == [STORED, DONE]


def test_forgetting_a_group_keeps_what_has_not_ended(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "compute", DONE, "-g", "other")
    assert run(capsys, "forget", "-g", "soil")[0] == "2 jobs forgotten\n"
    assert ledger.groups.sizes() == {"other": 1, "soil": 1}
    assert "done" in run(capsys, "status", "-g", "other")[0]


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("command", ["status", "wait", "ls", "forget", "cancel", "retry"])
def test_group_that_does_not_exist_is_an_error_with_the_nearest_name(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said = run(capsys, command, "-g", "siol", code=2)
    assert said == "wort: there is no group 'siol'\n  did you mean 'soil'?\n"
