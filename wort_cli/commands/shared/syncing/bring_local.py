"""Brings signatures from the bucket into the local store: `wort compute --local`."""

from collections.abc import Sequence

from wort_cli.api.signature_finder import SignatureFinder, open_bucket
from wort_cli.commands.shared.showing import render
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, Name
from wort_cli.model.profile import Profile
from wort_cli.model.s3_target import is_in_bucket
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore


def bring_missing(names: Sequence[Name], finder: SignatureFinder, ledger: Ledger, settings: Settings) -> list[Name]:
    """Download the signatures of all profiles that only the bucket has; return the names of those that could not be."""
    failed = list[Name]()
    for one in finder.all():
        missing = [name for name in names if is_in_bucket(one.location(name))]
        failed += bring_local(missing, ledger, settings, one.profile)
    return failed


def bring_local(names: Sequence[Name], ledger: Ledger, settings: Settings, profile: Profile) -> list[Name]:
    """Download and record the signatures that only the bucket has; return the names of those that could not be.

    A server that cannot be reached raises StoreError.
    """
    local = LocalStore(settings.store_dir, profile.name)
    wanted = [name for name in names if isinstance(name, Accession) and not local.has(name)]
    if not wanted:
        return []
    from wort_cli.stores import transfer
    from wort_cli.stores.object_store import StoreError

    bucket, failed = open_bucket(settings, profile), list[Name]()
    for name in wanted:
        record = ledger.catalog.get(name, profile.name)
        try:
            published = transfer.pull(name, local, bucket, record.recorded if record else None)
        except StoreError as error:
            if not transfer.affects_one_run(error):
                raise
            render.notice(f"{name}: not brought into the local store: {render.printable(error.sentence)}")
            failed.append(name)
            continue
        with ledger.transaction():
            ledger.catalog.record(published)
    return failed
