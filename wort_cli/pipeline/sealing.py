"""The last stages of a job: seal the sketches, of one profile or of several, and publish the signature.

stages.py has the stages before.
"""

import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wort_cli.model.failure import JobFailed
from wort_cli.model.job_result import Published
from wort_cli.model.profile import PROFILES, Profile
from wort_cli.model.provenance import FILE_SUMS, Provenance, Trust
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.archives.colour_space import has_colours
from wort_cli.pipeline.archives.http import url_without_query
from wort_cli.pipeline.archives.prove import VDB_VALIDATE, Origin
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.bucket import upload
from wort_cli.pipeline.check import summarize_sketches
from wort_cli.pipeline.download import put_away
from wort_cli.pipeline.publish import check_may_replace, publish_locally
from wort_cli.pipeline.stages import SketchedRun
from wort_cli.pipeline.workspace import PASS, Workspace
from wort_cli.stores.local import LocalStore
from wort_cli.system.cancellation import Cancelled
from wort_cli.system.private_files import make_private
from wort_cli.versions import library_versions

if TYPE_CHECKING:
    from wort_cli.pipeline.reads.sketch_files import SketchedFiles


def seal_and_publish(attempt: Attempt, run: "SketchedRun | SketchedFiles") -> Published:
    """Seal the sketches and publish the signature.

    With a bucket, the sealed signature is stored in the workspace until it is published, so that the next attempt only
    has to publish it.
    """
    seal_others(attempt, run)
    provenance = seal_run(attempt, run)
    if attempt.spec.s3 is None:
        return publish_sealed(attempt, attempt.workspace.sealed, provenance)
    sealed = attempt.workspace.save_pending(provenance, attempt.spec)
    put_away(attempt)
    attempt.release_slot()  # so that another job is sketched while the bucket answers
    return publish_sealed(attempt, sealed, provenance)


def seal_others(attempt: Attempt, run: "SketchedRun | SketchedFiles") -> None:
    """Seal the signatures of the other jobs of this pass in their workspaces, for their own attempts to publish.

    An error is only logged: the attempt of such a job then sketches on its own.
    """
    others = (run.reads if isinstance(run, SketchedRun) else run).others
    for other in attempt.spec.others:
        spec = replace(attempt.spec, profile=other.profile.name, definition=other.profile, workspace=other.workspace)
        workspace = Workspace(other.workspace, PASS)
        workspace.key = attempt.workspace.key
        try:
            make_private(workspace.attempt_directory)
            sealed = attempt.variant(spec, workspace)
            workspace.save_pending(seal_run(sealed, run, other.profile, others[other.profile]), spec)
            attempt.log(f"sealed the signature of the profile {other.profile.name}, too")
        except Cancelled:  # an attempt at that job has started, or this one was cancelled
            attempt.cancellation.check()
        except (OSError, JobFailed) as error:
            attempt.log(f"the signature of the profile {other.profile.name} is not sealed: {error}")
        finally:
            shutil.rmtree(workspace.attempt_directory, ignore_errors=True)


def seal_run(
    attempt: Attempt,
    run: "SketchedRun | SketchedFiles",
    profile: Profile | None = None,
    sketches: Sequence[Sketch] | None = None,
) -> Provenance:
    """Write the sealed signature to the workspace; return its provenance.

    It is that of the job's profile, or of another one of the pass, with its sketches.
    """
    from wort_cli.pipeline.seal import seal

    if isinstance(run, SketchedRun):
        facts, own, stats = facts_of_run(attempt, run), run.reads.sketches, run.reads.stats
    else:
        facts, own, stats = facts_of_files(run), run.sketches, run.stats
    profile, sketches = profile or attempt.profile, own if sketches is None else sketches
    name = attempt.spec.source.name
    attempt.report("sealing", facts["spots"], facts["spots"], stats.bases)
    title, filename = facts.get("title") or str(name), facts.get("filename", "")
    digest = seal(title, sketches, attempt.workspace.sealed, attempt.cancellation, filename)
    return Provenance(
        name=name,
        profile=profile.name,
        profile_sha256="" if profile.name in PROFILES else profile.sha256,
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
        **run.facts,
    }


def publish_sealed(attempt: Attempt, sealed: Path, provenance: Provenance) -> Published:
    """Put a sealed signature into the local store, and into the bucket if the job has one."""
    attempt.report("publishing", provenance.spots, provenance.spots, provenance.bases)
    check_may_replace(attempt.spec, provenance)
    store = LocalStore(attempt.spec.store, provenance.profile)
    published = publish_locally(sealed, provenance, store, attempt.cancellation)
    if provenance.is_unproved:
        published = replace(published, trust=Trust.UNPROVED)
        if not attempt.spec.download.publish_unproved:
            attempt.log("the archive was not proved, so the signature stays here (setting publish_unproved)")
            return published
    published = upload(sealed, published, attempt.spec, attempt.log, attempt.cancellation)
    if attempt.spec.keeping.keep_slices:
        from wort_cli.pipeline.unfinished import remove_unfinished

        remove_unfinished(attempt)
    return published
