"""`wort metadata import` records what large tables say of runs, in bounded memory."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import polars
import pytest

from tests.support.builders import request
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.run_metadata import RunMetadata

CLOUD = {
    "acc": ["SRR100001", "ERR100002", "x", None],
    "organism": ["Homo sapiens", "a\tb\x1b[31m", "", ""],
    "assay_type": ["WGS", "RNA-Seq", "", ""],
    "mbases": [1500, None, 3, 4],
    "bioproject": ["PRJNA1", "PRJEB2", "", ""],
    "releasedate": ["2020-01-02 00:00:00", "2021-05-06", "", ""],
    "attributes": [["k", "v"], [], [], []],
}
RUNINFO = "Run,ReleaseDate,spots,bases,size_MB,ScientificName\nSRR100001,2020-01-02 10:00:00,10,1500,2,Homo sapiens\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def imported(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert cli.run(["metadata", "import", *words, "--json"]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def known(home: Path, run: str) -> RunMetadata | None:
    ledger = Ledger(home / "ledger.db")
    found = ledger.runs.get(run)
    ledger.close()
    return found


def test_parquet_of_the_cloud_is_recorded(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    polars.DataFrame(CLOUD, strict=False).write_parquet("t.parquet")
    found = imported(capsys, "t.parquet")
    assert (found["runs"], found["other_rows"]) == (2, 2)
    assert known(home, "SRR100001") == RunMetadata(
        "SRR100001", "PRJNA1", organism="Homo sapiens", strategy="WGS", bases=1_500_000_000, released="2020-01-02"
    )
    other = known(home, "ERR100002")
    assert other is not None and other.organism == "a b [31m" and other.bases is None


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_csv_is_recorded(home: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_bytes(gzip.compress(RUNINFO.encode()) if name.endswith("gz") else RUNINFO.encode())
    assert imported(capsys, name)["runs"] == 1
    found = known(home, "SRR100001")
    assert found is not None and (found.organism, found.bases) == ("Homo sapiens", 1500)


def test_known_leaves_out_runs_that_nobody_requested(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    polars.DataFrame(CLOUD, strict=False).write_parquet("t.parquet")
    home.mkdir()
    ledger = Ledger(home / "ledger.db")
    ledger.jobs.enqueue([request("ERR100002")])
    ledger.close()
    found = imported(capsys, "t.parquet", "--known")
    assert (found["runs"], found["unwanted"]) == (1, 1)
    assert known(home, "SRR100001") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"a,b\n1,2\n", "no column of runs"),
        (b"PAR1 not parquet", "can't be read"),
        (b"", "no column of runs"),
        (b"\x1f\x8b\x08\x00 not gzip", ""),
    ],
)
def test_file_that_is_no_table_of_runs_is_refused(
    home: Path, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "f.csv.gz" if content is not None and content.startswith(b"\x1f") else "f.csv"
    if content is not None:
        Path(name).write_bytes(content)
    assert cli.run(["metadata", "import", name]) != 0
    err = capsys.readouterr().err
    assert said in err and "unexpected" not in err


def test_without_duckdb_the_extra_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert cli.run(["metadata", "import", "t.csv"]) == 2
    assert "pip install 'wort-cli[bulk]'" in capsys.readouterr().err
