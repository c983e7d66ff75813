"""Opens the public signatures: a bucket that is readable without credentials, and is never written.

They are optional.  A machine without a network must notice that at once, so that their server is tried first, for a few
seconds in all: the resolver of names alone may take half a minute.
"""

from pathlib import Path
from urllib.parse import urlsplit

from wort_cli.errors import UsageError, cause_of
from wort_cli.model.failure import Reason
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.s3_target import S3Target
from wort_cli.reading.limits import ReadLimits
from wort_cli.stores.object_store import StoreError
from wort_cli.stores.shared import SharedStore
from wort_cli.system.cancellation import NEVER, Cancellation
from wort_cli.system.stuck_threads import call_within

SECONDS = 5.0
"""Within which a connection to the server must open."""
HINT = "--offline leaves them out; `wort config set s3_preset off` switches them off"


def open_public(
    target: S3Target | None,
    limits: ReadLimits,
    scratch: Path,
    profile: Profile = SRA_V1,
    connections: int = 4,
    cancellation: Cancellation = NEVER,
) -> SharedStore:
    """Return the public signatures.

    Raises UsageError if they are switched off or have another profile, StoreError if their server cannot be reached.
    """
    if target is None:
        raise UsageError(
            "the public signatures are switched off (s3_preset)", "`wort config set s3_preset wort-public`"
        )
    if profile != SRA_V1:
        raise UsageError(
            f"the public signatures have the profile {SRA_V1.name}, not {profile.name}",
            f"give --profile {SRA_V1.name}, or set `s3_bucket`; docs/s3.md describes how",
        )
    from wort_cli.stores.s3 import S3Store

    check_reachable(target, cancellation)
    return SharedStore(S3Store(target, connections), limits, scratch, profile)


def check_reachable(target: S3Target, cancellation: Cancellation = NEVER) -> None:
    """Raise StoreError unless the server of the public signatures can be reached.  A proxy is not tried."""
    import socket
    import urllib.request  # it is slow to import, and jobs that need no public signature import this module

    parts = urlsplit(target.endpoint)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return
    try:
        call_within(lambda: socket.create_connection((host, port), SECONDS).close(), SECONDS, cancellation)
    except OSError as error:
        why = f"no answer within {SECONDS:g} seconds" if isinstance(error, TimeoutError) else cause_of(error)
        raise StoreError(
            Reason.STORAGE_DOWN, f"the public signatures ({target.root}) cannot be reached: {why}", HINT
        ) from None
