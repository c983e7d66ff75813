"""One attempt at a job, from its source to a published signature: the stages in their order, and nothing else.

What an earlier attempt sealed is only published; what stands in the bucket already is not computed at all.  A job that
verifies goes through the same stages and compares before it publishes (verify.py).

A signature is published only if every stage succeeded, the spots read are as many as the archive counts, and what was
sealed reads back as what was sketched.  Whatever else happens becomes a Failure with a stored reason.
"""

import platform
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wort_cli.failure import JobFailed
from wort_cli.job import Progress
from wort_cli.pipeline.check import check_has_reads, check_has_spots, explain_empty, failure_of
from wort_cli.pipeline.decoders import decoders_of
from wort_cli.pipeline.engine import ENGINES, Engine
from wort_cli.pipeline.guards import check_resources
from wort_cli.pipeline.job_log import job_log
from wort_cli.pipeline.processes import Processes
from wort_cli.pipeline.publish import publish
from wort_cli.pipeline.resolve import Archive, note_rate_limit, resolve
from wort_cli.pipeline.seal import seal
from wort_cli.pipeline.share import look, share
from wort_cli.pipeline.sketch import Limits, RunSketcher, Totals
from wort_cli.pipeline.slices import SliceStore, plan
from wort_cli.pipeline.tools import CalledOff, ToolGroup
from wort_cli.pipeline.validate import Fingerprint, prove_whole
from wort_cli.pipeline.verify import verify
from wort_cli.pipeline.warm_up import warm_up
from wort_cli.pipeline.workspace import Workspace
from wort_cli.process_identity import ProcessIdentity, own_identity
from wort_cli.profile import profile_named
from wort_cli.signature_file import Sketch
from wort_cli.signature_record import Provenance
from wort_cli.stores.local import LocalStore
from wort_cli.stores.objects import StoreTrouble
from wort_cli.versions import library_versions
from wort_cli.work import JobResult, JobSpec, Published, Watcher

TOOLS = ("fastq-dump", "sra-stat", "vdb-validate")


def run_job(spec: JobSpec, watcher: Watcher) -> JobResult:
    """Do the work.  Every way it can end is a result, but for CalledOff, which passes: then nobody wants one.

    Finished slices are left for another attempt if there may be one; who decides that there is none removes them.
    """
    workspace = Workspace(spec.workspace, spec.attempt)
    try:
        with job_log(spec) as log:
            try:
                workspace.make()
                processes = Processes(spec.owner, own_identity())
                processes.write(workspace.own)
                attempt = Attempt(spec, watcher, workspace, log, processes)
                if spec.subject is None:
                    return JobResult(spec.job_id, spec.attempt, published=attempt.run())
                verdict, published = verify(attempt, spec.subject)
                return JobResult(spec.job_id, spec.attempt, published=published, verdict=verdict)
            except CalledOff:
                log("called off")
                raise
            except Exception as error:
                failure = failure_of(error)
                if not isinstance(error, JobFailed | StoreTrouble | OSError):  # our own mistake: say where
                    log(traceback.format_exc())
                log(f"{failure.reason}: {failure.detail}")
                note_rate_limit(spec, failure.reason)
                return JobResult(spec.job_id, spec.attempt, failure=failure)
    except OSError as error:  # the log itself can't be written
        return JobResult(spec.job_id, spec.attempt, failure=failure_of(error))
    finally:
        workspace.leave()


@dataclass(frozen=True)
class Decoded:
    """All reads of an archive, sketched, in so many slices."""

    totals: Totals
    sketches: tuple[Sketch, ...]
    slices: int
    decoders: tuple[str, ...]


@dataclass(frozen=True)
class Calculated:
    """The sketches of a whole run, and all that is known of what they were made of."""

    archive: Archive
    fingerprint: Fingerprint
    versions: dict[str, str]
    decoded: Decoded


class Attempt:
    """What the stages of one attempt share."""

    def __init__(
        self,
        spec: JobSpec,
        watcher: Watcher,
        workspace: Workspace,
        log: Callable[[str], None],
        processes: Processes,
    ) -> None:
        self.processes = processes
        self.spec = spec
        self.watcher = watcher
        self.workspace = workspace
        self.log = log
        self.profile = profile_named(spec.profile)
        self.started_at = time.time()

    def run(self) -> Published:
        """Publish what was sealed before; or take what stands in the bucket; or compute, and publish that."""
        provenance = self.workspace.sealed_before(self.spec)
        if provenance is not None:
            return self.publish(self.workspace.kept, provenance)
        self.report("looking")
        if (found := look(self.spec, self.log, self.watcher.called_off)) is not None:
            return found
        with self.tools() as tools:
            calculated = self.read_all(tools)
        return self.seal_and_publish(calculated)

    def tools(self) -> ToolGroup:
        """The tools of this attempt."""

        def led_by(guard: ProcessIdentity | None) -> None:
            self.processes.with_guard(guard).write(self.workspace.own)

        return ToolGroup(self.workspace.run_directory, self.watcher.called_off, self.log, led_by)

    def read_all(self, tools: ToolGroup) -> Calculated:
        """Resolve, prove whole, decode and sketch, check."""
        engine = ENGINES[self.spec.engine](self.profile)
        self.report("resolving")
        threading.Thread(target=warm_up, args=(engine, tools), name="warm-up", daemon=True).start()
        versions = {name: tools.version(name) for name in TOOLS}
        archive = resolve(self.spec, tools)
        check_resources(archive, self.spec, self.profile, self.workspace)
        self.report("validating", 0, archive.spots)
        fingerprint = prove_whole(archive, tools, self.spec.stall_timeout)
        check_has_spots(archive)
        decoded = self.sketch_reads(archive, fingerprint, engine, tools)
        fingerprint.check_unchanged(archive)
        return Calculated(archive, fingerprint, versions, decoded)

    def seal_and_publish(self, calculated: Calculated) -> Published:
        """Seal the sketches and publish them; with a bucket, what was sealed is kept until it stands there."""
        provenance = self.seal(calculated)
        sealed = self.workspace.keep_sealed(provenance, self.spec) if self.spec.s3 else self.workspace.sealed
        return self.publish(sealed, provenance)

    def publish(self, sealed: Path, provenance: Provenance) -> Published:
        """Put a sealed signature into the local store, and into the bucket."""
        self.report("publishing", provenance.spots, provenance.spots, provenance.bases)
        published = publish(sealed, provenance, LocalStore(self.spec.store), self.watcher.called_off)
        return share(sealed, published, self.spec, self.log, self.watcher.called_off)

    def seal(self, calculated: Calculated) -> Provenance:
        """Seal the sketches; return how they came to be."""
        archive, fingerprint, decoded = calculated.archive, calculated.fingerprint, calculated.decoded
        totals = decoded.totals
        self.report("sealing", archive.spots, archive.spots, totals.bases)
        digest = seal(self.spec.source.name, decoded.sketches, self.workspace.sealed, self.check)
        return Provenance(
            name=self.spec.source.name,
            profile=self.profile.name,
            digest=digest,
            sketches=explain_empty(decoded.sketches, totals.longest),
            spots=archive.spots,
            spots_passed=totals.spots,
            reads=totals.reads,
            bases=totals.bases,
            source=str(archive.path or "remote"),
            source_size=archive.size,
            source_sha256=fingerprint.sha256,
            source_mtime=fingerprint.mtime,
            validated=fingerprint.validated,
            tools={**calculated.versions, **library_versions()},
            argv=("fastq-dump", *self.profile.decode_flags, archive.argument),
            slices=decoded.slices,
            engine=self.spec.engine,
            decoders=decoded.decoders,
            started_at=self.started_at,
            seconds=round(time.time() - self.started_at, 3),
            host=platform.node(),
        )

    def sketch_reads(self, archive: Archive, fingerprint: Fingerprint, engine: Engine, tools: ToolGroup) -> Decoded:
        """Sketch all slices of the archive; JobFailed unless all reads were there."""
        slices = plan(archive.spots, archive.bases, self.spec.slice_bases)
        sketcher = RunSketcher(
            slices,
            self.slice_store(archive, fingerprint) if len(slices) > 1 else None,
            decoders_of(archive, fingerprint, self.spec, self.profile, engine, tools, self.workspace),
            self.profile,
            engine,
            Limits.of(self.spec),
        )
        sketcher.run(
            self.spec.threads,
            self.watcher.called_off,
            lambda totals: self.report("sketching", totals.spots, archive.spots, totals.bases),
        )
        totals = sketcher.totals()
        check_has_reads(archive, totals.bases)
        return Decoded(totals, sketcher.sketches(), len(slices), sketcher.decoders_used())

    def slice_store(self, archive: Archive, fingerprint: Fingerprint) -> SliceStore:
        """Where finished slices of this archive and profile are kept."""
        origin = {
            "source": fingerprint.sha256 or f"{archive.argument}, {archive.spots} spots, {archive.size} bytes",
            "profile": self.profile.name,
        }
        return SliceStore(self.workspace.slices, origin)

    def check(self) -> None:
        """End the attempt if it was called off."""
        if self.watcher.called_off():
            raise CalledOff

    def report(self, stage: str, spots: int = 0, total: int = 0, bases: int = 0) -> None:
        """Tell how far the attempt is; end it if it was called off."""
        self.watcher.report(Progress(stage, spots, total, bases, time.time()))
        self.check()
