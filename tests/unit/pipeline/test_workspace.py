"""A pending signature is published by a later attempt, unless it is damaged or belongs to another job."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import job_spec, provenance
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Source
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.workspace import Workspace, count_finished_parts, may_be_published
from wort_cli.system.cancellation import Cancelled


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    archive = tmp_path / "SRR139146.sra"
    archive.write_bytes(b"archive")
    return job_spec(tmp_path, archive)


@pytest.fixture
def sealed(spec: JobSpec) -> Workspace:
    """A workspace with a pending signature whose attempt has ended."""
    workspace = Workspace(spec.workspace, 1)
    workspace.create()
    workspace.slices.mkdir()
    workspace.sealed.write_bytes(b"signature")
    assert spec.source.archive is not None
    file = spec.source.archive.stat()
    workspace.save_pending(provenance(source_size=file.st_size, source_mtime=file.st_mtime), spec)
    workspace.remove_attempt()
    return Workspace(spec.workspace, 2)


def test_next_attempt_finds_the_pending_signature(sealed: Workspace, spec: JobSpec) -> None:
    found = sealed.load_pending(spec)
    assert found is not None
    assert found.digest == "d" * 64
    assert sealed.pending.read_bytes() == b"signature"
    assert not sealed.slices.exists()


def test_new_workspace_has_no_pending_signature(spec: JobSpec) -> None:
    assert Workspace(spec.workspace, 1).load_pending(spec) is None


@pytest.mark.parametrize("file", ["signature.sig", "facts.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b"Signature"])
def test_damaged_pending_signature_is_ignored(
    sealed: Workspace, spec: JobSpec, file: str, content: bytes | None
) -> None:
    path = sealed.pending.with_name(file)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert sealed.load_pending(spec) is None


def test_pending_signature_of_another_job_is_ignored(sealed: Workspace, spec: JobSpec, tmp_path: Path) -> None:
    assert sealed.load_pending(replace(spec, profile="other")) is None
    assert sealed.load_pending(replace(spec, source=Source(spec.source.name, None))) is None
    assert sealed.load_pending(replace(spec, source=Source(spec.source.name, tmp_path / "other.sra"))) is None


def test_pending_signature_is_ignored_if_its_archive_has_changed(sealed: Workspace, spec: JobSpec) -> None:
    assert spec.source.archive is not None
    os.utime(spec.source.archive, (1, 1))
    assert sealed.load_pending(spec) is None
    spec.source.archive.unlink()
    assert sealed.load_pending(spec) is not None


@pytest.mark.parametrize("named", [True, False], ids=["named by the job", "found for the run"])
def test_pending_signature_is_ignored_if_its_archive_was_replaced(spec: JobSpec, *, named: bool) -> None:
    """Size and time are the same; the checksum is not.  Also with --force."""
    archive = spec.source.archive
    assert archive is not None
    job = spec if named else replace(spec, source=Source(spec.source.name, None))
    workspace = Workspace(spec.workspace, 1)
    workspace.create()
    workspace.sealed.write_bytes(b"signature")
    before, sha256 = archive.stat(), hashlib.sha256(b"archive").hexdigest()
    made = provenance(source=str(archive), source_size=7, source_mtime=before.st_mtime, source_sha256=sha256)
    workspace.save_pending(made, job)
    for force in (False, True):
        assert workspace.load_pending(replace(job, force=force)) == made
    archive.write_bytes(b"ARCHIVE")
    os.utime(archive, ns=(before.st_atime_ns, before.st_mtime_ns))
    for force in (False, True):
        assert workspace.load_pending(replace(job, force=force)) is None
    archive.unlink()
    assert workspace.load_pending(job) == made
    assert workspace.load_pending(replace(job, force=True)) is None


@pytest.mark.parametrize("reason", Reason)
def test_pending_signature_may_be_published_only_if_publishing_failed(
    sealed: Workspace, spec: JobSpec, reason: Reason
) -> None:
    stays = reason in (Reason.STORAGE_DENIED, Reason.STORAGE_DOWN, Reason.CONFLICT, Reason.PARAMS_MISMATCH)
    assert may_be_published(spec.workspace, Failure(reason, "")) is stays
    assert not may_be_published(spec.workspace, None)


def test_workspace_without_pending_signature_has_nothing_to_publish(spec: JobSpec) -> None:
    Workspace(spec.workspace, 1).create()
    assert not may_be_published(spec.workspace, Failure(Reason.STORAGE_DENIED, ""))


def test_earlier_attempt_touches_nothing_of_a_later_one(spec: JobSpec) -> None:
    earlier, later = Workspace(spec.workspace, 9), Workspace(spec.workspace, 10)
    earlier.create()
    earlier.sealed.write_bytes(b"signature")
    later.create()
    later.mark_in_process()
    later.slices.mkdir()
    with pytest.raises(Cancelled):
        earlier.save_pending(provenance(), spec)
    earlier.remove_attempt()
    assert sorted(path.name for path in spec.workspace.iterdir()) == ["attempt-10", "in-process", "slices"]
    later.check_current()


def test_fetched_megabytes_count_as_work_that_the_next_attempt_can_use(spec: JobSpec) -> None:
    assert count_finished_parts(spec.workspace) == 0
    workspace = Workspace(spec.workspace, 1)
    workspace.create()
    workspace.archive_directory.mkdir()
    (workspace.archive_directory / "x.sra").write_bytes(b"x" * 2_500_000)
    assert count_finished_parts(spec.workspace) == 2
    workspace.slices.mkdir()
    (workspace.slices / "0.slice").touch()
    assert count_finished_parts(spec.workspace) == 3
