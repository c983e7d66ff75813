"""Provides the reference sequences of an aligned archive before its reads are decoded.

sra-stat lists them (locate.py), unless all are inside the archive. One that is on disk is proved where it is. Any other
is fetched into the store that all jobs share (archives/reference_store.py), and kept there at least until the attempt's
tools have ended. With `download = toolkit` nothing is fetched: the toolkit reads what is missing from the network, and
nothing proves it.
"""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from wort_cli.model.failure import Failure, JobFailed, Reason
from wort_cli.pipeline.archives.counts import read_counts
from wort_cli.pipeline.archives.http import HttpClient
from wort_cli.pipeline.archives.locate import TOOLKIT, Archive
from wort_cli.pipeline.archives.prove import (
    ArchiveProof,
    prove_by_columns,
    run_vdb_validate,
    validation_timeout,
    with_references,
)
from wort_cli.pipeline.archives.reference_store import Reference, ReferenceStore, md5_of_file
from wort_cli.pipeline.archives.references import ReferenceFetcher
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.decoding.decoder_choice import are_references_inside
from wort_cli.pipeline.download import politeness_of, timeouts_of
from wort_cli.pipeline.resources import reserve_directory
from wort_cli.pipeline.toolkit.tools import ToolGroup

MAX_REFERENCES = 10_000
"""Files; the assemblies that runs are aligned to have at most some hundreds of them."""


def list_references(
    archive: Archive, proof: ArchiveProof, attempt: Attempt, tools: ToolGroup
) -> tuple[Archive, ArchiveProof]:
    """Return an archive that was proved with its references, and the proof that includes them.

    Does nothing if they were listed when the archive was located.
    """
    if not archive.is_unlisted:
        return archive, proof
    listed = replace(archive, is_unlisted=False)
    if are_references_inside(archive, proof, attempt.spec, attempt.profile, tools, attempt.workspace):
        return listed, proof
    deadline = time.monotonic() + attempt.spec.time_limits.resolve_timeout
    try:
        counts = read_counts(archive.argument, tools, deadline, on_disk=True)
    except TimeoutError:
        raise JobFailed(Reason.TIMEOUT, "the references of the run were not listed in time") from None
    listed = replace(listed, spots=counts.spots, bases=counts.bases, references=counts.references)
    provided = provide_references(listed, attempt, tools)
    return provided, with_references(proof, provided)


def provide_references(archive: Archive, attempt: Attempt, tools: ToolGroup) -> Archive:
    """Return the archive with the md5 of each file of its references, which are on disk and proved.

    Raises JobFailed(reference-missing) with the name of one that is unavailable.
    """
    files = {reference.file_name: reference for reference in archive.references}
    if not files:
        return archive
    if len(files) > MAX_REFERENCES:
        raise JobFailed(Reason.REFERENCE_MISSING, f"the run has {len(files):,} references, too many", lasting=True)
    attempt.log(f"the run is aligned to {len(files)} references outside of its archive")
    spec = attempt.spec
    root = spec.references.references_dir or spec.workspace / "references"
    store = ReferenceStore(root, spec.references.reference_bytes, attempt.workspace.key)
    sums: dict[str, str] = {}
    proved = True
    with HttpClient(timeouts_of(spec), spec.download.connections, politeness_of(spec)) as client:
        fetcher = ReferenceFetcher(
            client,
            politeness_of(spec),
            "" if spec.download.locator_url == "off" else spec.download.locator_url,
            attempt.cancellation,
            attempt.log,
            lambda directory, size: reserve_directory(size, spec, directory),
            lambda arrived, wanted: attempt.report("fetching", arrived, wanted),
        )
        for name, reference in files.items():
            if is_of_the_user(reference.path, store):
                proved &= prove_on_disk(reference, archive, attempt, tools)
                path = file_of(reference)
                sums[name] = md5_of_file(path, attempt.cancellation) if path.is_file() else ""
            elif spec.download.download != TOOLKIT:
                held = store.held(reference, partial(fetcher.fetch, reference, store), attempt.cancellation)
                sums[name] = tools.until_end.enter_context(held).md5
    streams = len(sums) < len(files)
    return replace(archive, reference_sums=sums, streams_references=streams, proves_references=proved and not streams)


def is_of_the_user(path: Path | None, store: ReferenceStore) -> bool:
    """Return whether the toolkit finds a reference on disk, elsewhere than in the store."""
    return path is not None and not path.is_relative_to(store.root)


def prove_on_disk(reference: Reference, archive: Archive, attempt: Attempt, tools: ToolGroup) -> bool:
    """Prove a reference of the user; return whether its own md5 sums did.  If it has none, vdb-validate examines it.

    Raises JobFailed(corrupt) if it is damaged.
    """
    path = file_of(reference)
    try:
        if path.is_file() and prove_by_columns(path, tools.cancellation, tools.log):
            return True
        run_vdb_validate(path, tools, validation_timeout(archive, attempt.spec.time_limits.stall_timeout))
    except JobFailed as failed:
        raise about(reference, failed.failure) from failed
    return False


def file_of(reference: Reference) -> Path:
    """Return the file of a reference that is on disk."""
    return Path(str(reference.path).partition("#")[0])


def about(reference: Reference, failure: Failure) -> JobFailed:
    """Return a failure that names the reference which it is about."""
    detail = f"{reference.name}, a reference of the run: {failure.detail}"
    return JobFailed(failure.reason, detail, lasting=failure.lasting)
