"""The verification of a signature, as a request to the ledger: of one that was handed in, or of one of our own."""

from pathlib import Path

from wort_cli.commands.shared.sources import parse_source
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import Accession
from wort_cli.model.job import Source
from wort_cli.model.provenance import SignatureRecord
from wort_cli.model.submission import Submission
from wort_cli.model.verdict import Depth


def request_of(
    signature: Submission | SignatureRecord, depth: Depth, *, priority: int = 0, group: str = "", engine: str = ""
) -> VerifyRequest:
    """Ask for its recalculation; a submission must be of a run."""
    return VerifyRequest(
        source=source_of(signature),
        profile=signature.profile,
        subject=signature.path,
        digest=signature.digest,
        depth=depth,
        priority=priority,
        group=group,
        engine=engine,
    )


def source_of(signature: Submission | SignatureRecord) -> Source:
    """What it is to be recalculated from."""
    if isinstance(signature, SignatureRecord) and not isinstance(signature.name, Accession):
        return Source(signature.name, Path(signature.provenance.source))
    return parse_source(signature.name)
