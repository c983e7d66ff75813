"""--where selects runs by their metadata, the same way in each command."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import published, request
from wort_cli import cli
from wort_cli.commands.shared.showing import render
from wort_cli.errors import UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.run_conditions import run_conditions_sql
from wort_cli.model.run_condition import COLUMNS, RunCondition, parse_conditions
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.settings import load_settings

RUNS = (
    RunMetadata("SRR100001", organism="Homo sapiens", strategy="WGS", bases=2_500_000_000, released="2019-05-01"),
    RunMetadata("SRR100002", organism="Mus musculus", strategy="RNA-Seq", bases=900, released="2020-05-31"),
    RunMetadata("SRR100003", organism="50% _soil_", strategy="WGS", released="2021-01-01"),
)
NO_METADATA = "SRR100004"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A home with four signatures, of which one is of a run without metadata; a job each, of one group."""
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    ledger = Ledger(load_settings().ledger_file)
    names = [*(run.run for run in RUNS), NO_METADATA]
    for name in names:
        ledger.catalog.record(published(name))
    ledger.jobs.enqueue([request(name, group="all") for name in names], force=True)
    ledger.runs.record((run, "ENA") for run in RUNS)
    yield ledger
    ledger.close()


def names(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the last digits of the names that a command lists."""
    assert cli.run([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    return "".join(sorted(one["name"][-1] for one in document[{"ls": "signatures", "status": "jobs"}[words[0]]]))


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["organism=homo SAPIENS"], "1"),
        (["organism=*us*"], "2"),
        (["organism=50% _soil_"], "3"),
        (["organism=%"], ""),
        (["organism=Homo_sapiens"], ""),
        (["strategy=WGS,rna-seq"], "123"),
        (["strategy!=WGS"], "2"),
        (["strategy=WGS", "organism!=Homo*"], "3"),
        (["bases>=2.5G"], "1"),
        (["bases<1K"], "2"),
        (["bases=900"], "2"),
        (["bases="], "34"),
        (["bases!="], "12"),
        (["released<=2020-05"], "12"),
        (["released>2020"], "3"),
        (["released=2020-*"], "2"),
        (["organism=' OR 1=1 --"], ""),
    ],
)
def test_condition_selects_the_same_runs_in_each_command(
    conditions: list[str], found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [word for condition in conditions for word in ("--where", condition)]
    assert names(capsys, "ls", *where) == names(capsys, "ls", "-g", "all", *where) == found
    assert names(capsys, "status", *where) == names(capsys, "status", "-g", "all", *where) == found


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("organism", "is not a condition"),
        ("organsim=x", "did you mean organism"),
        ("run=SRR100001", "runs have no column"),
        ("organism;DROP TABLE runs=x", "is not a condition"),
        ("organism) OR (1=1", "is not a condition"),
        ("bases>=many", "has no number"),
        ("bases=1.5", "whole number"),
        ("released>May", "has no date"),
        ("organism>a", "neither a number nor a date"),
        ("strategy=" + ",".join("x" * 101), "more than 100"),
    ],
)
def test_invalid_condition_is_refused_in_a_sentence(
    condition: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["ls"], ["status"], ["export", "-o", "x.zip"]):
        assert cli.run([*command, "--where", condition]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.usefixtures("ledger")
def test_status_has_what_is_known_of_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["status", "-g", "all", "--json"]) == 0
    jobs = {job["name"]: job for job in json.loads(capsys.readouterr().out)["jobs"]}
    for run in RUNS:
        known = jobs[run.run]
        assert (known["organism"], known["strategy"], known["bases"]) == (run.organism, run.strategy, run.bases)
        assert (known["released"], known["project"]) == (run.released, None)
    assert {jobs[NO_METADATA][column] for column in COLUMNS} == {None}
    assert cli.run(["status", "-g", "all", "--tsv"]) == 0
    header, *lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert tuple(header[-len(COLUMNS) :]) == COLUMNS
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    assert {row["name"]: row["organism"] for row in rows} == {
        **{run.run: run.organism for run in RUNS},
        NO_METADATA: "",
    }


@pytest.mark.usefixtures("ledger")
def test_terminal_shows_metadata_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "is_terminal", lambda *_: True)
    assert cli.run(["status", "--metadata"]) == 0
    shown = capsys.readouterr().out
    assert "organism" in shown and "Homo sapiens" in shown and "2,500,000,000" in shown
    assert cli.run(["status", "--all"]) == 0
    assert "Homo sapiens" not in capsys.readouterr().out


def test_values_reach_sql_only_as_parameters() -> None:
    conditions = [RunCondition(column, "=", ("1",)) for column in COLUMNS]
    sql, values = run_conditions_sql([*conditions, RunCondition("bases", ">", (7,))], "jobs.name")
    assert "'1'" not in sql and "> 7" not in sql and list(values.values()) == [*["1"] * len(COLUMNS), 7]
    with pytest.raises(ValueError, match="DROP"):
        run_conditions_sql([RunCondition("organism; DROP TABLE runs", "=", ("x",))], "jobs.name")
    with pytest.raises(ValueError, match="OR"):
        run_conditions_sql([RunCondition("organism", "OR", ("x",))], "jobs.name")


def test_home_without_metadata_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    assert cli.run(["ls", "--where", "organism=Homo*"]) == 0
    assert "nothing is known of any run" in capsys.readouterr().err


def test_most_terms_are_accepted(ledger: Ledger) -> None:
    conditions = parse_conditions([f"organism={','.join(['x'] * 50)}", f"strategy!={','.join(['y'] * 50)}"])
    assert list(ledger.catalog.listed("sra-v1", where=conditions)) == []
    with pytest.raises(UsageError):
        parse_conditions(["organism=x"] * 101)
