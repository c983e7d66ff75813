"""`wort plan` splits a list of runs by their length, and writes all lists or none."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.archives import make_paired
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.run_metadata import RunMetadata

RUNINFO = "Run,bases\nSRR100001,900\nSRR100002,500\nSRR100003,400\nSRR100004,\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert cli.run(["plan", *words, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def lists(directory: Path) -> dict[str, list[str]]:
    return {path.name: path.read_text().splitlines() for path in sorted(directory.iterdir())}


@pytest.mark.usefixtures("home")
def test_runs_of_a_table_are_split_by_their_bases(capsys: pytest.CaptureFixture[str]) -> None:
    Path("runs.csv").write_text(RUNINFO)
    found = planned(capsys, "--from-file", "runs.csv", "--tasks", "2")
    assert lists(Path("tasks")) == {
        "task-1.txt": ["SRR100001", "SRR100003"],
        "task-2.txt": ["SRR100002", "SRR100004"],
    }
    assert (found["runs"], found["unknown"]) == (4, 1)
    assert [(task["runs"], task["bases"]) for task in found["tasks"]] == [(2, 1300), (2, 500)]
    assert found["tasks"][1]["path"] == str(Path("tasks/task-2.txt").absolute())


def test_what_the_ledger_knows_decides(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.mkdir()
    ledger = Ledger(home / "ledger.db")
    ledger.runs.record([(RunMetadata(f"SRR10000{n}", bases=bases), "test") for n, bases in ((1, 10), (2, 10), (3, 20))])
    ledger.close()
    planned(capsys, "SRR100001", "SRR100002", "SRR100003", "--bases-per-task", "20", "-o", "new/lists")
    assert lists(Path("new/lists")) == {"task-1.txt": ["SRR100003"], "task-2.txt": ["SRR100001", "SRR100002"]}


@pytest.mark.usefixtures("home")
def test_archives_are_named_by_path_and_measured(capsys: pytest.CaptureFixture[str]) -> None:
    for name, spots in (("a.sra", 30), ("b.sra", 10), ("c.sra", 10)):
        make_paired(Path(name), spots=spots, genome=1000)
    found = planned(capsys, "a.sra", "b.sra", "./c.sra", "--tasks", "2")
    assert lists(Path("tasks")) == {
        "task-1.txt": [str(Path("a.sra").absolute())],
        "task-2.txt": [str(Path(name).absolute()) for name in ("b.sra", "c.sra")],
    }
    assert [task["bases"] for task in found["tasks"]] == [30 * 300, 20 * 300]
    assert cli.run(["compute", "--from-file", "tasks/task-2.txt", "-n"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("SRR100001",), "either --tasks or --bases-per-task"),
        (("SRR100001", "--tasks", "2", "--bases-per-task", "5"), "either --tasks or --bases-per-task"),
        (("SRR100001", "--bases-per-task", "inf"), "is not a number of bases"),
        (("SRR100001", "--bases-per-task", "nan"), "is not a number of bases"),
        (("SRR1", "--tasks", "2"), "SRR1"),
        (("--tasks", "2"), "nothing to compute"),
        (("reads.fq", "--tasks", "2"), "is a file of reads"),
        (("SRR100001", "--tasks", "2", "-o", "full"), "is not an empty directory"),
        (("SRR100001", "--tasks", "2", "-o", "file"), "is not an empty directory"),
        (("SRR100001", "--tasks", "2", "-o", "link"), "is not an empty directory"),
        (("a #b/x.sra", "--tasks", "2"), "a line of a list cannot name"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_cannot_be_planned_changes_nothing(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("full").mkdir()
    Path("full/x").write_text("x")
    Path("file").write_text("x")
    Path("link").symlink_to("elsewhere")
    Path("reads.fq").write_text("@a\nACGT\n+\nIIII\n")
    Path("a #b").mkdir()
    make_paired(Path("a #b/x.sra"), spots=3, genome=1000)
    before = sorted(path.name for path in Path().iterdir() if path.name != "home")
    assert cli.run(["plan", *words]) == 2
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir() if path.name != "home") == before


@pytest.mark.usefixtures("home")
def test_lists_that_cannot_be_written_leave_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("x")
    assert cli.run(["plan", "SRR100001", "--tasks", "1", "-o", "file/tasks"]) != 0
    assert "cannot be written" in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["file", "home"]
