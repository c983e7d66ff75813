"""Opens signatures: from the local store first, then from the bucket.  Each is compared with the catalog before use.

The code of the bucket is imported only if the local store does not have the signature, because boto3 starts slowly.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from wort_cli.errors import ContentMismatch, NotASignature, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, Name
from wort_cli.model.profile import Profile, listed_with, profile_option
from wort_cli.model.provenance import Provenance, SignatureRecord
from wort_cli.settings import Settings
from wort_cli.stores.local import LocalStore

if TYPE_CHECKING:
    from wort_cli.stores.shared import FoundSignature, SharedStore


class SignatureFinder:
    """Looks signatures of one profile up in the local store and in the bucket."""

    def __init__(self, settings: Settings, ledger: Ledger, profile: Profile, *others: Profile) -> None:
        self.local = LocalStore(settings.store_dir, profile.name)
        self.profile = profile
        self._others = [SignatureFinder(settings, ledger, other) for other in others]
        self._settings = settings
        self._ledger = ledger
        self._option = profile_option(profile.name, settings.profile)

    def all(self) -> "list[SignatureFinder]":
        """Return this finder, and those of the other profiles."""
        return [self, *self._others]

    def of_profile(self, name: str) -> "SignatureFinder":
        """Return the finder of one of the profiles."""
        return next(one for one in self.all() if name in (one.profile.name, listed_with(one.profile.name)))

    def location(self, name: Name) -> str:
        """Return the local path, or the URL that the catalog records; empty for neither.  Sends no request."""
        if self.local.has(name):
            return str(self.local.path(name))
        return self.published(name)

    def published(self, name: Name) -> str:
        """Return the URL in the bucket of the settings that the catalog records; empty for none.  Sends no request."""
        target, record = self._settings.s3, self._ledger.catalog.get(name, self.profile.name)
        if record and target and record.remote.startswith(target.of_profile(self.profile.name).root):
            return record.remote
        return ""

    def provenance(self, name: Name) -> Provenance | None:
        """Return the provenance that the catalog records for a signature."""
        record = self._ledger.catalog.get(name, self.profile.name)
        return record.provenance if record else None

    @contextmanager
    def open(self, name: Name) -> Iterator[IO[bytes]]:
        """Yield the open file of a signature; one that is only in the bucket is downloaded for the context.

        Raises ContentMismatch if it is not the signature that the catalog records.
        """
        record = self._ledger.catalog.get(name, self.profile.name)
        if record is None:
            raise UsageError(
                f"the catalog has no signature of {name}", f"compute it with `wort compute {name}{self._option}`"
            )
        if self.local.has(name) or not isinstance(name, Accession):
            with self.open_local(record) as file:
                yield file
            return
        with self.download(name, self.open_bucket(), record) as found:
            if found is None:
                raise UsageError(f"there is no signature of {name} in the bucket")
            yield found[0]

    @contextmanager
    def open_local(self, record: SignatureRecord) -> Iterator[IO[bytes]]:
        """Yield the open file of a record in the local store; raise ContentMismatch if it has other bytes."""
        from wort_cli.reading.limits import ReadLimits
        from wort_cli.stores.recorded import is_recorded_file

        path = self.local.path(record.name)
        with path.open("rb") as file:
            if not is_recorded_file(file, record.name, record.recorded, ReadLimits.of(self._settings)):
                raise ContentMismatch(
                    str(path), "`wort doctor --repair` moves the file away and has the signature computed again"
                )
            yield file

    @contextmanager
    def download(
        self, name: Accession, bucket: "SharedStore", record: SignatureRecord | None
    ) -> Iterator["tuple[IO[bytes], FoundSignature] | None"]:
        """Yield the bytes of a signature in the bucket, and what they are; None if the bucket has none.

        Raises NotASignature, or ContentMismatch if the catalog records another one.
        """
        from wort_cli.stores.recorded import is_recorded_content

        with bucket.opened(name) as found:
            if found is not None:
                content = found[1]
                if content.facts is None:
                    raise NotASignature(bucket.url(name), content.why)
                if record is not None and not is_recorded_content(content.facts, content.sha256, record.recorded):
                    raise ContentMismatch(
                        bucket.url(name), f"`wort compute --force {name}{self._option}` computes the signature"
                    )
            yield found

    def open_bucket(self) -> "SharedStore":
        """Return the bucket of the settings; UsageError if none is set."""
        return open_bucket(self._settings, self.profile)


def open_readable(settings: Settings, profile: Profile, connections: int = 4) -> "SharedStore":
    """Return a profile's part of the bucket of the settings; if none is set, the public signatures.

    Raises UsageError if these are switched off, StoreError if they cannot be reached.
    """
    if settings.s3 is not None or settings.public is None:
        return open_bucket(settings, profile, connections)
    from wort_cli.reading.limits import ReadLimits
    from wort_cli.stores.public import open_public

    return open_public(settings.public, ReadLimits.of(settings), settings.store_dir, profile, connections)


def open_bucket(settings: Settings, profile: Profile, connections: int = 4) -> "SharedStore":
    """Return a profile's part of the bucket of the settings; UsageError if none is set."""
    if settings.s3 is None:
        raise UsageError("no bucket is set", "set `s3_bucket`; docs/s3.md describes how")
    from wort_cli.reading.limits import ReadLimits
    from wort_cli.stores.opening import open_objects
    from wort_cli.stores.shared import SharedStore

    objects = open_objects(settings.s3.of_profile(profile.name), connections)
    return SharedStore(objects, ReadLimits.of(settings), settings.store_dir, profile)
