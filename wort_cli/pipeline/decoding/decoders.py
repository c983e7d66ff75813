"""Which decoders a run's slices are given to, the quickest first; the last one is always fastq-dump.

The quicker one reads the archive inside this process (spots.py).  It is for the kernel alone: `--engine sourmash` is a
witness that shares nothing with it.  And it is only for what can't harm this process: an archive on disk that was
validated, or of which the slices were that are looked at, and that no earlier attempt died of.
"""

from collections.abc import Callable, Sequence

from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.prove import ArchiveProof
from wort_cli.pipeline.decoding.fastq_dump import Decoder, DumpedReads
from wort_cli.pipeline.job_spec import JobSpec
from wort_cli.pipeline.sketching.engine import Engine, KernelEngine
from wort_cli.pipeline.sketching.slice_reads import Declined, SliceReads
from wort_cli.pipeline.sketching.slices import Slice
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.workspace import Workspace

AUTO = "auto"


def decoders_of(
    archive: Archive,
    proof: ArchiveProof,
    spec: JobSpec,
    profile: Profile,
    engine: Engine,
    tools: ToolGroup,
    workspace: Workspace,
) -> list[Callable[[Slice], SliceReads]]:
    """The decoders of an archive; each of them begins with a slice when it is called."""
    dump = dumping(archive, profile, engine, tools, spec)
    if spec.method.decoder != AUTO or engine.name != KernelEngine.name:
        return [dump]
    try:
        if not proof.validated:
            raise Declined("the archive was not validated")
        return [in_process(archive, profile, workspace, tools.log), dump]
    except Declined as declined:
        tools.log(f"fastq-dump decodes: {declined}")
        return [dump]


def sampling(
    archive: Archive,
    slices: Sequence[Slice],
    spec: JobSpec,
    profile: Profile,
    engine: Engine,
    tools: ToolGroup,
    workspace: Workspace,
) -> tuple[Callable[[Slice], SliceReads], bool]:
    """The decoder for a few slices of an archive that nobody validated, and whether these slices were proved whole."""
    dump = dumping(archive, profile, engine, tools, spec)
    if spec.method.decoder != AUTO or engine.name != KernelEngine.name or archive.path is None:
        return dump, False
    try:
        from wort_cli.pipeline.decoding.blob_checksums import prove_spots

        read = in_process(archive, profile, workspace, tools.log)
        prove_spots(archive.path, slices)
    except Declined as declined:
        tools.log(f"fastq-dump decodes: {declined}")
        return dump, False
    return read, True


def dumping(
    archive: Archive, profile: Profile, engine: Engine, tools: ToolGroup, spec: JobSpec
) -> Callable[[Slice], SliceReads]:
    """fastq-dump, which takes any archive and any flags."""

    def dump(part: Slice) -> SliceReads:
        return DumpedReads(Decoder(archive, profile, tools, spec.time_limits.stall_timeout, part), engine.new_reader())

    return dump


def in_process(
    archive: Archive, profile: Profile, workspace: Workspace, log: Callable[[str], None]
) -> Callable[[Slice], SliceReads]:
    """The decoder inside this process; Declined if it is not for this archive."""
    if archive.path is None:
        raise Declined("the archive is not on disk")
    if profile.decode_flags != SRA_V1.decode_flags:
        raise Declined(f"the profile {profile.name} has other flags")
    if workspace.crashed_in_process:
        raise Declined("an earlier attempt ended while the archive was read in its process")
    from wort_cli.pipeline.decoding.vdb import SpotCursor
    from wort_cli.pipeline.decoding.vdb_reads import SpotReads

    path = archive.path
    workspace.mark_in_process()
    SpotCursor(path, archive.spots).close()

    def read(part: Slice) -> SliceReads:
        log(f"reading spots {part.first} to {part.last} by {SpotReads.decoder}")
        return SpotReads(path, archive.spots, part)

    return read
