"""Archives that are named after a run, and are not that run's."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archive_server import ArchiveServer
from tests.support.builders import job_spec
from tests.support.second_user import as_other, shared_directory
from tests.support.shelf import Shelf
from wort_cli.api.sources import with_prefetched
from wort_cli.model.accession import Accession
from wort_cli.model.job import Source
from wort_cli.pipeline import identity
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.prove import ArchiveProof, Origin
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.identity import identify
from wort_cli.pipeline.job_spec import Download
from wort_cli.pipeline.toolkit.processes import Processes
from wort_cli.pipeline.workspace import Workspace
from wort_cli.system.cancellation import NEVER
from wort_cli.system.process_identity import own_identity

RUN = Accession("SRR000001")
PLANT = 'mkdir -p "$1/SRR000001"; printf NCBI.sra > "$1/SRR000001/SRR000001.sra"'


def found(notice: Callable[[str], None] = lambda _: None, archives: Sequence[Path] = ()) -> Source:
    return with_prefetched(Source(RUN), archives=archives, notice=notice)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory that every user may write to."""
    with shared_directory() as made:
        monkeypatch.chdir(made)
        yield made


# ---- The working directory


def test_archive_that_another_user_put_into_the_working_directory_is_not_used(shared: Path) -> None:
    as_other(PLANT, shared)
    notices: list[str] = []
    assert found(notices.append) == Source(RUN, None)
    assert len(notices) == 1
    assert f"{shared}/SRR000001' is not used as the archive of SRR000001: it belongs to" in notices[0]
    (shared / RUN).rename(shared / "theirs")
    (shared / RUN).mkdir(mode=0o755)
    shutil.move(shared / "theirs" / f"{RUN}.sra", shared / RUN)
    assert found(notices.append) == Source(RUN, None)
    assert f"{RUN}.sra' is not used" in notices[1]


def test_archive_in_the_working_directory_that_others_can_write_is_not_used(shared: Path) -> None:
    folder = shared / RUN
    folder.mkdir(mode=0o755)
    archive = folder / f"{RUN}.sra"
    archive.write_bytes(b"NCBI.sra")
    assert found() == Source(RUN, archive)
    for path in (archive, folder):
        path.chmod(path.stat().st_mode | 0o002)
        assert found() == Source(RUN, None)
        path.chmod(path.stat().st_mode & ~0o002)
    assert found() == Source(RUN, archive)


def test_configured_directory_goes_before_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("configured", "working"):
        (tmp_path / place / RUN).mkdir(parents=True)
        (tmp_path / place / RUN / f"{RUN}.sra").write_bytes(b"NCBI.sra")
    monkeypatch.chdir(tmp_path / "working")
    assert found().archive == tmp_path / "working" / RUN / f"{RUN}.sra"
    assert found(archives=[tmp_path / "configured"]) == Source(RUN, None)


# ---- The identity


class Idle:
    """A watcher that ignores everything."""

    cancellation = NEVER

    def report(self, progress: object) -> None:
        """Ignore the progress."""


Identify = Callable[[Path], Origin]


@pytest.fixture
def archive(shelf: Shelf) -> Path:
    return shelf.archive("one_read")


@pytest.fixture
def server(archive: Path) -> Iterator[ArchiveServer]:
    with ArchiveServer({RUN: archive.read_bytes()}).serving() as running:
        yield running


@pytest.fixture
def identified(tmp_path: Path, server: ArchiveServer, monkeypatch: pytest.MonkeyPatch) -> tuple[Identify, list[str]]:
    """Return a function that identifies a file as the archive of RUN, and its log."""
    monkeypatch.setattr(identity, "failed_at", {})
    log: list[str] = []
    download = Download(locator_url=f"{server.url}/sdl/2/retrieve")
    spec = replace(job_spec(tmp_path), source=Source(RUN, None), download=download)
    attempt = Attempt(spec, Idle(), Workspace(tmp_path / "work", 1), log.append, Processes("daemon", own_identity()))

    def of(path: Path) -> Origin:
        found = Archive(str(path), path, 1, 1, path.stat().st_size)
        return identify(found, ArchiveProof("column-md5s"), attempt, NEVER)

    return of, log


def test_archive_of_the_run_is_identified_by_the_locator(
    identified: tuple[Identify, list[str]], archive: Path, tmp_path: Path
) -> None:
    of, log = identified
    path = Path(shutil.copyfile(archive, tmp_path / f"{RUN}.sra"))
    origin = of(path)
    assert origin.identified
    assert len(origin.md5) == 32
    assert log == []


@pytest.mark.parametrize("change", ["same size", "longer"])
def test_archive_of_another_run_is_identified_by_its_name_alone(
    identified: tuple[Identify, list[str]], archive: Path, tmp_path: Path, change: str
) -> None:
    of, log = identified
    content = archive.read_bytes()
    path = tmp_path / f"{RUN}.sra"
    path.write_bytes(content[:-1] + b"x" if change == "same size" else content + b"x")
    assert of(path) == Origin()
    assert f"the locator lists normalized of {len(content):,} bytes" in log[0]


def test_silent_locator_is_asked_once(
    identified: tuple[Identify, list[str]], archive: Path, tmp_path: Path, server: ArchiveServer
) -> None:
    of, log = identified
    path = Path(shutil.copyfile(archive, tmp_path / f"{RUN}.sra"))
    server.locator = lambda run: {"status": "500"}
    before = len(server.requests)
    assert of(path) == of(path) == Origin()
    assert len(server.requests) == before + 1
    assert "did not answer lately" in log[1]


def test_file_that_is_named_after_another_run_is_not_asked_about(
    identified: tuple[Identify, list[str]], archive: Path, tmp_path: Path, server: ArchiveServer
) -> None:
    of, _ = identified
    path = Path(shutil.copyfile(archive, tmp_path / "SRR000002.sra"))
    assert of(path) == Origin()
    assert server.requests == []
