"""Verifies a stored signature against its run.

1. Read the stored file, and the object in the bucket if there is one: both must have the recorded digest.
2. A quick verification sketches a few slices of the run (quick.py).  It can refute a signature but not prove it.
   A run that is too small for that is verified in full.
3. A full verification sketches the whole run, with the stages that compute a signature, and compares every hash and
   abundance (compare.py).
   If it differs, the other format of the run's archive is tried, if there is one (other_format.py).
4. A submitted signature that is proved equal is replaced: wort publishes the bytes that it has written itself.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import Published
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.provenance import Trust
from wort_cli.model.signature_file import SignatureDocument, Sketch
from wort_cli.model.verdict import UNDECIDED, Comparison, Depth, Verdict
from wort_cli.pipeline.archives.locate import Archive
from wort_cli.pipeline.archives.obtain import ProvedBy
from wort_cli.pipeline.archives.prove import ArchiveProof, prove_archive
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.bucket import digest_in_bucket
from wort_cli.pipeline.check import check_has_spots
from wort_cli.pipeline.decoding.decoder_choice import choose_sample_decoder, fastq_dump_decoder
from wort_cli.pipeline.job_spec import JobSpec, Subject
from wort_cli.pipeline.known_md5 import prove_by_locator
from wort_cli.pipeline.reads.sketch_files import SketchedFiles
from wort_cli.pipeline.sealing import seal_and_publish
from wort_cli.pipeline.sketching.engine import engine_of
from wort_cli.pipeline.sketching.run_sketcher import RunSketcher, SketchTimeouts
from wort_cli.pipeline.sketching.slice_decoder import NeedsWholeRun
from wort_cli.pipeline.sketching.slices import Slice, plan_slices
from wort_cli.pipeline.stages import SketchedRun, archive_of, sketch_run
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.verification.compare import FOREIGN, compare, find_in_sorted, likely_cause, pair_by_ksize
from wort_cli.pipeline.verification.other_format import attempt_with_other_format, explain_format
from wort_cli.pipeline.verification.quick import (
    TooFewHashes,
    check_has_hashes,
    check_is_large_enough,
    choose_slices,
    compare_with_sample,
    find_contradiction,
    sketch_sample,
)
from wort_cli.pipeline.verification.sampled_run import fetch_sample
from wort_cli.pipeline.verification.verify_files import verify_files
from wort_cli.reading.refusal import Refusal
from wort_cli.reading.strict import NO_LIMIT, check_signature
from wort_cli.stores.local import LocalStore
from wort_cli.stores.recorded import sha256_of

OMITTED_FLAGS = {
    ("--split-spot",): "mates were not split per spot (decoded without --split-spot)",
    ("--clip",): "reads were not clipped (decoded without --clip)",
    ("--skip-technical",): "technical reads were included (decoded without --skip-technical)",
    ("--read-filter", "pass"): "reads that fail the read filter were included (decoded without --read-filter pass)",
}
"""Flags of the recipe that are often omitted, and what is reported if one was."""
UNFILTERED = (("--clip",), ("--read-filter", "pass"))
"""The flags that fasterq-dump lacks, and that ENA's FASTQ files are made without."""
FASTERQ_DUMP = "it is probably of the output of fasterq-dump, or of FASTQ files of ENA"
MIN_FOUND_SHARE = 0.8
"""An omitted flag is the cause if the signature has at least this share of the hashes that its omission adds."""


def verify(attempt: Attempt, subject: Subject) -> tuple[Verdict, Published | None]:
    """Return the verdict on a signature, and the signature that was published in its place, if any.

    Raises JobFailed if the run could not be sketched.
    """
    attempt.report("reading")
    stored = read_stored(subject, attempt.profile)
    if isinstance(stored, Verdict):
        return stored, None
    in_store = subject.path == LocalStore(attempt.spec.store, attempt.profile.name).path(attempt.spec.source.name)
    if in_store and digest_in_bucket(attempt.spec, attempt.cancellation) not in (None, subject.digest):
        cause = "the object in the bucket is not the recorded signature"
        return Verdict(Trust.MISMATCH, subject.depth, cause, of_copy=True), None
    verdict, run = verify_source(attempt, stored, subject.depth)
    if run is None:
        return verdict, None
    if verdict.trust is Trust.VERIFIED and not (in_store and is_own(attempt.spec)):
        return verdict, seal_and_publish(attempt, run)
    return verdict, None


def verify_source(
    attempt: Attempt, stored: SignatureDocument, depth: Depth
) -> tuple[Verdict, SketchedRun | SketchedFiles | None]:
    """Compare a signature with the reads of the job's source; return the verdict, and what was sketched in full."""
    if attempt.spec.source.reads is not None or attempt.spec.source.is_assembly:
        return verify_files(attempt, stored)
    with attempt.tools() as tools:
        if depth is Depth.QUICK:
            try:
                return verify_quickly(attempt, stored, tools), None
            except TooFewHashes as why:
                attempt.log(f"a quick verification says too little ({why}): the run is read in full")
        return verify_fully(attempt, stored, tools)


def is_own(spec: JobSpec) -> bool:
    """Return whether the signature in the local store was computed here, so that its bytes need not be replaced."""
    return spec.recorded is not None and spec.recorded.trust not in UNDECIDED


def read_stored(subject: Subject, profile: Profile = SRA_V1) -> SignatureDocument | Verdict:
    """Return the stored signature if it has the recorded digest, else the verdict that it does not."""
    try:
        with subject.path.open("rb") as file:
            if subject.sha256 and sha256_of(file) != subject.sha256:
                return Verdict(Trust.MISMATCH, subject.depth, "the stored file is not the recorded signature")
            stored = check_signature(file, max_unpacked=NO_LIMIT, allow_empty=True, profile=profile).document
    except OSError as error:
        raise JobFailed(Reason.STORAGE_DOWN, f"{subject.path}: {error.strerror}", lasting=True) from error
    except Refusal as refusal:
        return Verdict(Trust.MISMATCH, subject.depth, f"the stored file is damaged: {refusal.why}")
    if stored.digest != subject.digest:
        return Verdict(Trust.MISMATCH, subject.depth, "the stored file is not the recorded signature")
    return stored


# Quick verification --------------------------------------------------------------------------------------------------


def verify_quickly(attempt: Attempt, stored: SignatureDocument, tools: ToolGroup) -> Verdict:
    """Compare a signature with the sketches of a few slices.  Raises TooFewHashes if they say too little."""
    if (sampled := fetch_sample(attempt, tools)) is not None:
        attempt.take_slot()
        with going_on(attempt, "what was fetched of the archive"):
            verdict = compare_quickly(attempt, sampled.archive, stored, tools, sampled.slices)
            if verdict.trust is not Trust.MISMATCH:
                return verdict
        attempt.log("the slices contradict the signature; now the archive is fetched and proved")
    archive = archive_of(attempt, tools)
    attempt.take_slot()
    verdict = compare_quickly(attempt, archive, stored, tools)
    if verdict.trust is not Trust.MISMATCH or is_foreign(verdict.comparisons):
        return verdict
    with attempt_with_other_format(attempt, archive, tools) as other, going_on(attempt):
        if other is not None:
            found = archive_of(other, tools)
            if compare_quickly(other, found, stored, tools).trust is Trust.QUICK_CHECKED:
                cause = explain_format("a few slices match", found.format, archive.format)
                return replace(verdict, cause=cause, made_from=found.format)
    return verdict


def compare_quickly(
    attempt: Attempt, archive: Archive, stored: SignatureDocument, tools: ToolGroup, slices: Sequence[Slice] = ()
) -> Verdict:
    """Compare a signature with a few slices of an archive: those given, or random ones.

    Raises TooFewHashes if they do not contradict the signature, and have too few hashes to say more.
    """
    check_has_spots(archive)
    check_is_large_enough(archive.bases, attempt.profile.scaled)
    slices = slices or choose_slices(archive.spots, archive.bases)
    attempt.report("sketching", 0, sum(part.spots for part in slices))
    engine = attempt.engine()
    decoder, proved = choose_sample_decoder(
        archive, slices, attempt.spec, attempt.profile, engine, tools, attempt.workspace
    )
    # What the first declines, such as a spot with technical reads only, fastq-dump may decode.
    decoders = [decoder, fastq_dump_decoder(archive, attempt.profile, engine, tools, attempt.spec)]
    try:
        sample = sketch_sample(
            slices,
            archive.spots,
            lambda part: RunSketcher([part], None, decoders, attempt.profile, engine, SketchTimeouts.of(attempt.spec)),
            attempt.spec.threads,
            attempt.cancellation,
        )
    except NeedsWholeRun as why:
        raise JobFailed(Reason.INCOMPLETE, f"slices of the run cannot be decoded alone: {why}", lasting=True) from why
    comparisons = compare_with_sample(stored.sketches, sample)
    contradiction = find_contradiction(stored.sketches, sample, comparisons)
    if not contradiction:
        check_has_hashes(sample)
    if contradiction and archive.fetched is None and not proved:
        check_is_proved(
            prove_by_locator(attempt, archive, prove_archive(archive, tools, attempt.spec.time_limits.stall_timeout)),
            "differs from",
        )
    return Verdict(
        Trust.MISMATCH if contradiction else Trust.QUICK_CHECKED,
        Depth.QUICK,
        contradiction,
        comparisons,
        tuple((part.first, part.last) for part in slices),
        attempt.spec.method.engine,
        sample.bases,
        archive.format,
    )


def check_is_proved(proof: ArchiveProof, relation: str) -> None:
    """Raise JobFailed(unprovable) unless the archive was proved.

    A damaged archive must not refute a signature, and equals the one that was computed from it.
    """
    if proof.recorded_as is ProvedBy.NOTHING:
        raise JobFailed(Reason.UNPROVABLE, f"the signature {relation} the reads of the archive", lasting=True)


# Full verification ---------------------------------------------------------------------------------------------------


def verify_fully(attempt: Attempt, stored: SignatureDocument, tools: ToolGroup) -> tuple[Verdict, SketchedRun]:
    """Sketch the whole run and compare; return the verdict and the sketched run."""
    run = sketch_run(attempt, tools)
    comparisons = compare(stored.sketches, run.reads.sketches)
    proved = not any(comparison.differs for comparison in comparisons)
    check_is_proved(run.proof, "equals" if proved else "differs from")
    made_from = "" if proved else format_that_matches(attempt, run.archive, stored, comparisons, tools)
    cause = ""
    if made_from:
        cause = explain_format("it was made from", made_from, run.archive.format)
    elif not proved:
        cause = diagnose(attempt, run, stored, comparisons, tools)
    verdict = Verdict(
        Trust.VERIFIED if proved else Trust.MISMATCH,
        Depth.FULL,
        cause,
        comparisons,
        engine=attempt.spec.method.engine,
        bases=run.reads.stats.bases,
        format=run.archive.format,
        made_from=made_from,
    )
    for line in (verdict.sentence(), *(c.sentence() for c in comparisons if c.differs)):
        attempt.log(line)
    return verdict, run


def format_that_matches(
    attempt: Attempt,
    archive: Archive,
    stored: SignatureDocument,
    comparisons: Sequence[Comparison],
    tools: ToolGroup,
) -> str:
    """Return the other format of the run's archive if the signature was made from that; else ''."""
    if is_foreign(comparisons):
        return ""
    with attempt_with_other_format(attempt, archive, tools) as other, going_on(attempt):
        if other is not None:
            run = sketch_run(other, tools)
            if not any(c.differs for c in compare(stored.sketches, run.reads.sketches)):
                return run.archive.format
    return ""


@contextlib.contextmanager
def going_on(attempt: Attempt, what: str = "the other format of the archive") -> Iterator[None]:
    """Log why an archive cannot be read, instead of raising that: it is not needed for a verdict."""
    try:
        yield
    except JobFailed as failed:
        attempt.log(f"{what}: {failed.failure.reason}: {failed}")


def is_foreign(comparisons: Sequence[Comparison]) -> bool:
    """Return whether a signature has so few of the run's hashes that it is of another run."""
    return all(comparison.containment < FOREIGN for comparison in comparisons if comparison.expected)


def diagnose(
    attempt: Attempt,
    run: SketchedRun,
    stored: SignatureDocument,
    comparisons: Sequence[Comparison],
    tools: ToolGroup,
) -> str:
    """Return the most likely cause of a difference."""
    archive, expected = run.archive, run.reads.sketches
    attempt.report("comparing", archive.spots, archive.spots)
    explained: dict[tuple[str, ...], bool | None] = {}
    if any(comparison.extra for comparison in comparisons):
        part = plan_slices(archive.spots, archive.bases, attempt.spec.method.slice_bases)[0]
        for flag in OMITTED_FLAGS:
            sketches = sketch_without_flag(attempt, archive, part, flag, tools)
            if sketches is not None:
                explained[flag] = flag_explains_extra(stored.sketches, expected, sketches)
    return likely_cause(pair_by_ksize(stored.sketches, expected), comparisons, causes_of(explained))


def causes_of(explained: Mapping[tuple[str, ...], bool | None]) -> list[str]:
    """Return the causes, from whether the omission of each flag explains what a signature has in excess.

    None stands for a flag that changes nothing in this archive.
    """
    causes = [cause for flag, cause in OMITTED_FLAGS.items() if explained.get(flag)]
    unfiltered = [explained.get(flag) for flag in UNFILTERED]
    if len(causes) == unfiltered.count(True) > 0 and False not in unfiltered:
        causes.append(FASTERQ_DUMP)
    return causes


def sketch_without_flag(
    attempt: Attempt, archive: Archive, part: Slice, flag: tuple[str, ...], tools: ToolGroup
) -> Sequence[Sketch] | None:
    """Return the sketches of a slice that is decoded without one flag of the recipe; None if decoding fails."""
    flags = tuple(word for word in attempt.profile.decode_flags if word not in flag)
    sketcher = dump_sketcher(attempt, archive, part, tools, replace(attempt.profile, decode_flags=flags))
    try:
        sketcher.run(1, attempt.cancellation, lambda _: None)
    except JobFailed as failed:
        attempt.log(f"decoding without {' '.join(flag)}: {failed}")
        return None
    return sketcher.sketches()


def dump_sketcher(attempt: Attempt, archive: Archive, part: Slice, tools: ToolGroup, profile: Profile) -> RunSketcher:
    """Return a sketcher of one slice that decodes with fastq-dump and the flags of `profile`."""
    engine = engine_of(attempt.spec.method.engine, profile)
    return RunSketcher(
        [part],
        None,
        [fastq_dump_decoder(archive, profile, engine, tools, attempt.spec)],
        profile,
        engine,
        SketchTimeouts.of(attempt.spec),
    )


def flag_explains_extra(stored: Sequence[Sketch], expected: Sequence[Sketch], without: Sequence[Sketch]) -> bool | None:
    """Return whether the signature has the hashes that omitting a flag adds to a slice; None if it adds none.

    `without` are the sketches of the slice, decoded without the flag; `expected` are those of the whole run.
    """
    added = found = 0
    for (given, whole), seen in zip(pair_by_ksize(stored, expected), without, strict=True):
        _, known = find_in_sorted(whole.hashes, seen.hashes)
        new = seen.hashes[~known]
        _, present = find_in_sorted(given.hashes, new)
        added, found = added + new.size, found + int(present.sum())
    return found >= MIN_FOUND_SHARE * added if added else None
