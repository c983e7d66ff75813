"""`wort ls` lists signatures for people, pipes and programs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders import published, request
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import Trust
from wort_cli.settings import load_settings

RUNS = ("SRR100001", "SRR100002", "SRR200003")


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A catalog with two local signatures and one that only the bucket has; the first is of a group."""
    monkeypatch.setenv("WORT_HOME", str(tmp_path))
    ledger = Ledger(load_settings().ledger_file)
    ledger.jobs.enqueue([request(RUNS[0], group="soil"), request(RUNS[2], group="other")])
    for run in RUNS[:2]:
        ledger.catalog.record(published(run))
    made = published(RUNS[2]).provenance
    ledger.catalog.record(Published("", 7, made, "s3://b/sigs/SRR200003.sig", Trust.PUBLISHED, "0" * 64))
    yield ledger
    ledger.close()


def ls(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert cli.run(["ls", *words]) == code
    out, err = capsys.readouterr()
    return out if code == 0 else err


@pytest.mark.usefixtures("catalog")
def test_pipe_gets_one_line_for_each_signature(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    first, _, last = (line.split("\t") for line in ls(capsys, "--no-header").splitlines())
    assert first[:5] == ["SRR100001", "computed", "21,31", "1800", "99"]
    assert first[6] == str(tmp_path / "signatures/sigs/SRR100/SRR100001.sig")
    assert (last[0], last[1], last[6]) == ("SRR200003", "published", "s3://b/sigs/SRR200003.sig")


@pytest.mark.usefixtures("catalog")
@pytest.mark.parametrize(
    ("words", "runs"),
    [
        (["SRR1*"], RUNS[:2]),
        (["SRR10000?"], RUNS[:2]),
        (["*3"], RUNS[2:]),
        (["SRR100002"], RUNS[1:2]),
        (["SRR[1]*"], ()),
        (["ERR*"], ()),
        (["-g", "soil"], RUNS[:1]),
        (["--trust", "published"], RUNS[2:]),
    ],
)
def test_signatures_are_selected(words: list[str], runs: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(line.split("\t")[0] for line in ls(capsys, "--no-header", *words).splitlines()) == runs


@pytest.mark.usefixtures("catalog")
def test_paths_are_those_of_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = tmp_path / "signatures/sigs/SRR100"
    assert ls(capsys, "--paths").splitlines() == [str(root / f"{run}.sig") for run in RUNS[:2]]


@pytest.mark.usefixtures("catalog")
def test_json_has_numbers_and_times_with_a_zone(capsys: pytest.CaptureFixture[str]) -> None:
    first, _, last = json.loads(ls(capsys, "--json"))["signatures"]
    assert (first["k"], first["bases"], first["size"]) == ([21, 31], 1800, 99)
    assert first["created_at"].endswith("Z")
    assert set(first) == set(last)
    assert (last["path"], last["url"], last["where"]) == (*["s3://b/sigs/SRR200003.sig"] * 2, "bucket")


@pytest.mark.usefixtures("catalog")
def test_wrong_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "the levels are: computed" in ls(capsys, "--trust", "blind", code=2)
    assert "exclude each other" in ls(capsys, "--paths", "--json", code=2)


def test_names_that_begin_as_the_pattern_are_found_among_many(
    catalog: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        (f"ERR{number:06d}", f"sigs/ERR{number // 1000:03d}/ERR{number:06d}.sig") for number in range(12_000, 14_000)
    ]
    catalog.storage.connection.executemany(
        "INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance) "
        "SELECT ?, profile, digest, trust, ?, size, created_at, provenance FROM signatures WHERE name = 'SRR100001'",
        rows,
    )
    assert ls(capsys, "ERR01234*").count("\n") == 11


def test_terminal_shows_the_first_names_and_all_of_them_if_asked(
    catalog: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.storage.connection.executemany(
        "INSERT INTO signatures (name, profile, digest, trust, path, size, created_at, provenance) "
        "SELECT ?, profile, digest, trust, path, size, created_at, provenance FROM signatures WHERE name = 'SRR100001'",
        [(f"ERR{number:06d}",) for number in range(1_000)],
    )
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("TERM", "dumb")
    assert cli.run(["ls"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()[1:]] == [f"ERR{number:06d}" for number in range(50)]
    assert err == "the first 50 of 1,003 signatures, in order of their names; --all shows the rest\n"
    assert cli.run(["ls", "--all"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert (len(lines), header.split()[:2]) == (1_003, ["name", "trust"])
    assert len({line.index("computed") for line in lines[:1000]}) == 1
    assert cli.run(["ls", "SRR1*"]) == 0
    assert "the first" not in capsys.readouterr().err
