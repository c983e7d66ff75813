"""The stages that computing and verifying share: locate or fetch the archive of a run, prove it, sketch all its reads.

run.py has the order in which a job goes through them; sealing.py has the last ones.  warm_up.py loads the loops
meanwhile.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.lease import PREPARING
from wort_cli.pipeline.archives.locate import TOOLKIT, Archive, locate_archive
from wort_cli.pipeline.archives.prove import ArchiveProof, Origin, prove_archive
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.background_download import ArrivedWrong
from wort_cli.pipeline.check import check_has_spots
from wort_cli.pipeline.decoding.vdb_library import LIBRARY, installed_version
from wort_cli.pipeline.dependencies import list_references, provide_references
from wort_cli.pipeline.download import download_archive
from wort_cli.pipeline.identity import identify
from wort_cli.pipeline.known_md5 import check_is_accepted, prove_by_locator
from wort_cli.pipeline.resources import reserve_resources
from wort_cli.pipeline.sketching.engine import Engine
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.warm_up import warm_up
from wort_cli.system.cancellation import Cancellation

if TYPE_CHECKING:
    from wort_cli.pipeline.sketch_reads import SketchedReads

TOOLS = frozenset({"fastq-dump", "sra-stat", "vdb-validate"})
"""Tools whose versions are recorded in the provenance, if they took part."""


@dataclass(frozen=True)
class SketchedRun:
    """The sketches of a run, with the archive and the tool versions that they were made from."""

    archive: Archive
    proof: ArchiveProof
    versions: dict[str, str]
    reads: "SketchedReads"


# Sketching -----------------------------------------------------------------------------------------------------------


def sketch_run(attempt: Attempt, tools: ToolGroup) -> SketchedRun:
    """Locate or fetch the archive, reserve disk and memory, prove it, sketch its reads, check that all were read.

    An attempt that needs no slot sketches the first slices while the others arrive.  Raises JobFailed from the stage
    that fails.
    """
    engine = attempt.engine()
    attempt.report("locating")
    arguments = engine, attempt.spec.method.decoder, attempt.spec.method.vdb_library
    may_stream = attempt.spec.download.download == TOOLKIT
    threading.Thread(target=warm_up, args=arguments, kwargs={"start": not may_stream}, daemon=True).start()
    if attempt.spec.method.decodes_in_process and not may_stream:
        tools.ask_for_version("fastq-dump")
    try:
        return sketch_archive(attempt, archive_of(attempt, tools, early=attempt.has_slot), engine, tools)
    except ArrivedWrong:
        attempt.log("what had been read while the archive arrived was damaged: reading it again")
        return sketch_archive(attempt, archive_of(attempt, tools), engine, tools)


def sketch_archive(attempt: Attempt, archive: Archive, engine: Engine, tools: ToolGroup) -> SketchedRun:
    """Reserve disk and memory for an archive, prove it, sketch its reads, check that all were read.

    From the reservation on, the attempt holds a slot, so that only so many jobs use the processor while others fetch.
    """
    from wort_cli.pipeline.sketch_reads import sketch_reads

    spec = attempt.spec
    attempt.take_slot()
    threads = reserve_resources(archive, spec, attempt.profiles, attempt.workspace)
    attempt.report("proving")
    proof = prove_archive(archive, tools, spec.time_limits.stall_timeout)
    archive, proof = list_references(archive, proof, attempt, tools)
    proof = prove_by_locator(attempt, archive, proof)
    check_is_accepted(archive, proof, spec)
    check_has_spots(archive)
    attempt.report(PREPARING)
    with identity_of(archive, proof, attempt) as origin:
        reads = sketch_reads(attempt, archive, proof, engine, tools, threads)
    if archive.arrival is not None:
        archive.arrival.wait()
    proof.check_unchanged(archive)
    return SketchedRun(archive, replace(proof, origin=origin.result()), versions_of(tools, reads.decoders), reads)


def versions_of(tools: ToolGroup, decoders: Sequence[str]) -> dict[str, str]:
    """Return the versions of the tools that took part in this attempt, and of all decoders."""
    versions = {name: tools.version(name) for name in sorted(TOOLS & (tools.used | set(decoders)))}
    if any(decoder.startswith(LIBRARY) for decoder in decoders):
        versions[LIBRARY] = installed_version()
    return versions


@contextlib.contextmanager
def identity_of(archive: Archive, proof: ArchiveProof, attempt: Attempt) -> Iterator[Future[Origin]]:
    """Identify the archive while the block runs; yield the future result, which is there at the end of the block."""
    failed = threading.Event()
    cancellation = Cancellation(lambda: failed.is_set() or attempt.cancellation.requested())
    with ThreadPoolExecutor(1, "identity") as executor:
        try:
            yield executor.submit(identify, archive, proof, attempt, cancellation)
        except BaseException:
            failed.set()
            raise


def archive_of(attempt: Attempt, tools: ToolGroup, *, early: bool = False) -> Archive:
    """Return the archive of the job's source, downloaded if it is not on disk, with the references that it needs.

    If `early`, it may be returned while the data of its largest column still arrives.
    If there is too little disk to fetch it ahead, it is fetched when it is the job's turn to be sketched: the jobs
    before it have freed theirs by then.
    """
    archive = locate_archive(attempt.spec, tools)
    try:
        return provide_references(archive or download_archive(attempt, tools, early=early), attempt, tools)
    except JobFailed as failed:
        if failed.failure.reason is not Reason.DISK_LOW or attempt.has_slot:
            raise
        attempt.log(f"the archive is not fetched ahead: {failed}")
    attempt.take_slot()
    return provide_references(archive or download_archive(attempt, tools), attempt, tools)
