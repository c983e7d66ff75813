"""Requests for verifications: of a submitted signature, or of one from the catalog."""

from wort_cli.api.sources import with_prefetched
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import Accession, public_accession
from wort_cli.model.job import Source
from wort_cli.model.provenance import SignatureRecord
from wort_cli.model.submission import Submission
from wort_cli.model.verdict import Depth
from wort_cli.settings import Settings


def verify_request(
    signature: Submission | SignatureRecord,
    depth: Depth,
    settings: Settings,
    *,
    priority: int = 0,
    group: str = "",
    engine: str = "",
) -> VerifyRequest:
    """Return the request to verify a signature; a submission must be of a run."""
    return VerifyRequest(
        source=source_to_verify(signature, settings),
        profile=signature.profile,
        subject=signature.path,
        digest=signature.digest,
        depth=depth,
        priority=priority,
        group=group,
        engine=engine,
    )


def source_to_verify(signature: Submission | SignatureRecord, settings: Settings) -> Source:
    """Return the source from which the signature is recalculated."""
    if isinstance(signature, SignatureRecord) and not isinstance(signature.name, Accession):
        return Source.made_from(signature.name, signature.provenance) or Source(signature.name)
    name = public_accession(signature.name) or Accession.parse(signature.name)
    return with_prefetched(Source(name), settings.quality, settings.archives)
