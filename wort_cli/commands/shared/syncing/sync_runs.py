"""The runs that `wort sync` is about: those that are named, or all that either store has."""

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from wort_cli.api.signature_finder import open_readable
from wort_cli.commands.shared.arguments.lists import listed_words
from wort_cli.commands.shared.arguments.typed_names import typed_accessions
from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.syncing.sync_report import SyncReport
from wort_cli.errors import UsageError, shown
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession
from wort_cli.model.profile import Profile
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore

if TYPE_CHECKING:
    from wort_cli.stores.run_copies import RunCopies
    from wort_cli.stores.shared import SharedStore

STRAYS_NAMED = 10
"""Files in the store that are not wort's, of which a command names this many."""


def stores_of(profile: Profile, settings: Settings) -> "tuple[LocalStore, SharedStore]":
    """Return the local store of a profile, and its part of the bucket, or the public signatures if none is set.

    Raises UsageError for neither.
    """
    return LocalStore(settings.store_dir, profile.name), open_readable(settings, profile, settings.s3_transfers + 1)


def parse_accessions(words: Sequence[str] | None) -> list[Accession]:
    """Return the accessions that were named, sorted and without duplicates; UsageError if one is invalid."""
    found = [word for _, word in listed_words(words or (), None)]
    if words and not found:
        raise UsageError("no runs were named", "without `-`, all runs are selected")
    return sorted(typed_accessions(found))


def run_copies(names: Sequence[Accession], local: LocalStore, bucket: "SharedStore") -> Iterator["RunCopies"]:
    """Yield what the local store and the bucket have of each named run, or of all runs."""
    from wort_cli.stores.run_copies import all_run_copies, copies_of_runs

    if not names:
        name_strays(local)
    if bucket.objects.target.public:
        return copies_of_runs(names or local.runs(), local, bucket)
    return copies_of_runs(names, local, bucket) if names else all_run_copies(local, bucket)


def runs_in_bucket(bucket: "SharedStore", ledger: Ledger, profile: str) -> Iterator[Accession]:
    """Yield the runs that the bucket lists, and those that the catalog records there, in order."""
    from wort_cli.stores.run_copies import list_runs

    listed = ((name, True) for name, _ in list_runs(bucket, "sigs/", ".sig"))
    recorded = ((name, False) for name in ledger.catalog.remote_names(profile) if isinstance(name, Accession))
    merged = heapq.merge(listed, recorded, key=itemgetter(0))
    for name, places in groupby(merged, key=itemgetter(0)):
        record = None if any(is_listed for _, is_listed in places) else ledger.catalog.get(name, profile)
        if record is None or record.remote.startswith(bucket.root):  # else it is in another bucket
            yield name


def name_strays(local: LocalStore) -> None:
    """Write to stderr what is in the store and is not a file of wort's."""
    for number, stray in enumerate(local.strays()):
        if number == STRAYS_NAMED:
            render.notice("and more: `wort doctor` names all of them")
            break
        render.notice(f"{shown(str(stray), 300)} is not a file of wort's; it is skipped")


def report_missing(names: Sequence[Accession], local: LocalStore, report: SyncReport, option: str) -> None:
    """Report the named runs that have no signature in the local store; `option` names their profile."""
    for name in names:
        if not local.has(name):
            detail = f"the local store has no signature of {name}: `wort compute {name}{option}`"
            report.add(name, "failed", detail, failed=True)


def check_named(names: Sequence[Accession], bucket: "SharedStore") -> None:
    """Raise UsageError if no runs are named, and all public signatures are meant: they are millions."""
    if bucket.objects.target.public and not names:
        raise UsageError(
            f"the public signatures ({bucket.root}) are too many to download all",
            "name runs, or `-` for a list of them; `wort status --missing-from public` lists them",
        )


def check_writable(settings: Settings) -> None:
    """Raise UsageError if the settings do not permit uploads."""
    if settings.s3 is None:
        raise UsageError("no bucket is set to upload to", "set `s3_bucket`; docs/s3.md describes how")
    if settings.s3_unsigned:
        raise UsageError("uploads need credentials", "set s3_unsigned = false")
