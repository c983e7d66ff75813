"""fastq-dump decodes whatever libncbi-vdb must not read in this process, and the job's log states why."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import job_spec
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.prove import ArchiveProof
from wort_cli.pipeline.archives.reference_store import Reference
from wort_cli.pipeline.decoding import vdb_library
from wort_cli.pipeline.decoding.decoder_choice import choose_decoders, choose_sample_decoder
from wort_cli.pipeline.job_spec import JobSpec, Method
from wort_cli.pipeline.sketching.engine import ENGINES
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.workspace import Workspace
from wort_cli.system.cancellation import NEVER

PROVED = ArchiveProof("vdb-validate")
OTHER_FLAGS = replace(SRA_V1, name="other", decode_flags=("--fasta", "0"))


@pytest.fixture
def spec(tmp_path: Path) -> JobSpec:
    return job_spec(tmp_path)


@pytest.fixture
def workspace(spec: JobSpec) -> Workspace:
    workspace = Workspace(spec.workspace, spec.attempt)
    workspace.create()
    return workspace


def on_disk(tmp_path: Path) -> Archive:
    """Return an archive whose file libncbi-vdb cannot open."""
    path = tmp_path / "SRR139146.sra"
    path.write_bytes(b"not an archive")
    return Archive(str(path), path, 10, 1000, path.stat().st_size)


def tool_group(workspace: Workspace, log: list[str]) -> ToolGroup:
    """Return a group of tools that knows the version of fastq-dump, so that none is started."""
    with ToolGroup(workspace.run_directory, NEVER, lambda _: None) as tools:
        tools.version("fastq-dump")
    return ToolGroup(workspace.run_directory, NEVER, log.append)


def choose(
    archive: Archive, proof: ArchiveProof, spec: JobSpec, workspace: Workspace, profile: Profile = SRA_V1
) -> tuple[int, list[str]]:
    """Return the number of decoders that are chosen, and the lines of the log."""
    log: list[str] = []
    tools = tool_group(workspace, log)
    engine = ENGINES[spec.method.engine](profile)
    return len(choose_decoders(archive, proof, spec, profile, engine, tools, workspace)), log


def test_unproved_archive_is_not_read_in_process(tmp_path: Path, spec: JobSpec, workspace: Workspace) -> None:
    outcome = choose(on_disk(tmp_path), ArchiveProof(), spec, workspace)
    assert outcome == (1, ["decoding with fastq-dump: the archive was not proved"])


def test_remote_archive_is_not_read_in_process(spec: JobSpec, workspace: Workspace) -> None:
    outcome = choose(Archive("SRR139146", None, 10, 1000, 100), PROVED, spec, workspace)
    assert outcome == (1, ["decoding with fastq-dump: the archive is not on disk"])


def test_profile_with_other_flags_is_decoded_by_fastq_dump(tmp_path: Path, spec: JobSpec, workspace: Workspace) -> None:
    outcome = choose(on_disk(tmp_path), PROVED, spec, workspace, OTHER_FLAGS)
    assert outcome == (1, ["decoding with fastq-dump: the profile other has other flags"])


def test_archive_is_not_read_in_process_after_a_crash(tmp_path: Path, spec: JobSpec, workspace: Workspace) -> None:
    workspace.mark_in_process()
    (workspace.root / "in-process").write_text("Fatal Python error: Segmentation fault")
    workspace.create()  # as the next attempt does
    workspace.remove_attempt()  # also at its end, the crash is not forgotten
    workspace.create()
    count, log = choose(on_disk(tmp_path), PROVED, spec, workspace)
    assert (count, len(log)) == (1, 1)
    assert "an earlier attempt died or hung while it read the archive" in log[0]


def test_archive_is_read_in_process_again_after_a_kill(tmp_path: Path, spec: JobSpec, workspace: Workspace) -> None:
    workspace.mark_in_process()
    workspace.create()  # as the next attempt does
    _, log = choose(on_disk(tmp_path), PROVED, spec, workspace)
    assert "an earlier attempt died or hung" not in log[0]


def test_archive_with_references_outside_of_it_is_left_to_fastq_dump(
    tmp_path: Path, spec: JobSpec, workspace: Workspace
) -> None:
    archive = replace(on_disk(tmp_path), references=(Reference("NC_000005.8", None),))
    outcome = choose(archive, PROVED, spec, workspace)
    assert outcome == (1, ["decoding with fastq-dump: its reads are aligned to sequences outside of the archive"])


def test_versions_that_were_not_compared_are_left_to_fastq_dump(
    tmp_path: Path, spec: JobSpec, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vdb_library.COMPARED, vdb_library.installed_version(), ("2.0.0",))
    count, log = choose(on_disk(tmp_path), PROVED, spec, workspace)
    assert count == 1
    assert re.fullmatch(r"decoding .*: libncbi-vdb [\d.]+ was not compared with fastq-dump [\d.]+", log[0])


def test_file_that_the_library_cannot_open_is_left_to_fastq_dump(
    tmp_path: Path, spec: JobSpec, workspace: Workspace
) -> None:
    count, log = choose(on_disk(tmp_path), PROVED, spec, workspace)
    assert (count, len(log)) == (1, 1)
    assert "SRAMgrOpenAltTableRead" in log[0]


@pytest.mark.parametrize("method", [Method("sourmash", "auto", 1), Method("kernel", "fastq-dump", 1)])
def test_setting_selects_fastq_dump(tmp_path: Path, spec: JobSpec, workspace: Workspace, method: Method) -> None:
    assert choose(on_disk(tmp_path), PROVED, replace(spec, method=method), workspace) == (1, [])


def test_blobs_of_sample_are_not_verified_for_fastq_dump(tmp_path: Path, spec: JobSpec, workspace: Workspace) -> None:
    log: list[str] = []
    tools = tool_group(workspace, log)
    engine = ENGINES["kernel"](SRA_V1)
    _, verified = choose_sample_decoder(on_disk(tmp_path), [Slice(1, 10)], spec, SRA_V1, engine, tools, workspace)
    assert not verified
    assert len(log) == 1
