"""`wort export` writes what sourmash reads."""

import csv
import gzip
import subprocess
import zipfile
from pathlib import Path

import pytest
import sourmash
from sourmash import SourmashSignature
from sourmash.manifest import BaseCollectionManifest
from sourmash.sourmash_args import SaveSignaturesToLocation

from tests.support.exports import (
    RUNS,
    export,
    file_of,
    loaded,
    manifest_of,
    missing,
    sketches_in,
    sourmash_command,
    stored_sketches,
)
from wort_cli.commands.shared.exporting.export_output import ExportOutput
from wort_cli.model.sketch_row import SketchRow
from wort_cli.upkeep.export.contents import Contents, Example

RANKS = "superkingdom,phylum,class,order,family,genus,species"


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


@pytest.mark.parametrize("place", ["x.sig.zip", "d/"])
def test_next_commands_of_sourmash_use_what_was_exported(
    home: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """A genome is planted: half of the hashes of one run."""
    export(*RUNS, "-o", place)
    shown = [line.split() for line in capsys.readouterr().err.splitlines() if line.startswith("  sourmash")]
    assert [words[1] for words in shown] == ["sig", "gather", "sig", "index", "gather", "tax"]
    plant("QUERY.sig", RUNS[2])
    plant("GENOMES.zip", RUNS[0])
    Path("LINEAGES.csv").write_text(f"ident,{RANKS}\nGCA_1,Bacteria{',' * 6}\n")
    for _, *words in shown:
        options = ["--threshold-bp", "0"] if words[-1] == f"{RUNS[0]}.csv" else []
        done = subprocess.run([sourmash_command(), *words, *options], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        if words[0] == "tax":
            assert "Bacteria" in done.stdout
    assert [row["name"] for row in rows_of("gather.csv")] == [RUNS[2]]
    assert [row["query_name"] for row in rows_of(f"{RUNS[0]}.csv")] == [RUNS[0]]
    stem = place.removesuffix(".sig.zip").removesuffix("/")
    assert sketches_in(f"{stem}.sqlmf") == stored_sketches(home, *RUNS)
    assert {one.name for one in loaded(f"{stem}.rocksdb")} == set(RUNS)


def plant(path: str, run: str) -> None:
    """Write a signature with half of the hashes of a run, as sourmash writes that of a genome."""
    [found] = [one for one in loaded(str(file_of(Path("home"), run))) if one.minhash.ksize == 31]
    genome = found.minhash.copy_and_clear()
    genome.add_many(list(found.minhash.hashes)[::2])
    with SaveSignaturesToLocation(path) as save:
        save.add(SourmashSignature(genome.flatten(), name="GCA_1 planted"))


def rows_of(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("moltype", "ksize", "options"),
    [("DNA", 31, "-k 31"), ("protein", 10, "-k 10 --protein"), ("skipm1n3", 7, "-k 7 --skipm1n3")],
)
def test_next_commands_have_the_k_and_the_molecule_of_what_was_exported(moltype: str, ksize: int, options: str) -> None:
    row = SketchRow("0" * 32, ksize, moltype, 0, 100, 1, True, 1, "")
    commands = ExportOutput.parse("x.zip").next_commands(Example("a.sig.gz", "a b", row))
    assert [options in command for command in commands] == [False, True, False, True, True, False]
    assert "-o 'a b'.csv" in commands[-2]


def test_example_has_the_usual_k_if_there_is_one() -> None:
    rows = [SketchRow("0" * 32, k, "DNA", 0, 100, 1, True, 1, "") for k in (21, 31)]
    contents = Contents()
    contents.add("a1", "a", rows[:1], 1)
    contents.add("a2", "a", rows[1:], 1)
    contents.add("b", "b", rows, 1)
    assert contents.example == Example("a2", "a", rows[1])
