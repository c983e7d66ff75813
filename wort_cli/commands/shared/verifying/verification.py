"""Verifications as commands request them: downloads what only the bucket has, and says what comes next."""

from wort_cli.api.signature_finder import open_bucket, open_readable
from wort_cli.commands.shared.showing import render
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.provenance import SignatureRecord
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import StoreError
from wort_cli.system.daemon_lock import running_daemon


def pull_signature(
    name: Accession, profile: Profile, record: SignatureRecord | None, settings: Settings, ledger: Ledger
) -> SignatureRecord | None:
    """Download the signature of a run into the local store; return its record, or `record` if no bucket has it.

    Raises StoreError if it must not be used (stores/transfer.py), or if the bucket that the catalog names is not set.
    """
    from wort_cli.stores import transfer

    public = settings.public is not None and profile == SRA_V1 and (record is None or record.remote.startswith("http"))
    if settings.s3 is None and not public and (record is None or not record.remote):
        return record
    bucket = (open_readable if public else open_bucket)(settings, profile)
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


def suggest_next_command(queued: int, settings: Settings) -> None:
    """Write to stderr how to follow the queued verifications, or that no daemon runs them."""
    in_queue = f"{render.count(queued, 'verification')} in the queue"
    if queued and running_daemon(settings.lock_file) is None:
        render.notice(f"{in_queue}, but no daemon is running: `wort daemon start`")
    elif queued:
        render.notice(f"{in_queue}; follow with `wort wait --all`")
