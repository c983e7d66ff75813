"""Chooses the decoders of a run: libncbi-vdb in this process where that is possible, and always fastq-dump last.

libncbi-vdb (vdb_decoder.py) is faster.  It is used only with the kernel, because `--engine sourmash` is an independent
check and shares no code with it, and only together with a fastq-dump that it was compared with (vdb_library.py).
fastq-dump may still be asked for its version while slices are sketched: `why_not_compared` says whether they count.
A damaged archive could crash this process, so it is used only if the archive is on disk, was validated (or the blobs of
the slices were, of a sample or while the archive arrives), and no earlier attempt died or hung while it was in use.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.prove import ArchiveProof
from wort_cli.pipeline.decoding.fastq_dump import FastqDump, FastqDumpDecoder
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.sketching.engine import Engine, KernelEngine
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode, SliceDecoder, StartDecoder
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.workspace import Workspace
from wort_cli.system.stuck_threads import call_within, stuck_threads

AUTO = "auto"


def choose_decoders(
    archive: Archive,
    proof: ArchiveProof,
    spec: JobSpec,
    profile: Profile,
    engine: Engine,
    tools: ToolGroup,
    workspace: Workspace,
) -> list[StartDecoder]:
    """Return the decoders to try for each slice of an archive, in this order."""
    fastq_dump = fastq_dump_decoder(archive, profile, engine, tools, spec)
    if spec.method.decoder != AUTO or engine.name != KernelEngine.name:
        return [fastq_dump]
    try:
        if not proof.is_checked:
            raise CannotDecode("the archive was not proved")
        if is_version_known(tools):
            check_compared(tools)
        return [vdb_decoder(archive, profile, workspace, tools, spec), fastq_dump]
    except CannotDecode as error:
        tools.log(f"decoding with fastq-dump: {error}")
        return [fastq_dump]


def is_version_known(tools: ToolGroup) -> bool:
    """Return whether it is known which fastq-dump is on the PATH, or that there is none."""
    return tools.knows_version("fastq-dump") or shutil.which("fastq-dump") is None


def check_compared(tools: ToolGroup) -> None:
    """Raise CannotDecode unless libncbi-vdb was compared with the fastq-dump on the PATH; one is not needed."""
    from wort_cli.pipeline.decoding.vdb_library import check_versions

    check_versions(tools.version("fastq-dump") if shutil.which("fastq-dump") else "")


def why_not_compared(decoders: Sequence[str], tools: ToolGroup) -> str:
    """Return why slices that these decoders decoded do not count; '' if they do."""
    if all(name == FastqDumpDecoder.name for name in decoders):
        return ""
    try:
        check_compared(tools)
    except CannotDecode as error:
        return str(error)
    return ""


def are_references_inside(
    archive: Archive, proof: ArchiveProof, spec: JobSpec, profile: Profile, tools: ToolGroup, workspace: Workspace
) -> bool:
    """Return whether all references of an aligned archive are known to be inside it."""
    try:
        if not proof.is_checked:
            raise CannotDecode("the archive was not proved")
        path = check_readable(archive, profile, workspace, spec)
        from wort_cli.pipeline.decoding.references_inside import has_all_references

        workspace.mark_in_process()
        return call_within(lambda: has_all_references(path), spec.time_limits.stall_timeout, tools.cancellation)
    except (CannotDecode, TimeoutError) as error:
        tools.log(f"sra-stat lists the references: {error}")
        return False


def choose_sample_decoder(
    archive: Archive,
    slices: Sequence[Slice],
    spec: JobSpec,
    profile: Profile,
    engine: Engine,
    tools: ToolGroup,
    workspace: Workspace,
) -> tuple[StartDecoder, bool]:
    """Return the decoder for a few slices of an archive that was not validated, and whether their blobs were verified.

    The blobs are verified if libncbi-vdb is chosen; see blob_checksums.py.
    """
    fastq_dump = fastq_dump_decoder(archive, profile, engine, tools, spec)
    if spec.method.decoder != AUTO or engine.name != KernelEngine.name or archive.path is None:
        return fastq_dump, False
    try:
        from wort_cli.pipeline.decoding.blob_checksums import verify_blobs

        check_compared(tools)
        decoder = vdb_decoder(archive, profile, workspace, tools, spec)
        verify_blobs(archive.path, slices)
    except CannotDecode as error:
        tools.log(f"decoding with fastq-dump: {error}")
        return fastq_dump, False
    return decoder, True


def fastq_dump_decoder(
    archive: Archive, profile: Profile, engine: Engine, tools: ToolGroup, spec: JobSpec
) -> StartDecoder:
    """Return the decoder that runs fastq-dump.  It supports every archive and every profile."""

    def start(part: Slice) -> SliceDecoder:
        if archive.fetched is not None:
            archive.fetched.ensure(FASTQ_DUMP)
        fastq_dump = FastqDump(archive, profile, tools, spec.time_limits.stall_timeout, part)
        return FastqDumpDecoder(fastq_dump, engine.fasta_reader())

    return start


def check_readable(archive: Archive, profile: Profile, workspace: Workspace, spec: JobSpec) -> Path:
    """Return the file of an archive that libncbi-vdb may read in this process, which uses the library of the settings.

    Raises CannotDecode if it may not.
    """
    if archive.path is None:
        raise CannotDecode("the archive is not on disk")
    if profile.decode_flags != SRA_V1.decode_flags:
        raise CannotDecode(f"the profile {profile.name} has other flags")
    if workspace.crashed_in_process:
        raise CannotDecode("an earlier attempt died or hung while it read the archive in its own process")
    if stuck_threads.exist():
        raise CannotDecode("a thread of this process hangs, and may have locked what others need")
    if archive.references:
        raise CannotDecode("its reads are aligned to sequences outside of the archive")
    from wort_cli.pipeline.decoding.vdb_library import check_versions, choose_library

    choose_library(spec.method.vdb_library)
    check_versions("")
    return archive.path


def vdb_decoder(
    archive: Archive, profile: Profile, workspace: Workspace, tools: ToolGroup, spec: JobSpec
) -> StartDecoder:
    """Return the decoder that uses libncbi-vdb in this process.  Raises CannotDecode if it does not support the run."""
    path = check_readable(archive, profile, workspace, spec)
    from wort_cli.pipeline.decoding.blob_checksums import verify_blobs
    from wort_cli.pipeline.decoding.vdb import VdbCursor
    from wort_cli.pipeline.decoding.vdb_decoder import VdbDecoder

    workspace.mark_in_process()
    seconds = spec.time_limits.stall_timeout
    try:
        cursors = [call_within(lambda: VdbCursor(path, archive.spots), seconds, tools.cancellation)]
    except TimeoutError:
        raise CannotDecode(f"the library did not open the archive within {seconds:g} seconds") from None

    def start(part: Slice) -> SliceDecoder:
        tools.log(f"reading spots {part.first} to {part.last} with {VdbDecoder.name}")
        if archive.arrival is not None and not archive.arrival.is_proved:
            try:
                verify_blobs(path, [part])
            except CannotDecode:
                archive.arrival.wait()
        return VdbDecoder(path, archive.spots, part, cursors)

    return start
