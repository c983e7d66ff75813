"""An attempt at a job: its stages, and the values that they pass to each other.  run.py has the order of the stages."""

import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wort_cli.model.job import Progress
from wort_cli.model.job_result import Published
from wort_cli.model.profile import profile_named
from wort_cli.model.provenance import Provenance
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.archives.locate import Archive, resolve
from wort_cli.pipeline.archives.prove import Fingerprint, prove_whole
from wort_cli.pipeline.bucket import find_published, upload
from wort_cli.pipeline.check import check_has_reads, check_has_spots, explain_empty
from wort_cli.pipeline.decoding.decoder_choice import choose_decoders
from wort_cli.pipeline.job_spec import JobSpec, Watcher
from wort_cli.pipeline.publish import publish
from wort_cli.pipeline.resources import check_resources
from wort_cli.pipeline.seal import seal
from wort_cli.pipeline.sketching.engine import ENGINES, Engine
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.run_sketcher import RunSketcher, SketchTimeouts
from wort_cli.pipeline.sketching.slices import SliceStore, plan_slices
from wort_cli.pipeline.toolkit.processes import Processes
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.warm_up import warm_up
from wort_cli.pipeline.workspace import Workspace
from wort_cli.stores.local import LocalStore
from wort_cli.system.process_identity import ProcessIdentity
from wort_cli.versions import library_versions

TOOLS = ("fastq-dump", "sra-stat", "vdb-validate")


@dataclass(frozen=True)
class Decoded:
    """All reads of an archive, sketched, in so many slices."""

    stats: ReadStats
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
        self.cancellation = watcher.cancellation
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
        if (found := find_published(self.spec, self.log, self.cancellation)) is not None:
            return found
        with self.tools() as tools:
            calculated = self.read_all(tools)
        return self.seal_and_publish(calculated)

    def tools(self) -> ToolGroup:
        """The tools of this attempt."""

        def led_by(guard: ProcessIdentity | None) -> None:
            self.processes.with_guard(guard).write(self.workspace.own)

        return ToolGroup(self.workspace.run_directory, self.cancellation, self.log, led_by)

    def read_all(self, tools: ToolGroup) -> Calculated:
        """Resolve, prove whole, decode and sketch, check."""
        engine = ENGINES[self.spec.method.engine](self.profile)
        self.report("resolving")
        threading.Thread(target=warm_up, args=(engine, tools), name="warm-up", daemon=True).start()
        versions = {name: tools.version(name) for name in TOOLS}
        archive = resolve(self.spec, tools)
        check_resources(archive, self.spec, self.profile, self.workspace)
        self.report("validating", 0, archive.spots)
        fingerprint = prove_whole(archive, tools, self.spec.time_limits.stall_timeout)
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
        published = publish(sealed, provenance, LocalStore(self.spec.store), self.cancellation)
        return upload(sealed, published, self.spec, self.log, self.cancellation)

    def seal(self, calculated: Calculated) -> Provenance:
        """Seal the sketches; return how they came to be."""
        archive, fingerprint, decoded = calculated.archive, calculated.fingerprint, calculated.decoded
        stats = decoded.stats
        self.report("sealing", archive.spots, archive.spots, stats.bases)
        digest = seal(self.spec.source.name, decoded.sketches, self.workspace.sealed, self.cancellation)
        return Provenance(
            name=self.spec.source.name,
            profile=self.profile.name,
            digest=digest,
            sketches=explain_empty(decoded.sketches, stats.longest),
            spots=archive.spots,
            spots_passed=stats.spots,
            reads=stats.reads,
            bases=stats.bases,
            source=str(archive.path or "remote"),
            source_size=archive.size,
            source_sha256=fingerprint.sha256,
            source_mtime=fingerprint.mtime,
            validated=fingerprint.validated,
            tools={**calculated.versions, **library_versions()},
            argv=("fastq-dump", *self.profile.decode_flags, archive.argument),
            slices=decoded.slices,
            engine=self.spec.method.engine,
            decoders=decoded.decoders,
            started_at=self.started_at,
            seconds=round(time.time() - self.started_at, 3),
            host=platform.node(),
        )

    def sketch_reads(self, archive: Archive, fingerprint: Fingerprint, engine: Engine, tools: ToolGroup) -> Decoded:
        """Sketch all slices of the archive; JobFailed unless all reads were there."""
        slices = plan_slices(archive.spots, archive.bases, self.spec.method.slice_bases)
        sketcher = RunSketcher(
            slices,
            self.slice_store(archive, fingerprint) if len(slices) > 1 else None,
            choose_decoders(archive, fingerprint, self.spec, self.profile, engine, tools, self.workspace),
            self.profile,
            engine,
            SketchTimeouts.of(self.spec),
        )
        sketcher.run(
            self.spec.threads,
            self.cancellation,
            lambda stats: self.report("sketching", stats.spots, archive.spots, stats.bases),
        )
        stats = sketcher.stats()
        check_has_reads(archive, stats.bases)
        return Decoded(stats, sketcher.sketches(), len(slices), sketcher.decoders_used())

    def slice_store(self, archive: Archive, fingerprint: Fingerprint) -> SliceStore:
        """Where finished slices of this archive and profile are kept."""
        origin = {
            "source": fingerprint.sha256 or f"{archive.argument}, {archive.spots} spots, {archive.size} bytes",
            "profile": self.profile.name,
        }
        return SliceStore(self.workspace.slices, origin)

    def report(self, stage: str, spots: int = 0, total: int = 0, bases: int = 0) -> None:
        """Tell how far the attempt is; end it if it was called off."""
        self.watcher.report(Progress(stage, spots, total, bases, time.time()))
        self.cancellation.check()
