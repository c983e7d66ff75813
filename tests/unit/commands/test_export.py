"""`wort export` writes what sourmash reads, and says what is missing and why."""

import csv
import gzip
import json
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sourmash
from sourmash import SourmashSignature
from sourmash.manifest import BaseCollectionManifest

from tests.support.signatures import make_recorded_signatures
from wort_cli import cli
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.retry import RetryPolicy
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import JobRequest, Source
from wort_cli.model.job_result import JobResult
from wort_cli.stores.local import LocalStore

NUMBER = 6
RUNS = [f"SRR{n}" for n in range(1_000_000, 1_000_000 + NUMBER)]
UNAVAILABLE, QUEUED, UNKNOWN = "SRR2000001", "SRR2000002", "SRR2000003"
PROFILE = "sra-v1"
RANKS = "superkingdom,phylum,class,order,family,genus,species"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with some signatures, a run that is unavailable, and one that is queued."""
    home = tmp_path_factory.mktemp("export")
    make_recorded_signatures(home, NUMBER)
    ledger = Ledger(home / "ledger.db")
    for run in (*RUNS[:2], UNAVAILABLE, QUEUED):
        ledger.jobs.enqueue([JobRequest(Source(Accession(run)), PROFILE, group="pond")])
    (job,) = ledger.jobs.named(Accession(UNAVAILABLE))
    claimed = ledger.attempts.claim(job.id, "owner", 3600)
    assert claimed is not None
    failure = Failure(Reason.WITHDRAWN, "=1+1\x1b[31m")
    ledger.attempts.finish(JobResult(job.id, claimed.attempt, failure=failure), RetryPolicy())
    ledger.close()
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and its parent is the working directory."""
    copy = tmp_path / "home"
    shutil.copytree(made, copy)
    monkeypatch.setenv("WORT_HOME", str(copy))
    monkeypatch.chdir(tmp_path)
    return copy


def export(*words: str, code: int = 0) -> None:
    assert cli.run(["export", *words]) == code


def missing(path: str = "x.missing.csv") -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def loaded(path: str) -> list[SourmashSignature]:
    return list(sourmash.load_file_as_signatures(path))


def sketches_in(path: str) -> set[tuple[str, int, str]]:
    return {(one.name, one.minhash.ksize, one.md5sum()) for one in loaded(path)}


def file_of(home: Path, run: str) -> Path:
    return LocalStore(home / "signatures").path(Accession(run))


def stored_sketches(home: Path, *runs: str) -> set[tuple[str, int, str]]:
    return {found for run in runs for found in sketches_in(str(file_of(home, run)))}


def manifest_of(path: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        text = archive.read("SOURMASH-MANIFEST.csv").decode()
    Path("manifest.csv").write_text(text, newline="")
    rows = BaseCollectionManifest.load_from_filename("manifest.csv").rows
    return [{key: row[key] for key in BaseCollectionManifest.required_keys} for row in rows]


# ---- what sourmash reads


def test_collection_has_the_stored_bytes_and_the_manifest_that_sourmash_would_write(home: Path) -> None:
    export("--all", "-o", "x.sig.zip", code=1)  # a queued run is missing
    with zipfile.ZipFile("x.sig.zip") as archive:
        assert archive.testzip() is None
        *members, last = archive.infolist()
        assert last.filename == "SOURMASH-MANIFEST.csv"
        contents = [archive.read(member) for member in members]
    assert contents == [file_of(home, run).read_bytes() for run in RUNS]
    by_location = {member.filename: content for member, content in zip(members, contents, strict=True)}
    wanted = [
        BaseCollectionManifest.make_manifest_row(one, location, include_signature=False)
        for location, content in by_location.items()
        for one in sourmash.load_signatures_from_json(content)
    ]
    assert manifest_of("x.sig.zip") == wanted
    assert list(by_location) == [f"signatures/{row['md5']}.sig.gz" for row in wanted if row["ksize"] == 21]
    assert sketches_in("x.sig.zip") == stored_sketches(home, *RUNS)


def test_separated_sketches_are_the_members_that_sourmash_writes(home: Path) -> None:
    export(*RUNS[:2], "--separate", "-o", "x.sig.zip")
    files = [str(file_of(home, run)) for run in RUNS[:2]]
    subprocess.run([sourmash_command(), "sig", "cat", *files, "-o", "theirs.zip", "-q"], check=True)
    with zipfile.ZipFile("x.sig.zip") as ours, zipfile.ZipFile("theirs.zip") as theirs:
        assert ours.namelist() == theirs.namelist()
        assert ours.read("SOURMASH-MANIFEST.csv") == theirs.read("SOURMASH-MANIFEST.csv")
        for name in ours.namelist()[:-1]:
            their_text = gzip.decompress(theirs.read(name)).replace(b'"filename":null', b'"filename":""')
            assert gzip.decompress(ours.read(name)) == their_text


def test_sketches_are_reduced_as_sourmash_reduces_them(home: Path) -> None:
    export(*RUNS[:2], "-k", "31", "--scaled", "3000", "-o", "x.sig.zip")
    stored = [one.minhash for run in RUNS[:2] for one in loaded(str(file_of(home, run))) if one.minhash.ksize == 31]
    reduced = [SourmashSignature(minhash.downsample(scaled=3000)) for minhash in stored]
    wanted = {one.md5sum(): one.minhash.hashes for one in reduced}
    assert {one.md5sum(): one.minhash.hashes for one in loaded("x.sig.zip")} == wanted
    assert {row["md5"]: row["n_hashes"] for row in manifest_of("x.sig.zip")} == {
        md5: len(hashes) for md5, hashes in wanted.items()
    }


def test_directory_has_files_and_a_manifest_that_sourmash_loads(home: Path) -> None:
    export(*RUNS[:2], "-o", "d/")
    assert sorted(path.name for path in Path("d").iterdir()) == [
        "SOURMASH-MANIFEST.csv", *(f"{run}.sig.gz" for run in RUNS[:2]), "missing.csv",
    ]  # fmt: skip
    assert Path("d", f"{RUNS[0]}.sig.gz").read_bytes() == file_of(home, RUNS[0]).read_bytes()
    assert sketches_in("d/SOURMASH-MANIFEST.csv") == stored_sketches(home, *RUNS[:2])
    export(RUNS[2], "-o", "d/", "--update")
    assert sketches_in("d/SOURMASH-MANIFEST.csv") == stored_sketches(home, *RUNS[:3])


@pytest.mark.parametrize("style", ["include", "exclude"])
@pytest.mark.parametrize("kind", ["name", "ident", "identprefix", "md5", "md5prefix8", "md5short", "manifest"])
def test_picklist_selects_what_sourmash_selects(home: Path, kind: str, style: str) -> None:
    export("--all", "-o", "all.sig.zip", code=1)
    rows = manifest_of("all.sig.zip")[1:8:2]
    column = "" if kind == "manifest" else "name" if kind.startswith(("name", "ident")) else "md5"
    with Path("picks.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["name", "md5"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    picklist = f"picks.csv:{column}:{kind}:{style}"
    export("--picklist", picklist, "-o", "x.sig.zip")
    command = [sourmash_command(), "sig", "cat", "all.sig.zip", "--picklist", picklist, "-o", "t.zip", "-q"]
    subprocess.run(command, check=True)
    assert sketches_in("x.sig.zip") == sketches_in("t.zip")
    assert missing() == []


def sourmash_command() -> str:
    return str(Path(sys.executable).with_name("sourmash"))


def test_next_commands_of_sourmash_use_what_was_exported(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A genome is planted: half of the hashes of one run."""
    export(*RUNS, "-o", "x.sig.zip")
    told = [line.split() for line in capsys.readouterr().err.splitlines() if line.startswith("  sourmash")]
    (run,) = (one for one in loaded(str(file_of(home, RUNS[2]))) if one.minhash.ksize == 31)
    genome = run.minhash.copy_and_clear()
    genome.add_many(list(run.minhash.hashes)[::2])
    with Path("QUERY.sig").open("wb") as file:
        sourmash.save_signatures_to_json([SourmashSignature(genome.flatten(), name="GCA_1 planted")], file)
    for _, *words in told:
        subprocess.run([sourmash_command(), *words], check=True, capture_output=True)
    assert [words[1] for words in told] == ["sig", "gather", "sig", "index"]
    with Path("gather.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [RUNS[2]]
    assert sketches_in("x.sqlmf") == stored_sketches(home, *RUNS)
    assert {one.name for one in loaded("x.rocksdb")} == set(RUNS)
    export(RUNS[2], "-o", "d/")
    Path("lineages.csv").write_text(f"ident,{RANKS}\nGCA_1,Bacteria{',' * 6}\n")
    for words in (
        ["gather", "-k", "31", f"d/{RUNS[2]}.sig.gz", "QUERY.sig", "-o", "run.csv", "--threshold-bp", "0"],
        ["tax", "metagenome", "-g", "run.csv", "-t", "lineages.csv", "-o", "tax"],
    ):
        subprocess.run([sourmash_command(), *words], check=True, capture_output=True)
    assert "Bacteria" in Path("tax.summarized.csv").read_text()


# ---- what is missing


def test_missing_table_says_why_and_can_be_computed_from(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(RUNS[0], UNAVAILABLE, QUEUED, UNKNOWN, "-o", "x.sig.zip", "--json", code=1)
    document = json.loads(capsys.readouterr().out)
    rows = missing()
    assert [(row["accession"], row["state"], row["reason"]) for row in rows] == [
        (UNAVAILABLE, "unavailable", "withdrawn"),
        (QUEUED, "queued", "not-done"),
        (UNKNOWN, "unknown", "not-requested"),
    ]
    assert rows[0]["sentence"] == r"the submitters have withdrawn the run: =1+1\x1b[31m"
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


# ---- earlier exports


def test_updated_collection_has_the_bytes_of_a_new_one(home: Path) -> None:
    export(*RUNS[1::2], "-o", "x.sig.zip")
    before = Path("x.sig.zip").read_bytes()
    export(*RUNS[1::2], "-o", "x.sig.zip", code=2)
    assert Path("x.sig.zip").read_bytes() == before
    for run in RUNS[1::2]:
        file_of(home, run).unlink()  # they are not read again
    export("--all", "-o", "x.sig.zip", "--update", code=1)
    assert [row["accession"] for row in missing()] == [QUEUED, UNAVAILABLE]
    for run in RUNS[1::2]:
        make_recorded_signatures(home, 1, int(run[3:]))
    export(*RUNS[::2], "-o", "y.sig.zip")
    assert sketches_in("x.sig.zip") >= sketches_in("y.sig.zip")
    assert {one.name for one in loaded("x.sig.zip")} == set(RUNS)


def test_update_keeps_what_was_not_asked_for_unless_it_was_refuted(home: Path) -> None:
    export(*RUNS[:3], "-o", "x.sig.zip")
    ledger = Ledger(home / "ledger.db")
    ledger.storage.connection.execute("UPDATE signatures SET trust = 'mismatch' WHERE name = ?", (RUNS[1],))
    ledger.close()
    export(RUNS[3], "-o", "x.sig.zip", "--update")
    assert {one.name for one in loaded("x.sig.zip")} == {RUNS[0], RUNS[2], RUNS[3]}


def test_damaged_member_of_an_earlier_collection_is_taken_from_the_store(home: Path) -> None:
    export(*RUNS, "-o", "x.sig.zip")
    member = zipfile.ZipFile("x.sig.zip").infolist()[2]
    with Path("x.sig.zip").open("r+b") as file:
        file.seek(member.header_offset + 200)
        file.write(b"\0\0\0\0")
    export(*RUNS, "-o", "x.sig.zip", "--update")
    assert sketches_in("x.sig.zip") == stored_sketches(home, *RUNS)
    assert zipfile.ZipFile("x.sig.zip").testzip() is None


@pytest.mark.parametrize("content", ["sourmash", "cut", "text"])
def test_collection_of_others_is_not_updated(home: Path, content: str) -> None:
    if content == "sourmash":
        subprocess.run([sourmash_command(), "sig", "cat", str(file_of(home, RUNS[0])), "-o", "x.zip", "-q"], check=True)
    else:
        export(*RUNS, "-o", "x.zip")
        whole = Path("x.zip").read_bytes()
        Path("x.zip").write_bytes(whole[: len(whole) // 2] if content == "cut" else b"PK hello")
    before = Path("x.zip").read_bytes()
    export(RUNS[1], "-o", "x.zip", "--update", code=2)
    assert Path("x.zip").read_bytes() == before
    assert list(Path().glob(".*")) == []


def test_killed_export_leaves_no_collection_and_the_next_one_is_whole(home: Path) -> None:
    export(*RUNS, "-o", "whole.sig.zip")
    hook = (
        "import os, signal, sys\n"
        "from wort_cli.upkeep.export import collection\n"
        "add = collection.Collection.add\n"
        "def die(self, name, *rest):\n"
        f"    add(self, name, *rest) if name != {RUNS[3]!r} else os.kill(os.getpid(), signal.SIGKILL)\n"
        "collection.Collection.add = die\n"
        "from wort_cli import cli\n"
        f"cli.run({['export', *RUNS, '-o', 'x.sig.zip']!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", hook], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not Path("x.sig.zip").exists()
    assert Path(".x.sig.zip.partial").exists()
    export(*RUNS, "-o", "x.sig.zip")
    assert Path("x.sig.zip").read_bytes() == Path("whole.sig.zip").read_bytes()
    assert list(Path().glob(".*")) == []


# ---- the catalog's sketches


def test_sketches_of_an_earlier_version_are_filled_from_provenance_or_file(home: Path) -> None:
    export(*RUNS, "-o", "before.sig.zip")
    ledger = Ledger(home / "ledger.db")
    connection = ledger.storage.connection
    connection.execute("DELETE FROM sketches")
    connection.execute("UPDATE signatures SET trust = 'published' WHERE name = ?", (RUNS[0],))
    connection.execute("UPDATE signatures SET sha256 = '' WHERE name = ?", (RUNS[1],))
    ledger.close()
    for _ in range(2):  # the second time from the table
        export(*RUNS, "-o", "after.sig.zip", "--force")
        assert Path("after.sig.zip").read_bytes() == Path("before.sig.zip").read_bytes()
    ledger = Ledger(home / "ledger.db")
    known = {row["name"] for row in ledger.storage.select("SELECT DISTINCT name FROM sketches", {})}
    ledger.close()
    assert known == {*RUNS} - {RUNS[1]}


def test_sketches_of_other_content_are_forgotten(home: Path) -> None:
    ledger = Ledger(home / "ledger.db")
    connection = ledger.storage.connection
    connection.execute("UPDATE signatures SET digest = ? WHERE name = ?", ("e" * 64, RUNS[0]))
    connection.execute("DELETE FROM signatures WHERE name = ?", (RUNS[1],))
    found = ledger.storage.select("SELECT DISTINCT name FROM sketches ORDER BY name", {})
    ledger.close()
    assert [row["name"] for row in found] == RUNS[2:]


# ---- bad input


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--all"], "where to?"),
        (["-o", "x.sig.zip"], "which signatures?"),
        (["--all", "-o", "x.sig"], "neither a .zip file nor a directory"),
        (["--all", "-o", "no/x.sig.zip"], "there is no directory"),
        (["--all", RUNS[0], "-o", "x.zip"], "--all selects all signatures"),
        (["SRR1*", "-g", "pond", "-o", "x.zip"], "a pattern selects alone"),
        (["-g", "lake", "-o", "x.zip"], "there is no group 'lake'"),
        (["a/b", "-o", "x.zip"], "cannot be the name of a signature"),
        (["--all", "--moltype", "RNA", "-o", "x.zip"], "there is no moltype 'RNA'"),
        (["--all", "--update", "--force", "-o", "x.zip"], "exclude each other"),
        (["--picklist", "x.csv", "-o", "x.zip"], "is not FILE:COLUMN:TYPE"),
        (["--picklist", "no.csv:name:name", "-o", "x.zip"], "No such file"),
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
