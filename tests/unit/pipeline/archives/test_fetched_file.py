"""`wort fetch` puts a proved archive, or its needed columns, and a record into a directory of the user's."""

import json
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.archive_server import ArchiveServer, Fate, Request
from tests.support.locator_answers import file_entry, run_entry
from tests.support.polling import until
from tests.support.shelf import Shelf
from wort_cli.model.accession import Accession
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline import fetch_run
from wort_cli.pipeline.archives.fetch_record import FetchRecord, is_ours, read_record, record_path
from wort_cli.pipeline.archives.fetched_file import FetchedFile
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.partial import extents_in_map
from wort_cli.pipeline.archives.prove import ArchiveProof, prove_archive
from wort_cli.pipeline.fetch_run import Fetcher
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.settings import load_settings
from wort_cli.system.cancellation import NEVER
from wort_cli.system.file_locks import lock_file

RUN = Accession("SRR000001")


@pytest.fixture
def archive(shelf: Shelf) -> Path:
    """Return an archive of which half are qualities."""
    return shelf.with_qualities()


@pytest.fixture
def server(archive: Path) -> Iterator[ArchiveServer]:
    """A locator and a mirror of the archive."""
    with ArchiveServer({RUN: archive.read_bytes()}).serving() as running:
        yield running


class Here:
    """A directory that archives are fetched into."""

    def __init__(self, root: Path, server: ArchiveServer) -> None:
        self.directory = root / "archives"
        self.root = root
        self.env = {"WORT_HOME": str(root / "home"), "WORT_MIRRORS": "off",
                    "WORT_LOCATOR_URL": f"{server.url}/sdl/2/retrieve"}  # fmt: skip
        self.log: list[str] = []

    def fetch(self, *, whole: bool = False, **env: str) -> FetchedFile:
        settings = load_settings({**self.env, **env})
        with Fetcher(settings, self.directory, whole=whole) as fetcher:
            return fetcher.fetch(RUN, lambda stage, done, total: None, self.log.append)

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file())

    def prove(self, path: Path) -> ArchiveProof:
        (self.root / "empty").mkdir(exist_ok=True)
        with ToolGroup(self.root / "empty", NEVER, self.log.append) as tools:
            return prove_archive(Archive(str(path), path, 1, 1, path.stat().st_size), tools, 60.0)


@pytest.fixture
def here(tmp_path: Path, server: ArchiveServer) -> Here:
    return Here(tmp_path, server)


def edit(path: Path, **values: Any) -> None:
    """Change some values of a record."""
    document = json.loads(record_path(path).read_text())
    record_path(path).write_text(json.dumps({**document, **values}))


def test_needed_columns_are_written_with_their_record(here: Here, server: ArchiveServer, archive: Path) -> None:
    fetched = here.fetch()
    size = archive.stat().st_size
    assert here.files() == ["SRR000001/SRR000001.sra.columns", "SRR000001/SRR000001.sra.columns.json"]
    assert (fetched.size, fetched.is_new, fetched.proved_by) == (size, True, "column-md5s")
    assert fetched.present < 0.8 * size
    assert fetched.path.stat().st_blocks * 512 < 0.8 * size
    record = read_record(fetched.path)
    assert record is not None
    assert (record.run, record.size, record.identified, record.url) == (RUN, size, True, f"{server.url}/{RUN}")
    assert record.skipped == ("tbl/SEQUENCE/col/ORIGINAL_QUALITY",)
    for path in (fetched.path, record_path(fetched.path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_columns_on_disk_are_proved_and_keep_their_origin(here: Here, server: ArchiveServer) -> None:
    fetched = here.fetch()
    record = read_record(fetched.path)
    assert record
    proof = here.prove(fetched.path)
    assert (proof.proved_by, proof.proof, proof.sha256) == ("column-md5s", record.file_proof, "")
    assert (proof.origin.identified, proof.origin.url) == (True, f"{server.url}/{RUN}")
    assert proof.origin.md5 == record.md5


def test_whole_archive_is_a_plain_one_and_replaces_the_columns(here: Here, archive: Path) -> None:
    here.fetch()
    fetched = here.fetch(whole=True)
    assert here.files() == ["SRR000001/SRR000001.sra", "SRR000001/SRR000001.sra.json"]
    assert fetched.path.read_bytes() == archive.read_bytes()
    proof = here.prove(fetched.path)
    assert (proof.proved_by, proof.proof) == ("archive-md5", proof.origin.md5)
    assert proof.origin.identified
    assert len(proof.sha256) == 64


def test_archive_without_sums_is_fetched_as_a_whole(here: Here, server: ArchiveServer, shelf: Shelf) -> None:
    server.files[RUN] = shelf.without_sums().read_bytes()
    assert here.fetch().path.name == "SRR000001.sra"


def test_archive_that_nothing_proves_is_not_fetched(here: Here, server: ArchiveServer, shelf: Shelf) -> None:
    data = shelf.without_sums().read_bytes()
    server.files[RUN] = data
    server.locator = lambda run: run_entry(run, file_entry(run, data, [f"{server.url}/{run}"], ""))
    with pytest.raises(JobFailed) as failed:
        here.fetch()
    assert failed.value.failure.reason is Reason.UNPROVABLE
    assert "SRR000001/SRR000001.sra" not in here.files()
    assert server.sent < len(data)


def test_quality_that_does_not_allow_the_only_archive_leaves_nothing(here: Here, server: ArchiveServer) -> None:
    def lite(run: str) -> dict[str, object]:
        described: dict[str, Any] = server.described(run)
        described["files"][0]["noqual"] = True
        return described

    with pytest.raises(JobFailed) as failed:
        server.locator = lite
        here.fetch(WORT_QUALITY="normalized")
    assert failed.value.failure.reason is Reason.NO_DATA
    assert here.files() == []


def test_mirror_alone_does_not_identify_the_run(here: Here, server: ArchiveServer) -> None:
    fetched = here.fetch(WORT_LOCATOR_URL="off", WORT_MIRRORS=f"{server.url}/{{run}}")
    assert (fetched.proved_by, fetched.identified) == ("column-md5s", False)
    origin = here.prove(fetched.path).origin
    assert (origin.identified, origin.url, origin.md5) == (False, f"{server.url}/{RUN}", "")


def test_preferred_mirror_serves_the_columns_and_the_locator_the_head(
    here: Here, server: ArchiveServer, archive: Path
) -> None:
    server.files["mirror"] = archive.read_bytes()
    fetched = here.fetch(WORT_MIRRORS=f"{server.url}/mirror?{{run}}", WORT_PREFER_MIRRORS="true")
    assert (fetched.identified, fetched.url) == (True, f"{server.url}/mirror")
    from_locator = sum(r.last - r.first + 1 for r in server.requests if r.path == f"/{RUN}")
    assert 0 < from_locator < 200_000


def test_preferred_mirror_with_another_archive_is_not_used(
    here: Here, server: ArchiveServer, archive: Path, shelf: Shelf
) -> None:
    other = shelf.archive().read_bytes()
    server.files["mirror"] = (other + bytes(archive.stat().st_size))[: archive.stat().st_size]
    fetched = here.fetch(WORT_MIRRORS=f"{server.url}/mirror?{{run}}", WORT_PREFER_MIRRORS="true")
    assert (fetched.identified, fetched.url) == (True, f"{server.url}/{RUN}")


@pytest.mark.parametrize("whole", [False, True])
def test_second_fetch_proves_what_is_there_and_transfers_nothing(
    here: Here, server: ArchiveServer, *, whole: bool
) -> None:
    first = here.fetch(whole=whole)
    requests = len(server.requests)
    second = here.fetch(whole=whole)
    assert len(server.requests) == requests
    assert (second.path, second.is_new, second.identified, second.url) == (first.path, False, True, first.url)


@pytest.mark.parametrize("whole", [False, True])
def test_damaged_file_is_fetched_again(here: Here, archive: Path, *, whole: bool) -> None:
    path = here.fetch(whole=whole).path
    damage(path)
    with pytest.raises(JobFailed) as failed:
        here.prove(path)
    assert failed.value.failure.reason is Reason.CORRUPT
    assert here.fetch(whole=whole).is_new
    assert here.prove(path).proved_by


def test_damaged_whole_archive_does_not_hide_the_columns_fetched_after_it(here: Here) -> None:
    path = here.fetch(whole=True).path
    damage(path)
    assert here.fetch().path.name == f"{RUN}.sra.columns"
    assert here.files() == [f"{RUN}/{RUN}.sra.columns", f"{RUN}/{RUN}.sra.columns.json"]


def test_file_that_cannot_be_proved_now_is_kept(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    path = here.fetch(whole=True).path

    def fail(*_: object) -> ArchiveProof:
        raise JobFailed(Reason.TOOL_MISSING, "vdb-validate is not on the PATH")

    monkeypatch.setattr(fetch_run, "prove_archive", fail)
    with pytest.raises(JobFailed, match="not on the PATH"):
        here.fetch(whole=True)
    assert path.exists()


def damage(path: Path) -> None:
    """Flip a bit in the reads of an archive."""
    record = read_record(path)
    offset = record.extents[-1].end - 1000 if record else path.stat().st_size - 1000
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 4]))


def test_damaged_file_of_somebody_else_is_left_alone(here: Here, archive: Path, server: ArchiveServer) -> None:
    path = here.directory / RUN / f"{RUN}.sra"
    path.parent.mkdir(parents=True)
    path.write_bytes(archive.read_bytes())
    assert not here.fetch().is_new
    damage(path)
    before = path.read_bytes()
    with pytest.raises(JobFailed, match="was not fetched by this user: remove it") as failed:
        here.fetch()
    assert failed.value.failure.reason is Reason.CORRUPT
    assert path.read_bytes() == before
    assert server.requests == []


def test_fetch_that_broke_off_goes_on_where_it_stopped(here: Here, server: ArchiveServer, archive: Path) -> None:
    size = archive.stat().st_size

    def fate(request: Request) -> Fate:
        if request.method == "POST":
            return Fate()
        return Fate(status=503) if request.first else Fate(cut=0.5)

    server.fate = fate
    with pytest.raises(JobFailed) as failed:
        here.fetch(whole=True, WORT_CONNECTIONS="1")
    assert failed.value.failure.reason is Reason.NETWORK
    arrived = sum(extent.size for extent in extents_in_map(here.directory / RUN / ".fetching" / f"{RUN}.sra"))
    assert arrived
    server.fate = lambda request: Fate()
    sent = server.sent
    here.fetch(whole=True)
    assert server.sent - sent <= size - arrived + 1000
    assert here.files() == ["SRR000001/SRR000001.sra", "SRR000001/SRR000001.sra.json"]


def test_second_process_waits_for_the_first_and_fetches_nothing(
    here: Here, server: ArchiveServer, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_file, "__defaults__", (0.05,))
    server.rate = archive.stat().st_size / 4
    first = threading.Thread(target=here.fetch)
    first.start()
    until(lambda: server.sent > 200_000, "the first one fetches the columns")
    second = here.fetch()
    first.join()
    assert not second.is_new
    assert any("another process is fetching into" in line for line in here.log)
    assert server.sent < 0.9 * archive.stat().st_size


def test_unknown_run_leaves_nothing(here: Here, server: ArchiveServer) -> None:
    del server.files[RUN]
    with pytest.raises(JobFailed) as failed:
        here.fetch()
    assert failed.value.failure.reason is Reason.NOT_FOUND
    assert list(here.directory.iterdir()) == []


def test_full_disk_is_noticed_before_the_fetch(here: Here) -> None:
    free = os.statvfs(here.root)
    with pytest.raises(JobFailed, match="are to be fetched") as failed:
        here.fetch(WORT_DISK_RESERVE=str(free.f_blocks * free.f_frsize))
    assert failed.value.failure.reason is Reason.DISK_LOW


@pytest.mark.parametrize(
    "values",
    [
        {"file_proof": "0" * 64},
        {"run": "SRR000002"},
        {"size": 5},
        {"extents": [[0, 100], [90, -5]]},
        {"extents": "all"},
        {"url": "https://example.org/\u001b[31m"},
        {"identified": "yes"},
        {"record": 2},
        {"kind": "something else"},
        {"format": "heavy"},
    ],
    ids=str,
)
def test_columns_with_a_record_that_does_not_fit_are_refused(here: Here, values: dict[str, Any]) -> None:
    path = here.fetch().path
    edit(path, **values)
    with pytest.raises(JobFailed) as failed:
        here.prove(path)
    assert failed.value.failure.reason in (Reason.CORRUPT, Reason.NOT_AN_ARCHIVE)


@pytest.mark.parametrize("name", ["SRR000001.sra.columns", "SRR000001.sra.columns.json", "."])
def test_record_that_others_can_write_is_not_believed(here: Here, name: str) -> None:
    path = here.fetch().path
    writable = path.parent / name
    writable.chmod(0o775 if writable.is_dir() else 0o664)
    assert not is_ours(path)
    proof = here.prove(path)
    assert (proof.proved_by, proof.origin.identified, proof.origin.url) == ("column-md5s", False, "")


def test_archive_under_the_name_of_another_run_has_no_origin(here: Here) -> None:
    path = here.fetch(whole=True).path
    other = path.with_name("SRR000002.sra")
    path.rename(other)
    record_path(path).rename(record_path(other))
    assert not here.prove(other).origin.identified


def test_record_survives_its_json(here: Here) -> None:
    record = read_record(here.fetch().path)
    assert record
    assert FetchRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_tools_find_no_archive_in_a_directory_of_columns(here: Here) -> None:
    here.fetch()
    (here.root / "offline.kfg").write_text('/repository/remote/disabled = "true"\n')
    env = {**os.environ, "VDB_CONFIG": str(here.root), "HOME": str(here.root)}
    argv = ["fastq-dump", "-X", "1", "-Z", RUN]
    done = subprocess.run(argv, cwd=here.directory, capture_output=True, check=False, env=env)
    assert (done.returncode != 0, done.stdout) == (True, b"")
