"""A run waits if what it needs exceeds what is free, minus reserves and reservations."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.archives import make_paired
from tests.support.builders import job_spec
from tests.support.shelf import Shelf
from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.profile import SRA_V1
from wort_cli.pipeline import resources
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.reservations import Need
from wort_cli.pipeline.resources import (
    IN_MEMORY,
    IN_SLICE,
    LEAST_MEMORY,
    LEAST_WORK,
    SEALED,
    decoder_memory,
    estimate_need,
    find_shortage,
    reserve_resources,
    slices_at_once,
)
from wort_cli.pipeline.workspace import Workspace
from wort_cli.system.machine import Disk

MB = 1_000_000


def disk(free: int, device: int = 1, total: int = 1_000 * MB, path: str = "/work") -> Disk:
    return Disk(Path(path), device, free, total)


NEED = Need(work=100 * MB, store=30 * MB, memory=200 * MB)


@pytest.mark.parametrize(
    ("work", "store", "memory", "expected"),
    [
        (disk(181 * MB), disk(181 * MB), 300 * MB, None),  # 130 and a reserve of 50 on one disk
        (disk(179 * MB), disk(179 * MB), 300 * MB, Reason.DISK_LOW),
        (disk(151 * MB), disk(81 * MB, 2), 300 * MB, None),
        (disk(149 * MB), disk(81 * MB, 2), 300 * MB, Reason.DISK_LOW),
        (disk(151 * MB), disk(79 * MB, 2), 300 * MB, Reason.DISK_LOW),
        (disk(500 * MB), disk(500 * MB), 209 * MB, Reason.MEMORY),
        (disk(500 * MB), disk(500 * MB), 211 * MB, None),
        (disk(0), disk(0), 0, Reason.DISK_LOW),
    ],
)
def test_run_waits_if_disk_or_memory_is_short(work: Disk, store: Disk, memory: int, expected: Reason | None) -> None:
    found = find_shortage(NEED, work, store, memory, memory_reserve=10 * MB)
    assert (found.reason if found else None) is expected


def test_shortage_is_reported_with_figures() -> None:
    found = find_shortage(NEED, disk(149 * MB), disk(900 * MB, 2, path="/store"), 0)
    assert found is not None
    assert all(words in found.detail for words in ("100.0 MB", "149.0 MB", "/work", "50.0 MB")), found.detail
    found = find_shortage(NEED, disk(900 * MB), disk(900 * MB), 150 * MB, memory_reserve=20 * MB)
    assert found is not None
    assert all(words in found.detail for words in ("200.0 MB", "150.0 MB", "20.0 MB")), found.detail


def test_disk_reserve_applies_to_every_disk() -> None:
    assert find_shortage(NEED, disk(181 * MB), disk(181 * MB), 300 * MB, disk_reserve=52 * MB) is not None
    assert disk(0, total=10**15).reserve() == 1_000 * MB
    assert disk(0, total=10**15).reserve(7) == 7


def test_need_grows_with_the_distinct_share() -> None:
    """2 billion bases give a million hashes for each of 3 k if half of the k-mers are distinct."""
    hashes = 3 * 1_000_000
    one = estimate_need(2_000_000_000, 1, 1, [SRA_V1], 0.5)
    assert one == Need(LEAST_WORK + hashes * SEALED, LEAST_WORK + hashes * SEALED, LEAST_MEMORY + hashes * IN_MEMORY)
    many = estimate_need(2_000_000_000, 20, 2, [SRA_V1], 0.5)
    assert many.work == one.work + 2 * hashes * IN_SLICE
    assert many.memory == one.memory + 2 * hashes // 20 * 2 * IN_MEMORY
    assert estimate_need(2_000_000_000, 20, 2, [SRA_V1], 0.1).memory < many.memory
    assert estimate_need(0, 1, 1, [SRA_V1], 0.5).work == LEAST_WORK


@pytest.mark.parametrize(
    ("threads", "each", "free", "at_once"),
    [(8, 0, -5, 8), (8, 100, 1000, 8), (8, 100, 350, 3), (8, 100, 99, 1), (8, 100, -1000, 1), (1, 100, 1000, 1)],
)
def test_fewer_slices_are_decoded_at_a_time_if_each_takes_much(
    threads: int, each: int, free: int, at_once: int
) -> None:
    assert slices_at_once(threads, each, free) == at_once


def test_memory_of_the_decoder_of_an_aligned_run_is_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shelf: Shelf
) -> None:
    path = shelf.aligned_outside()
    archive = Archive(str(path), path, 50, 5000, path.stat().st_size)
    spec = replace(job_spec(tmp_path, path), threads=4)
    workspace = Workspace(spec.workspace, 1)
    workspace.create()
    each = decoder_memory(archive, 64_000 * MB)
    assert each > 64 * MB
    assert decoder_memory(replace(archive, size=10**12), 64_000 * MB) == resources.ALIGNED
    assert decoder_memory(archive, 80 * MB) == 40 * MB
    known = spec.reserves.memory_reserve + LEAST_MEMORY + IN_MEMORY * 1000
    for slices, expected in ((9.0, 4), (2.5, 2), (1.5, 1)):
        free = known + int(slices * each)
        monkeypatch.setattr(resources, "available_memory", lambda free=free: free)
        assert reserve_resources(archive, spec, [SRA_V1], workspace) == expected
    monkeypatch.setattr(resources, "available_memory", lambda: known + each // 2)
    with pytest.raises(JobFailed) as failed:
        reserve_resources(archive, spec, [SRA_V1], workspace)
    assert failed.value.failure.reason is Reason.MEMORY


def test_decoder_of_a_run_that_is_not_aligned_takes_little(tmp_path: Path) -> None:
    path = make_paired(tmp_path / "plain.sra", spots=20)
    assert decoder_memory(Archive(str(path), path, 20, 2000, path.stat().st_size), 64_000 * MB) == 0
