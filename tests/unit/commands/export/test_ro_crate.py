"""`wort export --ro-crate` makes a directory or a collection an RO-Crate, which the validator of RO-Crates accepts."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.crate_validator import issues_in
from tests.support.exports import RUNS, export, missing, sketches_in, stored_sketches
from wort_cli.model.sketch_row import SketchRow
from wort_cli.upkeep.export.contents import CRATE_METADATA, Contents
from wort_cli.upkeep.export.ro_crate import NO_LICENSE, CrateFacts, crate_metadata

SKETCH = SketchRow("0" * 32, 31, "DNA", 0, 1000, 1, True, 1, "")
RUN_PAGE = "https://identifiers.org/insdc.sra:"


def unpacked(crate: str) -> Path:
    """Return a crate as a directory."""
    if not crate.endswith(".zip"):
        return Path(crate)
    with zipfile.ZipFile(crate) as archive:
        assert archive.testzip() is None
        archive.extractall("unpacked")
    return Path("unpacked")


def entities(crate: str) -> dict[str, dict[str, Any]]:
    """Return the entities of a crate by their ids, which must be unique."""
    graph = json.loads((unpacked(crate) / CRATE_METADATA).read_bytes())["@graph"]
    found = {entity["@id"]: entity for entity in graph}
    assert len(found) == len(graph)
    return found


@pytest.mark.parametrize("crate", ["d/", "x.sig.zip"])
def test_crate_is_valid_and_lists_every_file_with_its_run(home: Path, tmp_path: Path, crate: str) -> None:
    export("--all", "-o", crate, "--ro-crate", "--license", "CC0-1.0", code=1)
    assert issues_in(Path(crate), tmp_path) == []
    found, root = entities(crate), unpacked(crate)
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()} - {CRATE_METADATA}
    assert {part["@id"] for part in found["./"]["hasPart"]} == files
    signatures = [found[name] for name in sorted(files) if name.endswith(".sig.gz")]
    assert sorted(one["isBasedOn"]["@id"] for one in signatures) == [f"{RUN_PAGE}{run}" for run in RUNS]
    assert all(int(one["contentSize"]) == (root / one["@id"]).stat().st_size for one in signatures)
    assert found["./"]["license"] == {"@id": "https://spdx.org/licenses/CC0-1.0"}
    assert "6 computed" in found["./"]["description"] and "Missing: 2," in found["./"]["description"]
    assert found["#parameters"]["value"].startswith("sra-v1: sketch dna -p k=21,k=31,k=51,scaled=1000,abund")
    table = "d/missing.csv" if crate == "d/" else "x.missing.csv"
    assert (root / "missing.csv").read_bytes() == Path(table).read_bytes()
    assert len(missing(table)) == 2


def test_broken_metadata_are_not_valid(home: Path, tmp_path: Path) -> None:
    export(RUNS[0], "-o", "d/", "--ro-crate")
    path = Path("d", CRATE_METADATA)
    text = path.read_text()
    path.write_text(text.replace("datePublished", "datePublicized"))
    assert any("datePublished" in issue for issue in issues_in(Path("d"), tmp_path))
    path.write_text(text)
    Path("d", f"{RUNS[0]}.sig.gz").unlink()
    assert any(RUNS[0] in issue for issue in issues_in(Path("d"), tmp_path))


def test_sourmash_reads_a_collection_that_is_a_crate(home: Path) -> None:
    export(*RUNS, "-o", "x.sig.zip", "--ro-crate")
    assert sketches_in("x.sig.zip") == stored_sketches(home, *RUNS)


@pytest.mark.parametrize("crate", ["d/", "x.sig.zip"])
def test_update_describes_what_is_kept_too(home: Path, tmp_path: Path, crate: str) -> None:
    export(RUNS[0], "-k", "21", "-k", "31", "--separate", "-o", crate, "--ro-crate")
    export(*RUNS[1:3], "-o", crate, "--ro-crate", "--update", "--license", "ask the authors, please")
    assert issues_in(Path(crate), tmp_path) == []
    found = entities(crate)
    based = [entity["isBasedOn"]["@id"] for entity in found.values() if "isBasedOn" in entity]
    assert based == [f"{RUN_PAGE}{run}" for run in (RUNS[0], *RUNS[:3])]
    assert found["./"]["license"] == "ask the authors, please"
    assert "2 computed, 1 kept from an earlier export" in found["./"]["description"]
    assert len(sketches_in("x.sig.zip" if crate == "x.sig.zip" else "d/SOURMASH-MANIFEST.csv")) == 8


@pytest.mark.parametrize("crate", ["d/", "x.sig.zip"])
def test_export_without_the_option_does_not_leave_metadata_of_something_else(
    home: Path, capsys: pytest.CaptureFixture[str], crate: str
) -> None:
    export(RUNS[0], "-o", crate, "--ro-crate")
    before = (unpacked(crate) / CRATE_METADATA).read_bytes()
    export(RUNS[1], "-o", crate, "--update", code=2)
    assert "add --ro-crate" in capsys.readouterr().err
    assert (unpacked(crate) / CRATE_METADATA).read_bytes() == before
    if crate == "x.sig.zip":
        export(RUNS[1], "-o", crate, "--force")
        assert sketches_in(crate) == stored_sketches(home, RUNS[1])
        with zipfile.ZipFile(crate) as archive:
            assert CRATE_METADATA not in archive.namelist()


def test_no_license_is_invented(home: Path, tmp_path: Path) -> None:
    export(RUNS[0], "-o", "d/", "--ro-crate")
    assert entities("d/")["./"]["license"] == NO_LICENSE
    assert issues_in(Path("d"), tmp_path) == []


def test_license_needs_the_metadata(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(RUNS[0], "-o", "d/", "--license", "CC0-1.0", code=2)
    assert "--license is for the metadata of --ro-crate" in capsys.readouterr().err


def test_missing_library_is_named(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rocrate", None)
    export(RUNS[0], "-o", "d/", "--ro-crate", code=2)
    assert "pip install 'wort-cli[ro-crate]'" in capsys.readouterr().err
    assert not Path("d").exists()
    export(RUNS[0], "-o", "d/")


def test_texts_are_escaped(tmp_path: Path) -> None:
    facts = CrateFacts('a"b', "c\nd", "e", 'https://example.org/"f', 0.0)
    with (tmp_path / "spool").open("w+b") as spool:
        contents = Contents(spool)
        contents.add("g h#?.sig.gz", "local", [SKETCH], 7)
        document = json.loads(b"".join(crate_metadata(facts, contents)))
    found = {entity["@id"]: entity for entity in document["@graph"]}
    assert (found["./"]["name"], found["./"]["description"]) == ('a"b', "c\nd")
    assert found["./"]["hasPart"][0] == {"@id": "g%20h%23%3F.sig.gz"}
    assert found["g%20h%23%3F.sig.gz"]["contentSize"] == "7" and "isBasedOn" not in found["g%20h%23%3F.sig.gz"]
