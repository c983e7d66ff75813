"""`wort status --missing-from` says what of a list or a manifest is missing, and why."""

import gzip
import json
from pathlib import Path

import pytest

from tests.support.builders import request
from tests.support.copied_home import copied_home
from tests.support.signatures import make_recorded_signatures
from wort_cli import cli
from wort_cli.ledger.absences import AbsentRun
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason

RUNS = ["SRR1000000", "SRR1000001", "SRR1000002"]
QUEUED, CLAIMED, UNKNOWN, BROKEN = "SRR2000001", "SRR2000002", "SRR2000003", "SRR2000004"
WANTED = [RUNS[0], QUEUED, CLAIMED, UNKNOWN]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three signatures, the third of which is refuted, a queued run, and one that others say is gone."""
    home = tmp_path_factory.mktemp("missing")
    make_recorded_signatures(home, 3)
    ledger = Ledger(home / "ledger.db")
    ledger.jobs.enqueue([request(QUEUED)])
    ledger.storage.connection.execute("UPDATE signatures SET trust = 'mismatch' WHERE name = ?", (RUNS[2],))
    ledger.absences.replace_claims("s3://b/absent/x", "sra-v1", [AbsentRun(CLAIMED, Reason.WITHDRAWN, 1.7e9)])
    ledger.close()
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and its parent is the working directory."""
    return copied_home(made, tmp_path, monkeypatch)


def missing(path: str, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the reason of each missing signature."""
    assert cli.run(["status", "--missing-from", path, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["missing"] == len(document["signatures"])
    return {one["name"]: one["reason"] for one in document["signatures"]}


def test_list_tells_why_each_is_missing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("list.txt").write_text("\n".join([*WANTED, *RUNS, "# comment", UNKNOWN.lower()]))
    assert missing("list.txt", capsys) == {
        QUEUED: "not-done",
        CLAIMED: "withdrawn",
        UNKNOWN: "not-requested",
        RUNS[2]: "refuted",
    }
    assert cli.run(["status", "--missing-from", "list.txt", "-n", "1", "--no-header"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{RUNS[2]}\tunknown\t") or out.startswith(f"{RUNS[2]}\tdone\t")
    assert "4 of 6 signatures" in err and "and 3 more" in err


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "sqlite", "parquet", "zip"])
def test_manifests_of_sourmash_are_lists(home: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The home that wrote a manifest is another than the one that is asked."""
    assert cli.run(["export", *RUNS[:2], "-o", "all.zip"]) == 0
    for ending in ("csv", "csv.gz", "sqlite", "parquet"):
        assert cli.run(["catalog", "-o", f"all.{ending}"]) == 0
    ledger = Ledger(home / "ledger.db")
    ledger.storage.connection.execute("DELETE FROM signatures WHERE name = ?", (RUNS[1],))
    ledger.close()
    capsys.readouterr()
    assert missing(f"all.{kind}", capsys) == {RUNS[1]: "not-requested"}


def test_names_of_genomes_are_their_first_word(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.csv").write_text(
        "# SOURMASH-MANIFEST-VERSION: 1.0\ninternal_location,name\nx,GCA_000250945.2 Enterococcus\ny,../x\nz,\n"
    )
    assert missing("m.csv", capsys) == {"GCA_000250945.2": "not-requested"}
    assert cli.run(["status", "--missing-from", "m.csv"]) == 0
    assert "2 names of the manifest" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"SRR100001\n../x\n", "line 2: "),
        (b"PK\x03\x04 no zip", "not a manifest"),
        (b"SQLite format 3\0 no database", ""),
        (b"PAR1 no parquet", "not a manifest"),
        (gzip.compress(b"# SOURMASH-MANIFEST-VERSION: 1.0\n", mtime=0)[:-9], "not a manifest"),
        (b"# SOURMASH-MANIFEST-VERSION: 2.0\nname\n", "not a manifest"),
    ],
)
def test_file_that_is_neither_is_refused(
    home: Path, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path("f").write_bytes(content)
    assert cli.run(["status", "--missing-from", "f"]) != 0
    out, err = capsys.readouterr()
    assert (out, said in err, "unexpected" in err) == ("", True, False)
    assert cli.run(["status", "--missing-from", "f", "--state", "failed"]) == 2


def line(name: str, state: str, reason: str) -> str:
    """Return a line of a report."""
    return json.dumps({"schema": 1, "name": name, "profile": "sra-v1", "state": state, "reason": reason}) + "\n"


@pytest.mark.parametrize(
    ("state", "reason", "shown_state", "step"),
    [
        ("failed", "corrupt", "failed", f"`wort compute {BROKEN}` tries it here"),
        ("waiting", "network", "failed", f"`wort compute {BROKEN}` tries it here"),
        ("unavailable", "no-reads", "unavailable", f"`wort compute --force {BROKEN}` looks again"),
    ],
)
def test_reason_in_a_report_is_shown_wherever_the_run_is_missed(
    home: Path, state: str, reason: str, shown_state: str, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("r.jsonl").write_text(line(BROKEN, state, reason))
    Path("list.txt").write_text(f"{BROKEN}\n")
    assert cli.run(["import", "r.jsonl"]) == 0
    capsys.readouterr()
    assert cli.run(["status", "--missing-from", "list.txt", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["signatures"]
    assert (found["state"], found["reason"]) == (shown_state, reason)
    for command in (["status", BROKEN], ["view", BROKEN, "--offline"]):
        assert cli.run(command) == 2
        found["message"] += capsys.readouterr().err
    assert found["message"].count("r.jsonl") == found["message"].count(step) == 3


def test_failure_in_a_report_neither_ends_a_request_nor_replaces_an_absence(home: Path) -> None:
    Path("r.jsonl").write_text(line(CLAIMED, "failed", "corrupt") + line(BROKEN, "failed", "corrupt"))
    assert cli.run(["import", "r.jsonl"]) == 0
    ledger = Ledger(home / "ledger.db")
    claim = ledger.absences.claimed(CLAIMED, "sra-v1")
    ledger.close()
    assert claim is not None and claim.reason is Reason.WITHDRAWN
    assert cli.run(["compute", BROKEN]) == 0
    ledger = Ledger(home / "ledger.db")
    [job] = ledger.jobs.named(Accession(BROKEN))
    ledger.close()
    assert job.state == "queued"


def test_signature_without_a_job_is_not_called_unknown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["status", RUNS[0]]) == 2
    assert f"`wort view {RUNS[0]}`" in capsys.readouterr().err
