"""The stages that computing and verifying share: sketch all reads of a run, seal the sketches, publish the signature.

run.py has the order in which a job goes through them.  warm_up.py loads the loops meanwhile.
"""

import contextlib
import platform
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import FILE_SUMS, Provenance, Trust
from wort_cli.pipeline.archives.colour_space import has_colours
from wort_cli.pipeline.archives.http import url_without_query
from wort_cli.pipeline.archives.locate import TOOLKIT, Archive, locate_archive
from wort_cli.pipeline.archives.prove import VDB_VALIDATE, ArchiveProof, Origin, prove_archive
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.background_download import ArrivedWrong
from wort_cli.pipeline.bucket import upload
from wort_cli.pipeline.check import check_has_spots, summarize_sketches
from wort_cli.pipeline.decoding.vdb_library import LIBRARY, installed_version
from wort_cli.pipeline.dependencies import list_references, provide_references
from wort_cli.pipeline.download import download_archive, put_away
from wort_cli.pipeline.identity import identify
from wort_cli.pipeline.known_md5 import check_is_accepted, prove_by_locator
from wort_cli.pipeline.publish import check_may_replace, publish_locally
from wort_cli.pipeline.resources import reserve_resources
from wort_cli.pipeline.sketching.engine import ENGINES, Engine
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.warm_up import warm_up
from wort_cli.stores.local import LocalStore
from wort_cli.system.cancellation import Cancellation
from wort_cli.versions import library_versions

if TYPE_CHECKING:
    from wort_cli.pipeline.reads.sketch_files import SketchedFiles
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
    engine = ENGINES[attempt.spec.method.engine](attempt.profile)
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
    threads = reserve_resources(archive, spec, attempt.profile, attempt.workspace)
    attempt.report("proving")
    proof = prove_archive(archive, tools, spec.time_limits.stall_timeout)
    archive, proof = list_references(archive, proof, attempt, tools)
    proof = prove_by_locator(attempt, archive, proof)
    check_is_accepted(archive, proof, spec)
    check_has_spots(archive)
    attempt.report("preparing")  # loops may have to be compiled
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


# Sealing and publishing ----------------------------------------------------------------------------------------------


def seal_and_publish(attempt: Attempt, run: "SketchedRun | SketchedFiles") -> Published:
    """Seal the sketches and publish the signature.

    With a bucket, the sealed signature is stored in the workspace until it is published, so that the next attempt only
    has to publish it.
    """
    provenance = seal_run(attempt, run)
    if attempt.spec.s3 is None:
        return publish_sealed(attempt, attempt.workspace.sealed, provenance)
    sealed = attempt.workspace.save_pending(provenance, attempt.spec)
    put_away(attempt)
    attempt.release_slot()  # so that another job is sketched while the bucket answers
    return publish_sealed(attempt, sealed, provenance)


def seal_run(attempt: Attempt, run: "SketchedRun | SketchedFiles") -> Provenance:
    """Write the sealed signature to the workspace; return its provenance."""
    from wort_cli.pipeline.seal import seal

    if isinstance(run, SketchedRun):
        facts, sketches, stats = facts_of_run(attempt, run), run.reads.sketches, run.reads.stats
    else:
        facts, sketches, stats = facts_of_files(run), run.sketches, run.stats
    name = attempt.spec.source.name
    attempt.report("sealing", facts["spots"], facts["spots"], stats.bases)
    digest = seal(name, sketches, attempt.workspace.sealed, attempt.cancellation, facts.get("filename", ""))
    return Provenance(
        name=name,
        profile=attempt.profile.name,
        digest=digest,
        sketches=summarize_sketches(sketches, stats.longest),
        spots_passed=stats.spots,
        reads=stats.reads,
        bases=stats.bases,
        engine=attempt.spec.method.engine,
        started_at=attempt.started_at,
        seconds=round(time.time() - attempt.started_at, 3),
        host=platform.node(),
        **facts,
    )


def facts_of_run(attempt: Attempt, run: SketchedRun) -> dict[str, Any]:
    """Return what the provenance says of the archive of a run."""
    archive, proof, reads = run.archive, run.proof, run.reads
    obtained = archive.fetched.obtained if archive.fetched else None
    origin = proof.origin
    if obtained:
        origin = Origin(obtained.proof.identified, url_without_query(obtained.proof.url), obtained.md5)
    named = attempt.spec.source.name if obtained else archive.argument
    return {
        "spots": archive.spots,
        "source": str(archive.path) if archive.path and not archive.fetched else "remote",
        "source_size": archive.size,
        "source_sha256": proof.sha256,
        "source_mtime": proof.mtime if not archive.fetched else 0.0,
        "validated": proof.proved_by == VDB_VALIDATE,
        "tools": {**run.versions, **library_versions()},
        "argv": ("fastq-dump", *attempt.profile.decode_flags, named),
        "slices": reads.slices,
        "decoders": reads.decoders,
        "format": archive.format,
        "proved_by": proof.recorded_as,
        "proof": proof.proof,
        "identified": origin.identified,
        "url": origin.url,
        "source_md5": origin.md5,
        "references": dict(archive.reference_sums),
        "reads_left_out": reads.stats.left_out if reads.counts_left_out else None,
        "colour_space": archive.path is not None and has_colours(archive.path),
    }


def facts_of_files(run: "SketchedFiles") -> dict[str, Any]:
    """Return what the provenance says of files of reads."""
    only = run.files[0] if len(run.files) == 1 else None
    return {
        "spots": run.stats.reads,
        "source": str(run.source),
        "source_size": sum(file.size for file in run.files),
        "source_sha256": only.sha256 if only else "",
        "source_md5": only.md5 if only else "",
        "source_mtime": only.mtime if only else 0.0,
        "validated": False,
        "tools": library_versions(),
        "argv": ("cat", *(file.path for file in run.files)),
        "slices": 1,
        "decoders": ("text",),
        "format": " and ".join(sorted({file.format for file in run.files})),
        "proved_by": FILE_SUMS,
        "files": run.files,
        "filename": run.source.filename,
    }


def publish_sealed(attempt: Attempt, sealed: Path, provenance: Provenance) -> Published:
    """Put a sealed signature into the local store, and into the bucket if the job has one."""
    attempt.report("publishing", provenance.spots, provenance.spots, provenance.bases)
    check_may_replace(attempt.spec, provenance)
    published = publish_locally(sealed, provenance, LocalStore(attempt.spec.store), attempt.cancellation)
    if provenance.is_unproved:
        published = replace(published, trust=Trust.UNPROVED)
        if not attempt.spec.download.publish_unproved:
            attempt.log("the archive was not proved, so the signature stays here (setting publish_unproved)")
            return published
    return upload(sealed, published, attempt.spec, attempt.log, attempt.cancellation)
