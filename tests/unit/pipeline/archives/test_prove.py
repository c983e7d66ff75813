"""A job fails if its archive changes after it was proved."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives import prove
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.prove import ArchiveProof, file_sha256
from wort_cli.system.cancellation import NEVER, Cancellation, Cancelled
from wort_cli.system.file_state import FileState


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.sra"
    path.write_bytes(b"NCBI.sra and more")
    return path


def proved(file: Path) -> tuple[Archive, ArchiveProof]:
    state = FileState.of(file)
    return Archive(str(file), file, 1, 100, state.size), ArchiveProof("vdb-validate", "", "0" * 64, state)


def test_untouched_archive_is_unchanged(file: Path) -> None:
    archive, proof = proved(file)
    proof.check_unchanged(archive)


def change_and_restore_time(file: Path) -> None:
    before = file.stat()
    file.write_bytes(b"NCBI.sra and less")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def replace_by_copy(file: Path) -> None:
    shutil.copy2(file, file.with_name("copy"))
    file.with_name("copy").replace(file)


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_bytes(b"longer than it was before"),
        lambda file: os.truncate(file, 3),
        lambda file: os.utime(file, (1, 1)),
        lambda file: os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1_000_000)),
        change_and_restore_time,
        replace_by_copy,
        lambda file: file.rename(file.with_name("other")).rename(file),
    ],
    ids=["longer", "shorter", "older", "newer by a millisecond", "other bytes", "other file", "moved and back"],
)
def test_changed_archive_fails_the_job(file: Path, change: Callable[[Path], None]) -> None:
    archive, proof = proved(file)
    change(file)
    with pytest.raises(JobFailed) as failure:
        proof.check_unchanged(archive)
    assert failure.value.failure.reason is Reason.INCOMPLETE


def test_run_read_from_the_network_is_not_checked_for_changes() -> None:
    ArchiveProof().check_unchanged(Archive("SRR139146", None, 1, 1, 1))


@pytest.mark.parametrize("size", [0, 1, 8, 17])
def test_sha256_covers_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(prove, "BLOCK", 8)
    (tmp_path / "x").write_bytes(b"x" * size)
    assert file_sha256(tmp_path / "x", NEVER) == hashlib.sha256(b"x" * size).hexdigest()


def test_sha256_can_be_cancelled(file: Path) -> None:
    with pytest.raises(Cancelled):
        file_sha256(file, Cancellation(lambda: True))
