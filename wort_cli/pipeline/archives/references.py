"""Fetches the reference sequences of aligned archives, as prefetch does, and proves them.

A reference is fetched as a whole, because any part of it may be needed, and compared with the locator's md5, or, where
the locator has none, with its own md5 sums.  One that the user has on disk is proved by its own md5 sums, or by
vdb-validate, as an archive is (prove.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.archives.checksums import ChecksumError, md5_of
from wort_cli.pipeline.archives.column_proof import NotProvable, prove_columns
from wort_cli.pipeline.archives.columns import FASTQ_DUMP
from wort_cli.pipeline.archives.fetch import Fetch
from wort_cli.pipeline.archives.http import HttpClient, HttpError
from wort_cli.pipeline.archives.kar import MAGIC, Extent
from wort_cli.pipeline.archives.locator import ReferenceFile, find_reference
from wort_cli.pipeline.archives.partial import Identity, PartialArchive
from wort_cli.pipeline.archives.politeness import Politeness
from wort_cli.pipeline.archives.reference_store import Reference, ReferenceStore, Sum
from wort_cli.system.cancellation import Cancellation
from wort_cli.system.private_files import make_private

ROUNDS = 2
"""The number of times that a reference is fetched which does not match its md5."""
PERMANENT = frozenset({Reason.NOT_FOUND, Reason.CONTROLLED, Reason.WITHDRAWN})
"""Answers of the locator after which asking again is useless."""
KEPT = frozenset({Reason.RATE_LIMITED, Reason.LOCATOR_REFUSED, Reason.NOT_ASKED})
"""Reasons that are about the locator, not about the reference."""


@dataclass(frozen=True)
class ReferenceFetcher:
    """Fetches references with the settings of a job."""

    client: HttpClient
    politeness: Politeness
    locator_url: str
    """'' to ask no locator."""
    cancellation: Cancellation
    log: Callable[[str], None]
    reserve: Callable[[Path, int], None]
    """Called with the directory into which so many bytes will be fetched; raises JobFailed if the disk is too small."""
    report: Callable[[int, int], None]
    """Called with the bytes that have arrived, and those that are wanted in all."""

    def fetch(self, reference: Reference, store: ReferenceStore) -> None:
        """Fetch a reference into the store; the caller holds its lock.  Raises JobFailed, OSError or Cancelled."""
        try:
            if not reference.has_plain_name:
                raise HttpError(Reason.NOT_FOUND, "it has a name that no server knows")
            if not self.locator_url:
                raise HttpError(Reason.NOT_ASKED, "the setting `locator_url` is off")
            self._fetch_and_prove(reference, self._locate(reference.name), store)
        except HttpError as error:
            raise missing(reference.name, error) from error

    def _locate(self, name: str) -> ReferenceFile:
        limit = self.politeness.rate_limit(self.locator_url)
        if paused := limit.paused_for():
            detail = f"NCBI's locator asked for fewer requests; {paused:.0f} seconds of the pause are left"
            raise HttpError(Reason.RATE_LIMITED, detail, status=429)
        try:
            return find_reference(self.client, self.locator_url, name, self.cancellation)
        except HttpError as error:
            if error.reason is Reason.RATE_LIMITED:
                self.politeness.note_refusal(self.locator_url, error.retry_after)
            raise

    def _fetch_and_prove(self, reference: Reference, file: ReferenceFile, store: ReferenceStore) -> None:
        directory = store.partial(reference)
        make_private(directory)
        self.reserve(directory, file.size)
        identity = Identity(file.size, file.md5, file.modified)
        partial = PartialArchive(directory / "archive.sra", identity, store.key)
        whole, arrived = Extent(0, file.size), 0

        def count(size: int) -> None:
            nonlocal arrived
            arrived += size
            self.report(arrived, file.size)

        try:
            for _ in range(ROUNDS):
                Fetch(self.client, file.locations, partial, self.politeness, self.cancellation, count).fetch([whole])
                md5 = md5_of(partial.read(whole), self.cancellation)
                if md5 == file.md5 or (not file.md5 and self._matches_its_sums(partial)):
                    break
                self.log(f"{reference.name} does not match its md5; fetching it again")
                partial.forget(whole)
            else:
                raise HttpError(Reason.CORRUPT, "the fetched file does not match its md5")
            if b"".join(partial.read(Extent(0, min(len(MAGIC), file.size)))) != MAGIC:
                raise HttpError(Reason.NO_DATA, "the file that the locator names is not an SRA archive")
        finally:
            partial.close()
        store.add(reference, partial.path, Sum(md5, file.size))
        self.log(f"fetched {reference.name}, a reference of the run: {file.size:,} bytes, md5 {md5}")

    def _matches_its_sums(self, partial: PartialArchive) -> bool:
        """Return whether an archive matches its own sums.  Raises HttpError if it has none that prove it."""
        try:
            prove_columns(partial.identity.size, partial.read, FASTQ_DUMP, self.cancellation)
        except NotProvable as why:
            raise HttpError(Reason.NO_DATA, f"nothing proves it: the locator has no md5, and {why}") from why
        except ChecksumError:
            return False
        return True


def missing(name: str, error: HttpError) -> JobFailed:
    """Return the failure of a job whose reference cannot be fetched."""
    reason = error.reason if error.reason in KEPT else Reason.REFERENCE_MISSING
    detail = f"{name[:80]!a}, a reference of the run: {error.detail}"
    return JobFailed(reason, detail, lasting=error.reason in PERMANENT)
