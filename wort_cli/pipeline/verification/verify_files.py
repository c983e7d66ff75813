"""Verifies a signature of files of reads by sketching the files again."""

from wort_cli.model.provenance import Trust
from wort_cli.model.signature_file import SignatureDocument
from wort_cli.model.verdict import Depth, Verdict
from wort_cli.pipeline.attempt import Attempt
from wort_cli.pipeline.reads.sketch_files import SketchedFiles, sketch_files
from wort_cli.pipeline.verification.compare import compare


def verify_files(attempt: Attempt, stored: SignatureDocument) -> tuple[Verdict, SketchedFiles]:
    """Sketch all files of the job and compare; return the verdict and the sketches.

    A quick verification is a full one: a file of reads cannot be read from the middle.
    """
    run = sketch_files(attempt)
    comparisons = compare(stored.sketches, run.sketches)
    differs = any(comparison.differs for comparison in comparisons)
    verdict = Verdict(
        Trust.MISMATCH if differs else Trust.VERIFIED,
        Depth.FULL,
        "the files have other reads now, or the signature is of other files" if differs else "",
        comparisons,
        engine=attempt.spec.method.engine,
        bases=run.stats.bases,
    )
    for line in (verdict.sentence(), *(c.sentence() for c in comparisons if c.differs)):
        attempt.log(line)
    return verdict, run
