"""Sketches the reads of an archive that was proved: chooses its slices and decoders, and sketches all slices.

Slices that libncbi-vdb has decoded count only together with a fastq-dump that it was compared with.  That tool may
still print its version while they are decoded; if it is another one, the run is decoded again, by fastq-dump.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wort_cli.model.profile import PROFILES, Profile
from wort_cli.model.signature_file import Sketch
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.prove import ArchiveProof
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.check import check_has_reads
from wort_cli.pipeline.decoding.decoder_choice import choose_decoders, why_not_compared
from wort_cli.pipeline.decoding.fastq_dump import FastqDumpDecoder
from wort_cli.pipeline.sketching.engine import Engine
from wort_cli.pipeline.sketching.read_stats import ReadStats
from wort_cli.pipeline.sketching.run_sketcher import RunSketcher, SketchTimeouts
from wort_cli.pipeline.sketching.slice_decoder import NeedsWholeRun, StartDecoder
from wort_cli.pipeline.sketching.slices import Slice, SliceStore, plan_slices, split_for_threads
from wort_cli.pipeline.toolkit.tools import ToolGroup


@dataclass(frozen=True)
class SketchedReads:
    """The sketches of all reads of an archive, and how they were decoded."""

    stats: ReadStats
    sketches: tuple[Sketch, ...]
    slices: int
    decoders: tuple[str, ...]
    others: Mapping[Profile, tuple[Sketch, ...]]
    """The sketches of the other profiles of the pass."""

    @property
    def counts_left_out(self) -> bool:
        """Whether all decoders counted the reads that the recipe leaves out."""
        return FastqDumpDecoder.name not in self.decoders


def sketch_reads(
    attempt: Attempt, archive: Archive, proof: ArchiveProof, engine: Engine, tools: ToolGroup, threads: int
) -> SketchedReads:
    """Decode and sketch all slices of the archive, `threads` at a time; raise JobFailed unless all spots were read."""
    spec = attempt.spec
    slices = plan_slices(archive.spots, archive.bases, spec.method.slice_bases)
    store = slice_store(attempt, archive, proof, tools) if len(slices) > 1 else None
    decoders = choose_decoders(archive, proof, spec, attempt.profile, engine, tools, attempt.workspace)
    if store is None and len(decoders) > 1:
        slices = split_for_threads(archive.spots, archive.bases, threads)
    try:
        sketcher = sketch_slices(attempt, archive, engine, slices, store, decoders, threads)
    except NeedsWholeRun as needed:
        attempt.log(f"decoding the run as one slice: {needed}")
        slices = (Slice(1, archive.spots),)
        sketcher = sketch_slices(attempt, archive, engine, slices, None, decoders, threads)
    if why := why_not_compared(sketcher.decoders_used(), tools):
        attempt.log(f"decoding with fastq-dump: {why}")
        slices = plan_slices(archive.spots, archive.bases, spec.method.slice_bases)
        sketcher = sketch_slices(attempt, archive, engine, slices, None, decoders[-1:], threads)
    stats = sketcher.stats()
    check_has_reads(archive, stats.bases)
    others = {profile: sketcher.sketches(profile) for profile in attempt.profiles[1:]}
    return SketchedReads(stats, sketcher.sketches(), len(slices), sketcher.decoders_used(), others)


def sketch_slices(
    attempt: Attempt,
    archive: Archive,
    engine: Engine,
    slices: Sequence[Slice],
    store: SliceStore | None,
    decoders: Sequence[StartDecoder],
    threads: int,
) -> RunSketcher:
    """Decode and sketch slices of the archive, `threads` at a time; return the sketcher with their sketches.

    Raises NeedsWholeRun if they are several and the archive must be decoded as one slice.
    """
    arrival = archive.arrival

    def report(stats: ReadStats) -> None:
        if arrival is None or arrival.is_proved:  # else the download reports its progress
            attempt.report("sketching", stats.spots, archive.spots, stats.bases)

    has_arrived = arrival.has if arrival is not None else lambda part: True
    sketcher = RunSketcher(slices, store, decoders, attempt.profile, engine, SketchTimeouts.of(attempt.spec))
    sketcher.run(threads, attempt.cancellation, report, has_arrived)
    return sketcher


def slice_store(attempt: Attempt, archive: Archive, proof: ArchiveProof, tools: ToolGroup) -> SliceStore:
    """Return the store of finished slices; slices of another archive or profile are ignored.

    A slice is stored if all that was read is proved, and its decoder counts.  The version of the tool that decides that
    is waited for: it is printed sooner than a slice is decoded.
    """
    inputs = {
        "source": proof.sha256 or proof.proof or f"{archive.argument}, {archive.spots} spots, {archive.size} bytes",
        "profile": " ".join(named(profile) for profile in attempt.profiles),
        "references": " ".join(f"{name}:{md5}" for name, md5 in sorted(archive.reference_sums.items())),
    }
    arrival = archive.arrival

    def is_right(decoder: str) -> bool:
        return (arrival is None or arrival.is_proved) and not why_not_compared([decoder], tools)

    store = SliceStore(attempt.workspace.slices, inputs, attempt.workspace.parts_key, is_right)
    if attempt.spec.keeping.keep_slices:
        from wort_cli.pipeline.unfinished import take_slices

        take_slices(attempt, inputs, store)
    return store


def named(profile: Profile) -> str:
    """Return the name of a profile, and its checksum if it is not built in: homes may define it differently."""
    return profile.name if profile.name in PROFILES else f"{profile.name}:{profile.sha256}"
