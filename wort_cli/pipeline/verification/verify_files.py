"""Verifies a signature of files of reads, or of an assembly, by sketching them again."""

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.model.provenance import UNPROVED, Trust
from wort_cli.model.signature_file import SignatureDocument
from wort_cli.model.verdict import Depth, Verdict
from wort_cli.pipeline.assemblies.sketch import sketch_assembly
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.reads.sketch_files import SketchedFiles, sketch_files
from wort_cli.pipeline.verification.compare import compare


def verify_files(attempt: Attempt, stored: SignatureDocument) -> tuple[Verdict, SketchedFiles]:
    """Sketch all files of the job, or its assembly, and compare; return the verdict and the sketches.

    A quick verification is a full one: a file of reads cannot be read from the middle.
    """
    is_assembly = attempt.spec.source.is_assembly
    run = sketch_assembly(attempt) if is_assembly else sketch_files(attempt)
    if run.facts.get("proved_by") == UNPROVED:
        raise JobFailed(
            Reason.UNPROVABLE, "nothing proves the sequences that a signature is compared with", lasting=True
        )
    comparisons = compare(stored.sketches, run.sketches)
    differs = any(comparison.differs for comparison in comparisons)
    verdict = Verdict(
        Trust.MISMATCH if differs else Trust.VERIFIED,
        Depth.FULL,
        cause(is_assembly=is_assembly) if differs else "",
        comparisons,
        engine=attempt.spec.method.engine,
        bases=run.stats.bases,
    )
    for line in (verdict.sentence(), *(c.sentence() for c in comparisons if c.differs)):
        attempt.log(line)
    return verdict, run


def cause(*, is_assembly: bool) -> str:
    """Return why a signature may differ."""
    if is_assembly:
        return "it was made from other sequences than those of the assembly"
    return "the files have other reads now, or the signature is of other files"
