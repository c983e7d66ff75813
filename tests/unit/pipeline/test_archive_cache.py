"""Fetched archives are kept for later jobs within a limit, and one job at a time has each of them."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import request
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job import Job
from wort_cli.pipeline.archive_cache import ArchiveCache
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.reservations import Need, Reservation, reservations
from wort_cli.pipeline.resources import reserve_disk
from wort_cli.pipeline.workspace import Workspace
from wort_cli.settings import Settings, load_settings
from wort_cli.system.machine import Disk, disk_of

RUN, OTHER = "SRR000001", "SRR000002"


def fetched(root: Path, content: bytes = b"x" * 5000) -> Path:
    """Make the directory of a fetched archive."""
    root.mkdir(parents=True)
    (root / "x.sra").write_bytes(content)
    return root


def names(directory: Path) -> list[str]:
    return sorted(path.name.partition("-")[0] for path in directory.glob("*"))


def test_kept_archive_is_moved_to_the_next_job_of_the_run(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path / "cache", 10**6)
    cache.keep(RUN, fetched(tmp_path / "1" / "archive", b"first"))
    cache.keep(RUN, fetched(tmp_path / "2" / "archive", b"second"))
    assert names(tmp_path / "cache") == [RUN], "one of each run is kept, the newest"
    assert not (tmp_path / "1" / "archive").exists()
    assert not cache.take(OTHER, tmp_path / "3" / "archive")
    assert cache.take(RUN, tmp_path / "4" / "archive")
    assert (tmp_path / "4" / "archive" / "x.sra").read_bytes() == b"second"
    assert not cache.take(RUN, tmp_path / "5" / "archive"), "another job has it"


def test_archive_in_the_workspace_is_not_replaced(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path / "cache", 10**6)
    cache.keep(RUN, fetched(tmp_path / "1", b"kept"))
    mine = fetched(tmp_path / "2", b"mine")
    assert not cache.take(RUN, mine)
    assert (mine / "x.sra").read_bytes() == b"mine"


def test_oldest_archives_are_removed_first(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path / "cache", 12_000)
    for n in (5, 1, 3):
        cache.keep(f"SRR00000{n}", fetched(tmp_path / str(n)))
    assert names(tmp_path / "cache") == ["SRR000001", "SRR000003"]
    assert cache.remove_oldest()
    assert names(tmp_path / "cache") == ["SRR000003"]
    assert ArchiveCache(tmp_path / "cache", 0).excess() == cache.entries(), "the setting was lowered"
    assert cache.remove_oldest()
    assert not cache.remove_oldest()


@pytest.mark.parametrize(
    "cache", [ArchiveCache(None, 10**6), ArchiveCache(Path("cache"), 0), ArchiveCache(Path("cache"), 4999)]
)
def test_archive_that_is_not_kept_is_removed(
    cache: ArchiveCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    archive = fetched(tmp_path / "archive")
    cache.keep(RUN, archive)
    assert not archive.exists()
    assert names(tmp_path / "cache") == []
    cache.keep(RUN, archive)  # there is none


def test_archive_that_cannot_be_moved_is_removed(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"no directory")
    archive = fetched(tmp_path / "archive")
    ArchiveCache(tmp_path / "cache", 10**6).keep(RUN, archive)
    assert not archive.exists()


def test_one_of_many_takers_gets_an_archive(tmp_path: Path) -> None:
    cache = ArchiveCache(tmp_path / "cache", 10**6)
    cache.keep(RUN, fetched(tmp_path / "archive"))
    took: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: took.extend([n] * cache.take(RUN, tmp_path / str(n)))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(took) == 1
    assert (tmp_path / str(took[0]) / "x.sra").exists()


# ---- Disk


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings({"WORT_HOME": str(tmp_path), "WORT_CACHE_BYTES": "1000000", "WORT_DISK_RESERVE": "1"})
    made.work_dir.mkdir()
    return made


@pytest.fixture
def job(settings: Settings) -> Iterator[Job]:
    ledger = Ledger(settings.ledger_file)
    (answer,) = ledger.jobs.enqueue([request(RUN)])
    claimed = ledger.attempts.claim(answer.job_id or 0, "me", 60)
    assert claimed is not None
    yield claimed
    ledger.close()


def test_cached_archive_gives_way_to_a_download(
    settings: Settings, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = JobSpec.of(job, settings, jobs=1)
    workspace = Workspace(spec.workspace, 1)
    workspace.create()
    cache = ArchiveCache.of(spec)
    for n in (1, 2, 3):
        cache.keep(f"SRR00000{n}", fetched(tmp_path / str(n)))

    def disk(path: Path) -> Disk:
        return replace(disk_of(path), free=20_001 - 5000 * len(cache.entries()))

    monkeypatch.setattr("wort_cli.pipeline.resources.disk_of", disk)
    reserve_disk(12_000, spec, workspace)
    assert names(settings.archive_cache_dir) == ["SRR000003"], "two were in the way"
    with pytest.raises(JobFailed) as caught:
        reserve_disk(30_000, spec, workspace)
    assert caught.value.failure.reason is Reason.DISK_LOW
    assert names(settings.archive_cache_dir) == []


def test_download_and_sketches_of_one_attempt_are_reserved_together(settings: Settings, job: Job) -> None:
    spec = JobSpec.of(job, settings, jobs=1)
    workspace = Workspace(spec.workspace, 1)
    workspace.create()
    sketches = Reservation.now(workspace.attempt_directory, workspace.slices, Need(100, 10, 1))
    with reservations(settings.work_dir) as book:
        book.add(sketches)
    fetched(workspace.archive_directory)
    reserve_disk(1000, spec, workspace)
    reserve_disk(3000, spec, workspace)  # such as the columns after the head
    with reservations(settings.work_dir) as book:
        assert book.outstanding.work == 3100
        assert book.outstanding.store == 10
        assert book.outstanding_of_others(workspace.attempt_directory, workspace.slices).work == 3000


def test_cache_is_emptied_while_the_disk_is_below_its_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ArchiveCache(tmp_path / "cache", 10**6)
    for n in (1, 2, 3):
        cache.keep(f"SRR00000{n}", fetched(tmp_path / str(n)))
    monkeypatch.setattr(
        "wort_cli.pipeline.archive_cache.disk_of",
        lambda path: Disk(path, 1, 20_000 - 5000 * len(cache.entries()), 10**9),
    )
    cache.free_disk(12_000)
    assert names(tmp_path / "cache") == ["SRR000003"]
    cache.free_disk(100_000)
    assert names(tmp_path / "cache") == []
