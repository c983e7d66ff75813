"""Requests for verifications: of a submitted signature, or of one from the catalog."""

from wort_cli.api.signature_finder import open_bucket
from wort_cli.api.sources import with_prefetched
from wort_cli.commands.shared.showing import render
from wort_cli.ledger.ledger import Ledger
from wort_cli.ledger.submissions import VerifyRequest
from wort_cli.model.accession import Accession, public_accession
from wort_cli.model.failure import Reason
from wort_cli.model.job import Source
from wort_cli.model.profile import Profile
from wort_cli.model.provenance import SignatureRecord
from wort_cli.model.submission import Submission
from wort_cli.model.verdict import Depth
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import StoreError
from wort_cli.system.daemon_lock import running_daemon


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


def pull_signature(
    name: Accession, profile: Profile, record: SignatureRecord | None, settings: Settings, ledger: Ledger
) -> SignatureRecord | None:
    """Download the signature of a run into the local store; return its record, or `record` if no bucket has it.

    Raises StoreError if it must not be used (stores/transfer.py), or if the bucket that the catalog names is not set.
    """
    from wort_cli.stores import transfer

    if settings.s3 is None and (record is None or not record.remote):
        return record
    bucket = open_bucket(settings, profile)
    local = LocalStore(settings.store_dir, profile.name)
    try:
        published = transfer.pull(name, local, bucket, record.recorded if record else None)
    except StoreError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        return record
    with ledger.storage.transaction():
        ledger.profiles.use(profile)
        ledger.catalog.record(published)
    render.notice(f"downloaded {bucket.url(name)}")
    return ledger.catalog.get(name, profile.name)


def source_to_verify(signature: Submission | SignatureRecord, settings: Settings) -> Source:
    """Return the source from which the signature is recalculated."""
    if isinstance(signature, SignatureRecord) and not isinstance(signature.name, Accession):
        return Source.made_from(signature.name, signature.provenance) or Source(signature.name)
    name = public_accession(signature.name) or Accession.parse(signature.name)
    return with_prefetched(Source(name), settings.quality, settings.archives)


def suggest_next_command(queued: int, settings: Settings) -> None:
    """Write to stderr how to follow the queued verifications, or that no daemon runs them."""
    in_queue = f"{render.count(queued, 'verification')} in the queue"
    if queued and running_daemon(settings.lock_file) is None:
        render.notice(f"{in_queue}, but no daemon is running: `wort daemon start`")
    elif queued:
        render.notice(f"{in_queue}; follow with `wort wait --all`")
