"""Keeps the tables of a bucket up to date, for `wort sync`."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from wort_cli.commands.shared.showing import render
from wort_cli.errors import WortError
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings

if TYPE_CHECKING:
    from wort_cli.stores.shared import SharedStore
    from wort_cli.upkeep.bucket_tables.keep import BucketTables

BATCH = 500
"""Rows that one transaction writes."""


class RemotePlaces:
    """Records in the ledger, some at a time, which signatures are in the bucket."""

    def __init__(self, ledger: Ledger, profile: str) -> None:
        self._ledger = ledger
        self._profile = profile
        self._places: list[tuple[str, str]] = []
        self.new = 0
        """Signatures that were recorded, and not known to be there before."""

    def add(self, name: str, url: str) -> None:
        """Note that a signature is in the bucket."""
        self._places.append((str(name), url))
        if len(self._places) >= BATCH:
            self.record()

    def record(self) -> None:
        """Record what was noted."""
        self.new += self._ledger.catalog.note_remote(self._profile, self._places)
        self._places = []


def tell_tables(
    do: "Callable[[BucketTables], Iterator[str]]", ledger: Ledger, bucket: "SharedStore", settings: Settings
) -> None:
    """Write or read the tables of a bucket, and say on stderr what is remarkable.

    They only tell what is there, so that a failure does not fail the command.
    """
    from wort_cli.upkeep.bucket_tables.keep import BucketTables

    tables = BucketTables(ledger, bucket.objects, bucket.profile.name, settings.cache_dir)
    try:
        for sentence in do(tables):
            render.notice(render.printable(sentence))
    except WortError as error:
        render.notice(render.printable(f"the tables in the bucket are not up to date: {error.sentence}"))
