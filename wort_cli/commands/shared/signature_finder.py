"""Where a signature is, for commands that hand one out: in the local store, else in the bucket.

The bucket's code is imported only once the local store and the catalog have no answer.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wort_cli.errors import UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, Name
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore

if TYPE_CHECKING:
    from wort_cli.stores.shared import SharedStore


class Place:
    """The two stores, local first."""

    def __init__(self, settings: Settings, ledger: Ledger, profile: str) -> None:
        self.local = LocalStore(settings.store_dir)
        self._settings = settings
        self._ledger = ledger
        self._profile = profile

    def of(self, name: Name) -> str:
        """The path or address of a signature, by the catalog; empty if it is in neither store.  Asks no server."""
        if self.local.has(name):
            return str(self.local.path(name))
        target, record = self._settings.s3, self._ledger.catalog.get(name, self._profile)
        return record.remote if record and target and record.remote.startswith(target.root) else ""

    @contextmanager
    def opened(self, name: Name) -> Iterator[Path]:
        """The file of a signature, brought here for as long as the context lasts if it is in the bucket only."""
        if self.local.has(name) or not isinstance(name, Accession):
            yield self.local.path(name)
            return
        with self.fetched(name, self.shared()) as path:
            yield path

    @contextmanager
    def fetched(self, name: Accession, shared: "SharedStore") -> Iterator[Path]:
        """The file of a signature that is in the bucket, for as long as the context lasts; UsageError if it is not."""
        with tempfile.TemporaryDirectory(prefix="wort-") as directory:
            path = Path(directory) / f"{name}.sig"
            with path.open("wb") as file:
                there = shared.fetch(name, file)
            if there is None:
                raise UsageError(f"there is no signature of {name} in the bucket")
            yield path

    def shared(self, connections: int = 4) -> "SharedStore":
        """The bucket of the settings; UsageError if there is none."""
        return open_bucket(self._settings, connections)


def open_bucket(settings: Settings, connections: int = 4) -> "SharedStore":
    """The bucket of the settings; UsageError if there is none."""
    if settings.s3 is None:
        raise UsageError("no bucket is set", "set s3_bucket (`wort config show`); docs/s3.md tells how")
    from wort_cli.stores.s3 import S3Store
    from wort_cli.stores.shared import SharedStore

    return SharedStore(S3Store(settings.s3, connections))
