"""For every kind of archive, and wherever it is found, a signature has the bytes that the reference recipe makes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.homes import Home
from tests.support.shelf import WITH_READS, Shelf, copy_archive, gunzipped

Place = Callable[[Home, Path], dict[str, str]]


@pytest.mark.parametrize("layout", WITH_READS)
def test_signature_equals_the_reference(layout: str, home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.archive(layout), home.cwd / f"{layout}.sra")
    out = home.cwd / "out.sig"
    done = home("compute", f"{layout}.sra", "--now", "-o", "out.sig").expect(0)
    assert done.rows() == [[layout, "done", "1", "", str(home.signature_file(layout))]]
    wanted = shelf.reference(archive, layout)
    assert gunzipped(out) == wanted
    assert home.signature(layout) == wanted
    seen = home("view", str(out), "--json").expect(0).records()[0]
    assert [sketch["k"] for sketch in seen["sketches"]] == [21, 31, 51]
    ((digest, provenance),) = home.select("SELECT digest, provenance FROM signatures")
    assert seen["digest"] == digest
    assert json.loads(provenance)["source"] == str(archive)
    assert home.job(layout).state == "done"


@pytest.mark.parametrize(
    ("layout", "notes"),
    [
        ("shorter_than_k", ["", "", "reads-shorter-than-k"]),
        ("all_shorter_than_k", ["reads-shorter-than-k"] * 3),
        ("paired_illumina", ["", "", ""]),
    ],
)
def test_empty_sketches_are_explained(layout: str, notes: list[str], home: Home, shelf: Shelf) -> None:
    home("compute", shelf.archive(layout), "--now", "--name", "x").expect(0)
    seen = home("view", "x", "--json").expect(0).records()[0]
    assert [sketch["note"] or "" for sketch in seen["sketches"]] == notes
    assert [sketch["hashes"] == 0 for sketch in seen["sketches"]] == [bool(note) for note in notes]


def test_equal_archives_give_equal_files(home: Home, shelf: Shelf) -> None:
    """gzip has mtime 0, so two computations give the same bytes."""
    home("compute", shelf.archive(), "--now", "--name", "x", "-o", "one.sig").expect(0)
    home("compute", shelf.archive(), "--now", "--name", "x", "-o", "two.sig", "--force").expect(0)
    assert (home.cwd / "one.sig").read_bytes() == (home.cwd / "two.sig").read_bytes()


def test_existing_signature_is_not_computed_again(home: Home, shelf: Shelf) -> None:
    home.keep("SRR000001", shelf.archive())
    home("compute", "SRR000001", "--now").expect(0)
    file = home.signature_file("SRR000001")
    before = file.stat()
    no_tools = {"PATH": str(home.root / "bin")}
    assert home("compute", "SRR000001", env=no_tools).expect(0).rows()[0][1] == "already there"
    assert home("compute", "SRR000001", "--now", env=no_tools).expect(0).rows()[0][1] == "already there"
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert len(home.jobs()) == 1


def test_lost_file_is_computed_again(home: Home, shelf: Shelf) -> None:
    home.keep("SRR000001", shelf.archive())
    home("compute", "SRR000001", "--now").expect(0)
    home.signature_file("SRR000001").unlink()
    home("view", "SRR000001").expect(2, "its file is missing")
    home("compute", "SRR000001", "--now").expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")


def test_changed_archive_is_computed_again(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.archive(), home.cwd / "x.sra")
    home("compute", "x.sra", "--now").expect(0)
    archive.unlink()
    copy_archive(shelf.archive("single_illumina"), archive)
    assert home("compute", "x.sra", "--now").expect(0).rows()[0][1] == "done"
    assert home.signature("x") == shelf.reference(shelf.archive("single_illumina"), "x")


def put_in_repository(home: Home, archive: Path) -> dict[str, str]:
    home.keep("SRR000001", archive)
    return {}


def put_in_cwd(home: Home, archive: Path) -> dict[str, str]:
    copy_archive(archive, home.cwd / "SRR000001" / "SRR000001.sra")
    return {}


def put_in_archives(home: Home, archive: Path) -> dict[str, str]:
    copy_archive(archive, home.root / "archives" / "SRR000001.sra")
    return {"WORT_ARCHIVES": f"{home.root / 'elsewhere'}:{home.root / 'archives'}"}


def put_in_archives_with_prefetch_layout(home: Home, archive: Path) -> dict[str, str]:
    copy_archive(archive, home.root / "archives" / "SRR000001" / "SRR000001.sra")
    return {"WORT_ARCHIVES": str(home.root / "archives")}


def put_in_folder_of_the_repository(home: Home, archive: Path) -> dict[str, str]:
    copy_archive(archive, home.repository / "sra" / "SRR000001" / "SRR000001")
    return {}


@pytest.mark.parametrize(
    ("place", "how"),
    [
        pytest.param(put_in_repository, "--now", id="repository"),
        pytest.param(put_in_folder_of_the_repository, "--now", id="repository, as in the open data"),
        pytest.param(put_in_repository, "--wait", id="repository, daemon"),
        pytest.param(put_in_cwd, "--now", id="cwd"),
        pytest.param(put_in_cwd, "--wait", id="cwd, daemon"),
        pytest.param(put_in_archives, "--wait", id="archives, daemon"),
        pytest.param(put_in_archives_with_prefetch_layout, "--now", id="archives, as prefetched"),
    ],
)
def test_archive_on_disk_is_found_without_network(place: Place, how: str, home: Home, shelf: Shelf) -> None:
    env = place(home, shelf.archive())
    if how == "--wait":
        home("daemon", "start", env=env).expect(0)
    home("compute", "SRR000001", how, env=env).expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")
    assert home("view", "SRR000001", "--raw").expect(0).out.encode() == home.signature("SRR000001")


def test_planted_file_in_the_working_directory_is_ignored(home: Home, shelf: Shelf) -> None:
    """The toolkit would open `./SRR000001` instead of the repository's archive, even if it gets an absolute path."""
    home.keep("SRR000001", shelf.archive())
    copy_archive(shelf.archive("single_illumina"), home.cwd / "SRR000001")
    copy_archive(shelf.archive("single_illumina"), home.cwd / "SRR000001.sra")
    home("compute", "SRR000001", "--now").expect(0)
    assert home.signature("SRR000001") == shelf.reference(shelf.archive(), "SRR000001")


@pytest.mark.parametrize("name", ["Ü with space.sra", "quote'\"<&;ls.sra", "-h.sra"])
def test_odd_file_names(name: str, home: Home, shelf: Shelf) -> None:
    """Any path works with --name; without it, a file name that is not a valid name is refused."""
    copy_archive(shelf.archive(), home.cwd / name)
    home("compute", f"./{name}", "--now").expect(2, "cannot be the name of a signature", "--name")
    assert not home.jobs()
    home("compute", f"./{name}", "--now", "--name", "odd").expect(0)
    assert home.signature("odd") == shelf.reference(shelf.archive(), "odd")


def test_path_with_percent_sign_is_refused(home: Home, shelf: Shelf) -> None:
    copy_archive(shelf.archive(), home.cwd / "100%.sra")
    home("compute", "./100%.sra", "--now", "--name", "x").expect(1, "not-an-archive", "'%'", "rename it")


def test_output_option(home: Home, shelf: Shelf) -> None:
    for accession in ("SRR000001", "SRR000002"):
        home.keep(accession, shelf.archive())
    home("compute", "SRR000001", "SRR000002", "--now", "-o", "one.sig").expect(2, "is not a directory")
    home("compute", "SRR000001", "--now", "-o", "no/such/x.sig").expect(2, "there is no directory")
    home("compute", "SRR000001", "--now", "-o", "sigs").expect(2, ".sig, .sig.gz or .zip", "add a slash: 'sigs/'")
    home("compute", "SRR000001", "-o", "x.sig").expect(2, "--wait or --now")
    home("compute", "SRR000001", "--now", "--wait").expect(2, "exclude each other")
    home("compute", "SRR000001", "--now", "--json", "-o", "-").expect(2, "both write to standard output")
    assert not home.jobs()
    home("compute", "SRR000001", "SRR000002", "--now", "-o", "sigs/").expect(0)
    names = [f"SRR00000{n}{end}" for n in (1, 2) for end in (".prov.json", ".sig")]
    assert sorted(path.name for path in (home.cwd / "sigs").iterdir()) == names
    home("compute", "SRR000001", "--now", "-o", "x.sig.gz", "--no-provenance").expect(0)
    assert not (home.cwd / "x.prov.json").exists()
    before = (home.cwd / "x.sig.gz").read_bytes()
    home("compute", "SRR000002", "--now", "-o", "x.sig.gz").expect(2, "has the signature of 'SRR000001'", "--force")
    home("view", "SRR000002", "-o", "x.sig.gz").expect(2, "has the signature of 'SRR000001'", "--force")
    assert (home.cwd / "x.sig.gz").read_bytes() == before == home.signature_file("SRR000001").read_bytes()
    home("view", "SRR000002", "-o", "x.sig.gz", "--force").expect(0)
    assert (home.cwd / "x.sig.gz").read_bytes() == home.signature_file("SRR000002").read_bytes()
    wanted = shelf.reference(shelf.archive(), "SRR000001")
    assert home("compute", "SRR000001", "--now", "-o", "-").expect(0).out.encode() == wanted
    assert home("view", "SRR000001", "-o", "-").expect(0).out.encode() == wanted


def test_archive_without_sums_is_refused_unless_an_unproved_signature_is_accepted(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.without_sums(), home.cwd / "x.sra")
    home("compute", "x.sra", "--now").expect(1, "nothing proves", "no md5 sums of its columns", "--accept-unproved")
    assert (home.job("x").state, home.job("x").reason) == ("failed", "unprovable")
    assert home.signature_files() == []
    assert "unprovable: the archive has no md5 sum" in home("compute", "x.sra", "-n").expect(0).out
    assert "will be marked" in home("compute", "x.sra", "-n", "--accept-unproved").expect(0).out
    home("compute", "x.sra", "--now", "--accept-unproved").expect(0)
    assert home.signature("x") == shelf.reference(archive, "x")
    ((trust, provenance),) = home.select("SELECT trust, provenance FROM signatures")
    found = json.loads(provenance)
    assert (trust, found["proved_by"], found["validated"]) == ("unproved", "nothing", True)


def test_archive_with_sums_is_proved_by_its_columns(home: Home, shelf: Shelf) -> None:
    copy_archive(shelf.archive(), home.cwd / "x.sra")
    home("compute", "x.sra", "--now").expect(0)
    ((provenance,),) = home.select("SELECT provenance FROM signatures")
    assert json.loads(provenance)["proved_by"] == "column-md5s"
