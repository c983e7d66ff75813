"""The check of `wort doctor` for the public signatures, which are optional."""

from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.settings import Settings
from wort_cli.stores.object_store import StoreError
from wort_cli.stores.public import check_reachable

WHAT = "public signatures"


def check_public(settings: Settings) -> Finding:
    """Return whether the server of the public signatures can be reached."""
    if settings.public is None:
        return Finding("ok", WHAT, "switched off (s3_preset)")
    try:
        check_reachable(settings.public)
    except StoreError as error:
        return Finding("warning", WHAT, error.sentence, "`wort config set s3_preset off` leaves them out")
    return Finding("ok", WHAT, f"{settings.public.root} answers; it is read where no bucket is set")
