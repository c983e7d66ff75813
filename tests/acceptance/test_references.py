"""The references of an aligned run are fetched, proved, shared, and found by the toolkit."""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from tests.support.archives import reference_signature, remove_sums
from tests.support.homes import Home
from tests.support.references import NAME
from tests.support.shelf import Shelf, copy_archive, gunzipped

RUN, OTHER = "SRR000001", "SRR000002"


@contextlib.contextmanager
def serving(home: Home, shelf: Shelf, **files: bytes) -> Iterator[ArchiveServer]:
    """Serve the aligned archive as two runs, and its reference, unless `files` has others."""
    archive = shelf.aligned_outside().read_bytes()
    served = {RUN: archive, OTHER: archive, NAME: shelf.sequence().read_bytes()} | files
    with ArchiveServer({name: data for name, data in served.items() if data}).serving() as server:
        server.locator = lambda name: described(server, name)
        home.env |= {
            "WORT_DOWNLOAD": "columns",
            "WORT_LOCATOR_URL": f"{server.url}/sdl/2/retrieve",
            "WORT_MIRRORS": "off",
            "WORT_REQUEST_PAUSE": "1",
        }
        yield server


def described(server: ArchiveServer, name: str) -> dict[str, Any]:
    """Return the locator's answer; that about a reference names it `refseq|...`."""
    answer = server.described(name)
    for file in answer.get("files", []) if name == NAME else []:  # type: ignore[attr-defined]
        file |= {"object": f"refseq|{name}", "type": "refseq"}
    return answer


def asked_for(server: ArchiveServer, name: str) -> int:
    return sum(request.path == f"/{name}" for request in server.requests)


def provenance(home: Home, run: str = RUN) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(home.signature_file(run).with_name(f"{run}.prov.json").read_text())
    return document


def test_reference_is_fetched_once_for_all_runs_and_recorded(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf) as server:
        home("compute", RUN, OTHER, "--now").expect(0)
        fetched = asked_for(server, NAME)
    assert home.signature(RUN) == shelf.aligned_reference(RUN)
    assert home.signature(OTHER) == shelf.aligned_reference(OTHER)
    assert fetched == 1
    found = provenance(home)
    assert found["references"] == {NAME: hashlib.md5(shelf.sequence().read_bytes()).hexdigest()}
    assert found["proved_by"] == "column-md5s"
    assert home.leftovers() == []


def test_jobs_of_the_daemon_wait_for_one_download(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf) as server:
        home("daemon", "start").expect(0)
        home("compute", RUN, OTHER, "--wait").expect(0)
        assert asked_for(server, NAME) == 1
    assert home.signature(OTHER) == shelf.aligned_reference(OTHER)


def test_archive_on_disk_gets_its_reference_too(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.aligned_outside(), home.root / "archives" / RUN / f"{RUN}.sra")
    with serving(home, shelf):
        home("compute", RUN, "--now", env={"WORT_ARCHIVES": str(archive.parents[1])}).expect(0)
    assert home.signature(RUN) == shelf.aligned_reference(RUN)


def test_reference_beside_the_archive_is_neither_located_nor_fetched(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.aligned_outside(), home.root / "archives" / RUN / f"{RUN}.sra")
    copy_archive(shelf.sequence(), archive.with_name(NAME))
    with serving(home, shelf) as server:
        home("compute", RUN, "--now", env={"WORT_ARCHIVES": str(archive.parents[1])}).expect(0)
        assert [request.run for request in server.requests] == [RUN]  # the locator confirms whose archive it is
    assert home.signature(RUN) == shelf.aligned_reference(RUN)
    assert list(provenance(home)["references"]) == [NAME]


def test_reference_of_some_reads_is_fetched_when_the_archive_was_proved(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.aligned_to_both(), home.root / "archives" / RUN / f"{RUN}.sra")
    with serving(home, shelf, **{RUN: archive.read_bytes()}):
        home("compute", RUN, "--now", env={"WORT_ARCHIVES": str(home.root / "archives")}).expect(0)
    found = provenance(home)
    assert found["references"] == {NAME: hashlib.md5(shelf.sequence().read_bytes()).hexdigest()}
    assert (found["proved_by"], found["decoders"], found["spots"]) == ("column-md5s", ["fastq-dump"], 400)
    copy_archive(shelf.sequence(), home.root / "beside" / NAME)
    reference_signature(archive, RUN, home.root / "expected.sig", cwd=home.root / "beside")
    assert home.signature(RUN) == gunzipped(home.root / "expected.sig")


def test_reference_without_sums_is_refused_or_leaves_the_signature_unproved(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.aligned_outside(), home.root / "archives" / RUN / f"{RUN}.sra")
    remove_sums(shelf.sequence(), archive.with_name(NAME))
    env = {"WORT_ARCHIVES": str(archive.parents[1])}
    home("compute", RUN, "--now", env=env).expect(1, "unprovable", "the references of its reads have no md5 sums")
    home("compute", RUN, "--now", "--accept-unproved", env=env).expect(0)
    assert home.signature(RUN) == shelf.aligned_reference(RUN)
    assert provenance(home)["proved_by"] == "nothing"


def test_damaged_reference_beside_the_archive_is_noticed(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.aligned_outside(), home.root / "archives" / RUN / f"{RUN}.sra")
    data = bytearray(shelf.sequence().read_bytes())
    data[-1000] ^= 4
    archive.with_name(NAME).write_bytes(data)
    home("compute", RUN, "--now", env={"WORT_ARCHIVES": str(archive.parents[1])})
    assert home.job(RUN).reason == "corrupt"
    assert NAME in home.job(RUN).message
    assert home.signature_files() == []


@pytest.mark.parametrize(
    ("change", "state"), [({"status": 404, "msg": "Cannot resolve accession"}, "failed"), ({"status": 500}, "waiting")]
)
def test_missing_reference_has_a_reason_of_its_own(
    change: dict[str, Any], state: str, home: Home, shelf: Shelf
) -> None:
    with serving(home, shelf) as server:
        server.locator = lambda name: {"bundle": name, **change} if name == NAME else described(server, name)
        home("compute", RUN, "--now")
        job = home.job(RUN)
        assert (job.state, job.reason) == (state, "reference-missing")
        assert NAME in job.message
        assert home.signature_files() == []
        server.locator = lambda name: described(server, name)
        home("retry", RUN)
        home("compute", RUN, "--now").expect(0)
    assert home.signature(RUN) == shelf.aligned_reference(RUN)


def test_reference_that_nobody_can_be_asked_for_is_not_retried(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.aligned_outside(), home.root / "archives" / RUN / f"{RUN}.sra")
    env = {"WORT_ARCHIVES": str(archive.parents[1]), "WORT_LOCATOR_URL": "off", "WORT_DOWNLOAD": "columns"}
    home("compute", RUN, "--now", env=env).expect(1, "not-asked", NAME, "`locator_url` is off")
    assert (home.job(RUN).state, home.job(RUN).reason) == ("failed", "not-asked")
    copy_archive(shelf.sequence(), archive.with_name(NAME))
    home("retry", RUN).expect(0)
    home("compute", RUN, "--now", env=env).expect(0)
    assert home.signature(RUN) == shelf.aligned_reference(RUN)


def test_reference_that_does_not_match_its_md5_makes_no_signature(home: Home, shelf: Shelf) -> None:
    def damage(request: Request) -> Fate:
        return Fate(change=lambda body: bytes([body[0] ^ 1]) + body[1:]) if request.path == f"/{NAME}" else Fate()

    with serving(home, shelf) as server:
        server.fate = damage
        home("compute", RUN, "--now")
        assert home.job(RUN).reason == "reference-missing"
        assert home.signature_files() == []
        server.fate = lambda request: Fate()
        home("compute", RUN, "--now").expect(0)
    assert home.signature(RUN) == shelf.aligned_reference(RUN)


@pytest.mark.parametrize("damaged", [False, True])
def test_reference_without_an_md5_of_the_locator_is_proved_by_its_own_sums(
    damaged: bool, home: Home, shelf: Shelf
) -> None:
    data = bytearray(shelf.sequence().read_bytes())
    data[-1000] ^= damaged

    def without_md5(server: ArchiveServer, name: str) -> dict[str, Any]:
        answer = described(server, name)
        for file in answer["files"] if name == NAME else []:
            del file["md5"]
        return answer

    with serving(home, shelf, **{NAME: bytes(data)}) as server:
        server.locator = lambda name: without_md5(server, name)
        home("compute", RUN, "--now")
        if damaged:
            assert (home.job(RUN).state, home.job(RUN).reason) == ("waiting", "reference-missing")
            server.files[NAME] = shelf.sequence().read_bytes()
            home("compute", RUN, "--now").expect(0)
    assert home.signature(RUN) == shelf.aligned_reference(RUN)


def test_stored_reference_that_was_changed_is_fetched_again(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf) as server:
        home("compute", RUN, "--now").expect(0)
        stored = home.path / "references" / "refseq" / NAME
        data = bytearray(stored.read_bytes())
        data[-1000] ^= 4
        stored.write_bytes(data)
        home("compute", OTHER, "--now").expect(0)
        assert asked_for(server, NAME) == 2
    assert home.signature(OTHER) == shelf.aligned_reference(OTHER)


def test_toolkit_reports_a_missing_reference(home: Home, shelf: Shelf) -> None:
    archive = copy_archive(shelf.aligned_outside(), home.root / "archives" / RUN / f"{RUN}.sra")
    home("compute", RUN, "--now", env={"WORT_ARCHIVES": str(archive.parents[1]), "WORT_DOWNLOAD": "toolkit"})
    job = home.job(RUN)
    assert (job.state, job.reason) == ("waiting", "reference-missing")
    assert NAME in job.message


def test_streaming_leaves_no_copy_in_the_repository(home: Home, shelf: Shelf) -> None:
    repository = home.root / "repository-with-cache"
    for directory in ("sra", "refseq"):
        (repository / directory).mkdir(parents=True)
    with serving(home, shelf) as server:
        home.configure_toolkit(
            '/libs/cloud/report_instance_identity = "false"',
            *(
                f'/repository/remote/{kind}/resolver-cgi = "{server.url}/sdl/2/retrieve"'
                for kind in ("main/SDL.2", "protected/SDL.2", "main/CGI", "protected/CGI")
            ),
        )
        settings = home.root / "home" / ".ncbi" / "user-settings.mkfg"
        settings.parent.mkdir()
        settings.write_text(
            f'/repository/user/main/public/root = "{repository}"\n'
            '/repository/user/main/public/apps/sra/volumes/sraFlat = "sra"\n'
            '/repository/user/main/public/apps/refseq/volumes/refseq = "refseq"\n'
            '/repository/user/main/public/cache-enabled = "true"\n'
            '/repository/user/cache-disabled = "false"\n'
        )
        before = settings.read_bytes()
        home("compute", RUN, "--now", env={"WORT_DOWNLOAD": "toolkit"}).expect(0)
        assert asked_for(server, RUN) > 1
    assert home.signature(RUN) == shelf.aligned_reference(RUN)
    assert provenance(home)["proved_by"] == "nothing"
    assert [path for path in repository.rglob("*") if path.is_file()] == []
    assert [path for path in home.repository.rglob("*") if path.is_file()] == []
    assert settings.read_bytes() == before


@pytest.mark.parametrize("options", [(), ("--whole",)], ids=str)
def test_fetched_archive_has_its_reference_beside_it(options: tuple[str, ...], home: Home, shelf: Shelf) -> None:
    directory = home.root / "fetched"
    with serving(home, shelf) as server:
        home("fetch", RUN, OTHER, "-o", directory, *options).expect(0)
        assert asked_for(server, NAME) == 1
        home("fetch", RUN, "-o", directory, *options).expect(0)
        assert asked_for(server, NAME) == 1
    offline = {"WORT_LOCATOR_URL": "off", "WORT_ARCHIVES": str(directory)}
    home("compute", OTHER, "--now", env=offline).expect(0)
    assert home.signature(OTHER) == shelf.aligned_reference(OTHER)
    assert list(provenance(home, OTHER)["references"]) == [NAME]


def test_fetch_without_a_reference_says_which(home: Home, shelf: Shelf) -> None:
    with serving(home, shelf, **{NAME: b""}):
        home("fetch", RUN).expect(1, f"{RUN}: reference-missing", NAME)
