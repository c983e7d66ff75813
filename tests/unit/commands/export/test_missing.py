"""`wort export` says what is missing and why, and refuses bad input."""

import json
from pathlib import Path

import pytest

from tests.support.exports import (
    QUEUED,
    RUNS,
    UNAVAILABLE,
    UNKNOWN,
    export,
    file_of,
    loaded,
    missing,
)
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger


def test_missing_table_says_why_and_can_be_computed_from(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(RUNS[0], UNAVAILABLE, QUEUED, UNKNOWN, "-o", "x.sig.zip", "--json", code=1)
    document = json.loads(capsys.readouterr().out)
    rows = missing()
    assert [(row["accession"], row["state"], row["reason"]) for row in rows] == [
        (UNAVAILABLE, "unavailable", "withdrawn"),
        (QUEUED, "queued", "not-done"),
        (UNKNOWN, "unknown", "not-requested"),
    ]
    assert rows[0]["sentence"] == r"it was withdrawn, or NCBI has suppressed it: =1+1\x1b[31m"
    assert list(rows[0])[:7] == ["accession", "name", "moltype", "md5sum", "download_filename", "url", "range"]
    assert [row["name"] for row in document["missing"]] == [row["accession"] for row in rows]
    assert document["signatures"] == 1
    assert cli.run(["compute", "--from-file", "x.missing.csv", "--dry-run", "--json"]) in (0, 3)
    planned = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in planned["runs" if "runs" in planned else list(planned)[-1]]} == {
        UNAVAILABLE, QUEUED, UNKNOWN,
    }  # fmt: skip


def test_group_and_all_tell_of_every_job_without_a_signature(home: Path) -> None:
    export("-g", "pond", "-o", "x.sig.zip", code=1)
    assert {one.name for one in loaded("x.sig.zip")} == set(RUNS[:2])
    assert [row["accession"] for row in missing()] == [QUEUED, UNAVAILABLE]
    export("--all", "-o", "y.sig.zip", code=1)
    assert [row["accession"] for row in missing("y.missing.csv")] == [QUEUED, UNAVAILABLE]


@pytest.mark.parametrize(
    ("harm", "reason"),
    [("edit", "not-the-recorded"), ("remove", "file-missing"), ("refute", "refuted"), ("bucket", "only-in-bucket")],
)
def test_file_that_is_not_the_recorded_signature_is_not_exported(home: Path, harm: str, reason: str) -> None:
    path = file_of(home, RUNS[1])
    ledger = Ledger(home / "ledger.db")
    if harm == "edit":
        path.write_bytes(file_of(home, RUNS[2]).read_bytes())
    elif harm == "remove":
        path.unlink()
    elif harm == "refute":
        ledger.storage.connection.execute("UPDATE signatures SET trust = 'mismatch' WHERE name = ?", (RUNS[1],))
    else:
        ledger.storage.connection.execute("UPDATE signatures SET path = '' WHERE name = ?", (RUNS[1],))
    ledger.close()
    for words in ([], ["-k", "21"]):
        export(*RUNS[:3], *words, "-o", "x.sig.zip", "--force", code=1)
        assert {one.name for one in loaded("x.sig.zip")} == {RUNS[0], RUNS[2]}
        assert [(row["accession"], row["reason"]) for row in missing()] == [(RUNS[1], reason)]


def test_nothing_is_written_if_nothing_is_there(home: Path) -> None:
    export(UNAVAILABLE, "-o", "x.sig.zip", code=3)
    export(UNKNOWN, "-o", "y.sig.zip", code=1)
    export(RUNS[0], UNAVAILABLE, "-o", "z.sig.zip")
    export(RUNS[0], UNAVAILABLE, "-o", "z.sig.zip", "--force", "--strict", code=3)
    assert not Path("x.sig.zip").exists()
    assert not Path("y.sig.zip").exists()
    assert [row["accession"] for row in missing()] == [UNAVAILABLE]


# ---- bad input


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--all"], "no output file is named"),
        (["-o", "x.sig.zip"], "no signatures are named"),
        (["--all", "-o", "x.sig"], "neither a .zip file nor a directory"),
        (["--all", "-o", "no/x.sig.zip"], "there is no directory"),
        (["--all", RUNS[0], "-o", "x.zip"], "--all selects all signatures"),
        (["SRR1*", "-g", "pond", "-o", "x.zip"], "a pattern excludes other selections"),
        (["-g", "lake", "-o", "x.zip"], "there is no group 'lake'"),
        (["a/b", "-o", "x.zip"], "cannot be the name of a signature"),
        (["--all", "--moltype", "RNA", "-o", "x.zip"], "there is no moltype 'RNA'"),
        (["--all", "--update", "--force", "-o", "x.zip"], "exclude each other"),
        (["--picklist", "x.csv", "-o", "x.zip"], "is not FILE:COLUMN:TYPE"),
        (["--picklist", "no.csv:name:name", "-o", "x.zip"], "no such file"),
        (["--picklist", "no.csv:name:names", "-o", "x.zip"], "there is no type of picklist"),
        (["--picklist", "no.csv:name:gather", "-o", "x.zip"], "takes no column"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_writes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    export(*words, code=2)
    assert message in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["home"]
