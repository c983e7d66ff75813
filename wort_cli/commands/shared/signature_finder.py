"""Finds the file of a signature, in the local store first, then in the bucket.

The code of the bucket is imported only if the local store does not have the signature, because boto3 starts slowly.
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


class SignatureFinder:
    """Looks signatures of one profile up in the local store and in the bucket."""

    def __init__(self, settings: Settings, ledger: Ledger, profile: str) -> None:
        self.local = LocalStore(settings.store_dir)
        self._settings = settings
        self._ledger = ledger
        self._profile = profile

    def location(self, name: Name) -> str:
        """Return the local path, or the URL that the catalog records; empty for neither.  Sends no request."""
        if self.local.has(name):
            return str(self.local.path(name))
        target, record = self._settings.s3, self._ledger.catalog.get(name, self._profile)
        return record.remote if record and target and record.remote.startswith(target.root) else ""

    @contextmanager
    def open(self, name: Name) -> Iterator[Path]:
        """Yield the file of a signature; one that is only in the bucket is downloaded for the context."""
        if self.local.has(name) or not isinstance(name, Accession):
            yield self.local.path(name)
            return
        with self.download(name, self.open_bucket()) as path:
            yield path

    @contextmanager
    def download(self, name: Accession, bucket: "SharedStore") -> Iterator[Path]:
        """Yield a temporary copy of a signature in the bucket; UsageError if the bucket does not have it."""
        with tempfile.TemporaryDirectory(prefix="wort-") as directory:
            path = Path(directory) / f"{name}.sig"
            with path.open("wb") as file:
                fetched = bucket.fetch(name, file)
            if fetched is None:
                raise UsageError(f"there is no signature of {name} in the bucket")
            yield path

    def open_bucket(self) -> "SharedStore":
        """Return the bucket of the settings; UsageError if none is set."""
        return open_bucket(self._settings)


def open_bucket(settings: Settings, connections: int = 4) -> "SharedStore":
    """Return the bucket of the settings; UsageError if none is set."""
    if settings.s3 is None:
        raise UsageError("no bucket is set", "set `s3_bucket`; docs/s3.md describes how")
    from wort_cli.stores.s3 import S3Store
    from wort_cli.stores.shared import SharedStore

    return SharedStore(S3Store(settings.s3, connections))
