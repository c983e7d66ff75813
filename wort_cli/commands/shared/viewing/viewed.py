"""Finds the signature that a word names: a file, one of the store or the bucket, a submission, or a public one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from wort_cli.api.signature_finder import SignatureFinder, open_readable
from wort_cli.commands.shared.arguments.typed_names import typed_name
from wort_cli.errors import ContentMismatch, NoSuchFile, UsageError
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Accession, Name
from wort_cli.model.profile import SRA_V1, Profile, profile_for, profile_option
from wort_cli.model.provenance import SignatureRecord, Trust
from wort_cli.model.submission import Submission
from wort_cli.pipeline.archives.archive_names import stem_of
from wort_cli.settings import Settings

if TYPE_CHECKING:
    from wort_cli.stores.shared import FoundSignature, SharedStore


@dataclass(frozen=True)
class Viewed:
    """A signature that was found, as an open file."""

    file: IO[bytes]
    record: SignatureRecord | Submission | None
    """The record in the ledger or the bucket; None for a file that the user named."""
    location: str
    """The path or URL to show."""
    own: bool = False
    """Whether it is the file that was recorded here, so that it may have any size."""


@contextmanager
def find(word: str, settings: Settings, ledger: Ledger, profile: Profile) -> Iterator[Viewed]:
    """Yield the signature that a word names: a file by its path, else a signature by its name.

    A submission is found by name only if there is no signature of our own; by a prefix of its digest, always.
    """
    if "/" in word or word.endswith((".sig", ".gz", ".json", ".zip")):
        path = Path(word)
        if not path.is_file():
            raise NoSuchFile(path)
        with path.open("rb") as file:
            yield Viewed(file, None, str(path))
        return
    name: Name = typed_name(stem_of(word))
    record = ledger.catalog.get(name, profile.name)
    finder = SignatureFinder(settings, ledger, profile)
    if record is not None and finder.local.has(name):
        with finder.open_local(record) as file:
            yield Viewed(file, record, str(finder.local.path(name)), own=bool(record.sha256))
        return
    if settings.s3 is not None and isinstance(name, Accession):
        bucket = finder.open_bucket()
        with finder.download(name, bucket, record) as found:
            if found is not None:
                yield Viewed(found[0], record or bucket_record(name, bucket, found[1]), bucket.url(name))
                return
    if record is None and (submission := best_submission(name, word, ledger, profile.name)):
        path = settings.store_dir / submission.path
        with path.open("rb") as file:
            check_submitted(file, submission, path)
            yield Viewed(file, submission, str(path))
        return
    not_found = why_not_found(name, record, settings, ledger, profile.name)
    if isinstance(name, Accession) and asks_public(record, settings, profile):
        bucket = open_public_signatures(settings, profile, not_found)
        with finder.download(name, bucket, record) as found:
            if found is not None:
                yield Viewed(found[0], record or bucket_record(name, bucket, found[1]), bucket.url(name))
                return
        raise UsageError(f"{not_found.sentence}, nor a public one ({bucket.root})", not_found.hint)
    raise not_found


def asks_public(record: SignatureRecord | None, settings: Settings, profile: Profile) -> bool:
    """Return whether a signature that this home lacks is looked for among the public ones."""
    public = settings.public
    if settings.s3 is not None or public is None or profile != SRA_V1:
        return False
    return record is None or record.remote.startswith(public.root)


def open_public_signatures(settings: Settings, profile: Profile, not_found: UsageError) -> "SharedStore":
    """Return the public signatures; `not_found` says what is missing here if they cannot be reached."""
    from wort_cli.stores.object_store import StoreError

    try:
        return open_readable(settings, profile)
    except StoreError as error:
        raise StoreError(error.reason, f"{not_found.sentence}; {error.sentence}", error.hint) from None


def check_submitted(file: IO[bytes], submission: Submission, path: Path) -> None:
    """Raise ContentMismatch if the file of a submission has other bytes than were submitted."""
    from wort_cli.stores.recorded import sha256_of

    if sha256_of(file) != submission.sha256:
        raise ContentMismatch(str(path), "submit it again")


def why_not_found(
    name: Name, record: SignatureRecord | None, settings: Settings, ledger: Ledger, profile: str
) -> UsageError:
    """Return the error that explains why a signature was not found."""
    jobs = [job for job in ledger.jobs.named(name) if job.profile == profile_for(name, profile)]
    of_profile = profile_option(profile, settings.profile)
    if record is not None:
        return NoSuchFile(
            settings.store_dir / record.path,
            f"the signature was computed, but its file is missing; `wort compute {name}{of_profile}` computes it again",
        )
    if jobs:
        return UsageError(
            f"there is no signature of {name}: its job {jobs[0].id} is {jobs[0].state}", f"see `wort logs {name}`"
        )
    if claim := ledger.absences.claimed(str(name), profile):
        return UsageError(
            f"there is no signature of {name}: {claim.reason.sentence}, according to {claim.origin}",
            claim.next_step(profile),
        )
    if isinstance(name, Accession):
        return UsageError(f"there is no signature of {name}", f"compute it with `wort compute {name}{of_profile}`")
    if Path(name).exists():
        return UsageError(f"there is no signature of {name}", f"for the file of this name, give its path: ./{name}")
    return UsageError(f"there is no signature of {name}", "`wort ls` lists the signatures")


def bucket_record(name: Accession, bucket: "SharedStore", found: "FoundSignature") -> SignatureRecord | None:
    """Return a record of a signature that only the bucket has, with the provenance in the bucket."""
    from wort_cli.stores.bucket_layout import trust_in

    if found.facts is None:
        return None
    made, trust = bucket.provenance_of(name, found.facts), trust_in(found.stored.metadata)
    return SignatureRecord(
        name, made.profile, made.digest, trust, "", found.stored.size, made.started_at, made, bucket.url(name)
    )


def best_submission(name: Name, digest: str, ledger: Ledger, profile: str) -> Submission | None:
    """Return the most trusted submission of a name and profile, or else the one whose digest starts with `digest`.

    A submission with a mismatch is found by its digest only.
    """
    ranks = (Trust.VERIFIED, Trust.QUICK_CHECKED, Trust.UNVERIFIED, Trust.UNVERIFIABLE)
    named = [
        item
        for item in ledger.submissions.named(name)
        if item.trust in ranks and item.profile == profile_for(name, profile)
    ]
    if named:
        return min(named, key=lambda item: ranks.index(item.trust))
    return next(iter(ledger.submissions.with_digest_prefix(digest)), None)
