"""Verifies a signature that stands in the store, by what the recipe makes of the run.

In turn: the bytes that are kept, here and in the bucket, are those that were recorded; a full verification recalculates
everything, by the same stages as a computation, and compares each hash and abundance; a quick one sees a few slices.
Where all is equal, our own bytes are published, never the ones that were handed in.
"""

from collections.abc import Sequence
from dataclasses import replace

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.job_result import Published
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import Trust
from wort_cli.model.signature_file import SignatureDocument, Sketch
from wort_cli.model.verdict import Comparison, Depth, Verdict
from wort_cli.pipeline.archives.locate import Archive, resolve
from wort_cli.pipeline.archives.prove import validate, validate_within
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.bucket import digest_in_bucket
from wort_cli.pipeline.check import check_has_spots
from wort_cli.pipeline.decoding.decoders import dumping, sampling
from wort_cli.pipeline.job_spec import Subject
from wort_cli.pipeline.sketching.engine import ENGINES
from wort_cli.pipeline.sketching.run_sketcher import Limits, RunSketcher
from wort_cli.pipeline.sketching.slices import Slice, plan
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.pipeline.verification.compare import compare, likely_cause, paired, places_in
from wort_cli.pipeline.verification.quick import choose, contrast, refutation, sketch_sample
from wort_cli.stores.local import LocalStore
from wort_cli.submission.refusal import Refusal
from wort_cli.submission.strict import check_file

WITHOUT = {
    ("--split-spot",): "mates were not split per spot (decoded without --split-spot)",
    ("--clip",): "reads were not clipped (decoded without --clip)",
    ("--skip-technical",): "technical reads were taken along (decoded without --skip-technical)",
    ("--read-filter", "pass"): "reads that fail the read filter were taken along (decoded without --read-filter pass)",
}
"""Flags of the recipe that are often left out, and what that means."""
EXPLAINED = 0.8
"""The share of what a missing flag adds that must be there, to be the explanation."""


def verify(attempt: Attempt, subject: Subject) -> tuple[Verdict, Published | None]:
    """The verdict on a signature; and, if it is proved and was not ours already, ours, published.

    JobFailed says why the run could not be recalculated.
    """
    attempt.report("reading")
    ours = subject.path == LocalStore(attempt.spec.store).path(attempt.spec.source.name)
    kept = read_kept(subject)
    if isinstance(kept, Verdict):
        return kept, None
    if ours and digest_in_bucket(attempt.spec, attempt.cancellation) not in (None, subject.digest):
        return Verdict(Trust.MISMATCH, subject.depth, "what stands in the bucket is not what was recorded"), None
    if subject.depth is Depth.QUICK:
        with attempt.tools() as tools:
            return look_quickly(attempt, kept, tools), None
    with attempt.tools() as tools:
        calculated = attempt.read_all(tools)
        comparisons = compare(kept.sketches, calculated.decoded.sketches)
        proved = not any(comparison.differs for comparison in comparisons)
        cause = "" if proved else diagnose(attempt, calculated.archive, kept, calculated.decoded.sketches, tools)
    verdict = Verdict(
        Trust.VERIFIED if proved else Trust.MISMATCH,
        Depth.FULL,
        cause,
        comparisons,
        engine=attempt.spec.method.engine,
        bases=calculated.decoded.totals.bases,
    )
    for line in (verdict.sentence(), *(c.sentence() for c in comparisons if c.differs)):
        attempt.log(line)
    return verdict, attempt.seal_and_publish(calculated) if proved and not ours else None


def read_kept(subject: Subject) -> SignatureDocument | Verdict:
    """The signature as it is kept here, if that is what was recorded; else the verdict that it is not."""
    try:
        kept = check_file(subject.path, allow_empty=True).document
    except OSError as error:
        raise JobFailed(Reason.STORAGE_DOWN, f"{subject.path}: {error.strerror}", lasting=True) from error
    except Refusal as refusal:
        return Verdict(Trust.MISMATCH, subject.depth, f"the file that is kept is damaged: {refusal.why}")
    if kept.digest != subject.digest:
        return Verdict(Trust.MISMATCH, subject.depth, "the file that is kept is not what was recorded")
    return kept


# A quick look --------------------------------------------------------------------------------------------------------


def look_quickly(attempt: Attempt, kept: SignatureDocument, tools: ToolGroup) -> Verdict:
    """What a few slices say of a signature."""
    archive = resolve(attempt.spec, tools)
    check_has_spots(archive)
    slices = choose(archive.spots, archive.bases)
    attempt.report("sketching", 0, sum(part.spots for part in slices))
    engine = ENGINES[attempt.spec.method.engine](attempt.profile)
    decoder, proved = sampling(archive, slices, attempt.spec, attempt.profile, engine, tools, attempt.workspace)
    sample = sketch_sample(
        slices,
        archive.spots,
        lambda part: RunSketcher([part], None, [decoder], attempt.profile, engine, Limits.of(attempt.spec)),
        attempt.spec.threads,
        attempt.cancellation,
    )
    comparisons = contrast(kept.sketches, sample)
    cause = refutation(kept.sketches, sample, comparisons)
    if cause and archive.path is not None and not proved:
        # A damaged archive must refute nobody.
        validate(archive.path, tools, validate_within(archive, attempt.spec.time_limits.stall_timeout))
    return Verdict(
        Trust.MISMATCH if cause else Trust.QUICK_CHECKED,
        Depth.QUICK,
        cause,
        comparisons,
        tuple((part.first, part.last) for part in slices),
        attempt.spec.method.engine,
        sample.bases,
    )


def sketcher(attempt: Attempt, archive: Archive, part: Slice, tools: ToolGroup, profile: Profile) -> RunSketcher:
    """What sketches one slice by another recipe."""
    engine = ENGINES[attempt.spec.method.engine](profile)
    return RunSketcher(
        [part], None, [dumping(archive, profile, engine, tools, attempt.spec)], profile, engine, Limits.of(attempt.spec)
    )


# The diagnosis of a difference ---------------------------------------------------------------------------------------


def diagnose(
    attempt: Attempt, archive: Archive, kept: SignatureDocument, ours: Sequence[Sketch], tools: ToolGroup
) -> str:
    """What most likely made the difference."""
    attempt.report("comparing", archive.spots, archive.spots)
    comparisons: tuple[Comparison, ...] = compare(kept.sketches, ours)
    flags = []
    if any(comparison.extra for comparison in comparisons):
        part = plan(archive.spots, archive.bases, attempt.spec.method.slice_bases)[0]
        for flag, meaning in WITHOUT.items():
            if explains(attempt, archive, part, flag, kept.sketches, ours, tools):
                flags.append(meaning)
    return likely_cause(paired(kept.sketches, ours), comparisons, flags)


def explains(
    attempt: Attempt,
    archive: Archive,
    part: Slice,
    flag: tuple[str, ...],
    theirs: Sequence[Sketch],
    ours: Sequence[Sketch],
    tools: ToolGroup,
) -> bool:
    """Whether a slice that is decoded without a flag has hashes that the run has not, and the signature has them."""
    flags = tuple(word for word in attempt.profile.decode_flags if word not in flag)
    other = sketcher(attempt, archive, part, tools, replace(attempt.profile, decode_flags=flags))
    try:
        other.run(1, attempt.cancellation, lambda _: None)
    except JobFailed as failed:
        attempt.log(f"decoding without {' '.join(flag)}: {failed}")
        return False
    added = found = 0
    for (mine, right), seen in zip(paired(theirs, ours), other.sketches(), strict=True):
        _, known = places_in(right.hashes, seen.hashes)
        news = seen.hashes[~known]
        _, there = places_in(mine.hashes, news)
        added, found = added + news.size, found + int(there.sum())
    return added > 0 and found >= EXPLAINED * added
