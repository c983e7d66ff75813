"""Brings the public signatures of named runs into the local store, for `wort export`."""

from collections.abc import Sequence

from wort_cli.api.signature_finder import open_readable
from wort_cli.commands.shared.exporting.export_request import ExportRequest
from wort_cli.commands.shared.showing import render
from wort_cli.errors import WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, parse_name
from wort_cli.model.failure import Reason
from wort_cli.model.profile import SRA_V1
from wort_cli.model.provenance import Trust
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore

MOST = 1000
"""Runs, at most, that are looked for without being asked to: `wort sync pull -` downloads more."""


def bring_public(request: ExportRequest, settings: Settings, ledger: Ledger, *, dry_run: bool) -> int:
    """Download and record the public signatures of those named runs that the catalog lacks; return how many.

    Nothing is brought if a bucket is set, if the public signatures are switched off, of another profile or of another
    trust than requested, or if there are more than MOST.  Whatever prevents that they are brought is said on stderr.
    """
    public, profile = settings.public, request.profile
    if settings.s3 is not None or public is None:
        return 0
    if profile != SRA_V1.name or request.trust not in (None, Trust.PUBLISHED):
        return 0
    names = map(parse_name, ledger.catalog.unknown(request.names, profile))
    runs = [name for name in names if isinstance(name, Accession)]
    wanted = [name for name in runs if ledger.catalog.get(name, profile) is None]  # a refuted one stays refuted
    what = f"{render.count(len(wanted), 'signature')} {'is' if len(wanted) == 1 else 'are'} not here"
    if len(wanted) > MOST:
        render.notice(f"{what}, too many to look for among the public ones: `wort sync pull -` downloads them")
    elif wanted and dry_run:
        render.notice(f"{what}; without --dry-run, they are looked for among the public ones ({public.root})")
    if not 0 < len(wanted) <= MOST or dry_run:
        return 0
    render.notice(f"{what}; looking among the public ones ({public.root})")
    try:
        brought = pull_all(wanted, settings)
    except WortError as error:
        render.notice(render.printable(f"public signatures were not brought: {error.sentence}; {error.hint}"))
        return 0
    if brought:
        render.notice(f"{render.count(brought, 'public signature')} brought: computed by others, and not verified")
    return brought


def pull_all(names: Sequence[Accession], settings: Settings) -> int:
    """Download and record signatures, several at a time; return how many there are.

    Raises an error that would stop each of them.
    """
    from wort_cli.stores.object_store import StoreError
    from wort_cli.stores.parallel import in_parallel
    from wort_cli.stores.transfer import affects_one_run, pull

    bucket = open_readable(settings, SRA_V1, settings.s3_transfers + 1)
    local, ledger, brought = LocalStore(settings.store_dir), Ledger(settings.ledger_file), 0
    try:
        for name, outcome in in_parallel(names, lambda name: pull(name, local, bucket), settings.s3_transfers):
            if not isinstance(outcome, Exception):
                with ledger.transaction():
                    ledger.profiles.use(SRA_V1)
                    ledger.catalog.record(outcome)
                brought += 1
            elif not (isinstance(outcome, StoreError) and affects_one_run(outcome)):
                raise outcome
            elif outcome.reason is not Reason.NOT_FOUND:
                render.notice(render.printable(f"{name}: {outcome.sentence}"))
    finally:
        ledger.close()
    return brought
