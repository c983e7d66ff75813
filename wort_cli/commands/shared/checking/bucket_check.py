"""The checks of `wort doctor` for the bucket, or for the directory that takes its place."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wort_cli.commands.shared.checking.finding import Finding
from wort_cli.commands.shared.showing import render
from wort_cli.settings import Settings
from wort_cli.stores.conditional_puts import honours_conditional_puts
from wort_cli.stores.object_store import StoreError
from wort_cli.stores.opening import open_objects

if TYPE_CHECKING:
    from wort_cli.stores.directory import DirectoryStore

SKEW_WARNING = 60
"""Seconds between this machine's clock and the server's, from which to warn."""


def check_bucket(settings: Settings) -> Iterator[Finding]:
    """Check access to the bucket, the server's conditional puts, and the clock difference to the server."""
    if settings.s3 is None:
        yield Finding("ok", "bucket", "not set; signatures stay on this machine")
        from wort_cli.commands.shared.checking.public_check import check_public

        yield check_public(settings)
        return
    if settings.s3.directory is not None:
        from wort_cli.stores.directory import DirectoryStore

        yield from check_directory(DirectoryStore(settings.s3))
        return
    try:
        store = open_objects(settings.s3)
        server_time = store.server_time()
        yield Finding("ok", "bucket", f"{settings.s3.root} can be listed")
        yield clock_finding(server_time)
        if settings.s3_unsigned:
            yield Finding("ok", "bucket", "is only read, without credentials (s3_unsigned)")
            return
        conditional = honours_conditional_puts(store)
    except StoreError as error:
        yield Finding("problem", "bucket", error.sentence, error.hint)
        return
    yield Finding("ok", "bucket", "can be written")
    if conditional:
        yield Finding("ok", "conditional put", "the server does not overwrite existing objects")
    else:
        yield Finding(
            "problem",
            "conditional put",
            "the server overwrites existing objects despite If-None-Match",
            "turn off versioning of the bucket (Ceph), or use a newer server; see docs/s3.md",
        )


def check_directory(store: "DirectoryStore") -> Iterator[Finding]:
    """Check access to a directory that takes the place of a bucket, and its hard links, locks and clock."""
    try:
        next(store.list("sigs/"), None)
        yield Finding("ok", "bucket", f"{store.target.root} can be listed")
        if store.target.unsigned:
            yield Finding("ok", "bucket", "is only read (s3_unsigned)")
            return
        yield clock_finding(store.server_time())
        links, conditional = store.has_hard_links(), honours_conditional_puts(store)
    except StoreError as error:
        yield Finding("problem", "bucket", error.sentence, error.hint)
        return
    yield Finding("ok", "bucket", "can be written")
    if not conditional:
        yield Finding("problem", "conditional put", "locks do not hold", "see docs/clusters.md, The shared directory")
    elif not links:
        yield Finding(
            "warning",
            "conditional put",
            "the file system has no hard links, so that only its locks keep two tasks from writing one file",
            "see docs/clusters.md, The shared directory",
        )
    else:
        yield Finding("ok", "conditional put", "existing files are not overwritten")


def clock_finding(server_time: float | None) -> Finding:
    """Compare the clock of this machine with the server's."""
    if server_time is None:
        return Finding("warning", "clock", "the server does not say its time", "check this machine's clock (NTP)")
    from wort_cli.stores.s3_answers import LARGEST_SKEW

    skew = abs(server_time - time.time())
    return Finding(
        "ok" if skew < SKEW_WARNING else "warning" if skew < LARGEST_SKEW else "problem",
        "clock",
        f"differs from the server's by {render.duration(round(skew))}",
        "" if skew < SKEW_WARNING else "set the clock of this machine (NTP); signatures of requests depend on it",
    )
