"""The shared store: signatures of runs in a bucket, where others read them, each with its provenance.

    sigs/SRR139146.sig                   Content-Encoding gzip, Content-Type application/json
    prov/SRR139146.json
    sigs/GCA_000005845.2.sig             the same of an assembly
    replaced/SRR139146/DIGEST.sig        and .json: what --force replaced, and what was not a signature of the run
    profiles/NAME/                       the same, of another profile than `sra-v1`

Nothing that the bucket says is believed.  What is under a signature's key is read and checked before it is used.

No object is overwritten unseen: a put creates a new object, or replaces exactly the object that was read and copied to
replaced/.  If the outcome of a put is unknown (its response was lost, or a precondition failed), the object in the
bucket is read and compared: the same digest is a success, another is a conflict.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO

from wort_cli.errors import shown
from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.provenance import Provenance, Trust
from wort_cli.reading.documents import MAX_DOCUMENT, read_provenance
from wort_cli.reading.facts import SignatureFacts
from wort_cli.reading.limits import ReadLimits
from wort_cli.reading.refusal import LimitExceeded, Refusal
from wort_cli.reading.signatures import read_facts
from wort_cli.stores.bucket_layout import (
    Checksums,
    conflict_error,
    headers_of,
    minimal_provenance,
    provenance_key,
    signature_key,
)
from wort_cli.stores.object_store import (
    Headers,
    ObjectStore,
    ObjectTooLarge,
    PreconditionFailed,
    StoredObject,
    StoreError,
)
from wort_cli.stores.recorded import sha256_of

PUT_TRIES = 3
"""Tries of a put while other processes change the object."""


ANY_LIMITS = ReadLimits()


class Replacing(StrEnum):
    """The objects that an upload may replace.  A replaced object is copied to replaced/ first."""

    NOTHING = "nothing"
    GARBAGE = "garbage"
    """Replace only objects that are not a signature of the run."""
    ANYTHING = "anything"


class Outcome(StrEnum):
    """The result of `publish`."""

    PUT = "put"
    ALREADY_THERE = "already there"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Sent:
    """A signature that is being published."""

    file: Path
    checksums: Checksums
    provenance: Provenance
    name: Accession
    trust: Trust


@dataclass(frozen=True)
class FoundSignature:
    """The object under a signature's key, as it was read."""

    stored: StoredObject
    sha256: str
    """The sha256 of its bytes."""
    facts: SignatureFacts | None
    """None if it is not a signature of that run."""
    why: str = ""
    """Why it is not."""
    limited: bool = False
    """Whether it may be one, but is too large to be read."""


class SharedStore:
    """The signatures of a profile, and their provenance, in an object store, whose prefix is that of the profile.

    Whatever it contains is read within `limits`; large objects pass through unnamed files in the directory `scratch`.
    """

    def __init__(
        self,
        objects: ObjectStore,
        limits: ReadLimits = ANY_LIMITS,
        scratch: Path | None = None,
        profile: Profile = SRA_V1,
    ) -> None:
        self.objects = objects
        self.profile = profile
        self.limits = limits
        self._scratch = scratch

    @property
    def root(self) -> str:
        """The address of the bucket and the prefix of all keys."""
        return self.objects.target.root

    def url(self, name: Accession) -> str:
        """Return the address of a signature."""
        return self.objects.target.url(signature_key(name))

    # ---- reading

    def find(self, name: Accession) -> StoredObject | None:
        """Return the object under a signature's key, which may have any content; None if it does not exist."""
        return self.objects.head(signature_key(name))

    @contextmanager
    def opened(self, name: Accession) -> Iterator[tuple[IO[bytes], FoundSignature] | None]:
        """Yield the bytes under a signature's key, and what they are; None if there is no object, or an empty one."""
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            found = self.fetch(name, file)
            yield None if found is None else (file, found)

    def read(self, name: Accession) -> FoundSignature | None:
        """Return what is under a signature's key; None if there is no object, or an empty one."""
        with self.opened(name) as found:
            return None if found is None else found[1]

    def fetch(self, name: Accession, file: IO[bytes]) -> FoundSignature | None:
        """Write the bytes under a signature's key to an empty file on disk, and return what they are.

        Returns None if there is no object, or an empty one.
        """
        try:
            stored = self.objects.read(signature_key(name), file, self.limits.size)
        except ObjectTooLarge as error:
            return FoundSignature(error.stored, "", None, f"it has {error.stored.size:,} bytes", limited=True)
        if stored is None or stored.size == 0:
            return None
        file.flush()
        sha256 = sha256_of(file)
        try:
            facts = read_facts(file, self.limits, self.profile)
        except Refusal as refusal:
            return FoundSignature(stored, sha256, None, refusal.why, isinstance(refusal, LimitExceeded))
        finally:
            file.seek(0)
        if facts.name != name:
            return FoundSignature(stored, sha256, None, f"its name is {shown(facts.name)}")
        return FoundSignature(stored, sha256, facts)

    def provenance(self, name: Accession) -> Provenance | None:
        """Return the provenance of a run; None if it is missing, invalid, or of another run."""
        if self.objects.target.public:
            return None
        with tempfile.TemporaryFile(dir=self._scratch) as file:
            try:
                if self.objects.read(provenance_key(name), file, MAX_DOCUMENT) is None:
                    return None
                file.seek(0)
                found = read_provenance(file)
            except (ObjectTooLarge, ValueError):
                return None
        return found if found.name == name else None

    def provenance_of(self, name: Accession, facts: SignatureFacts) -> Provenance:
        """Return the provenance of a signature; if the bucket has none that matches it, only what is known."""
        found = self.provenance(name)
        if found is None or (found.digest, found.profile) != (facts.digest, facts.profile):
            return minimal_provenance(name, facts, self.url(name))
        return replace(found, title=facts.title)

    # ---- publishing

    def publish(
        self,
        sealed: Path,
        provenance: Provenance,
        name: Accession,
        trust: Trust = Trust.COMPUTED,
        replacing: Replacing = Replacing.NOTHING,
        refuted: str = "",
        checksums: Checksums | None = None,
    ) -> Outcome:
        """Publish a signature and its provenance, unless the bucket has them; raise StoreError if it fails.

        An empty object is replaced.  What `replacing` permits is replaced and preserved, and so is the signature with
        the digest `refuted`.  If the caller has compared `checksums` of the file, no other content is published.
        """
        mine = checksums or Checksums.of(sealed)
        sent = Sent(sealed, mine, provenance, name, trust)
        for _ in range(PUT_TRIES):
            there = self.find(name)
            try:
                outcome = self._publish_over(there, sent, replacing, refuted)
            except PreconditionFailed:
                continue  # another process changed the object: look again
            self._put_provenance(provenance, name)
            return outcome
        raise StoreError(Reason.STORAGE_DOWN, f"{self.url(name)} keeps changing: other processes write it")

    def publish_new(
        self, sealed: Path, provenance: Provenance, name: Accession, trust: Trust, checksums: Checksums
    ) -> Outcome:
        """Publish a signature that a listing did not show, with two requests if it is still missing.

        If the ETag of the put is the md5 of our content, the store confirms the object; otherwise `publish` checks it.
        """
        try:
            etag = self.objects.put(signature_key(name), sealed, headers_of(provenance, checksums, trust))
        except (PreconditionFailed, StoreError) as error:
            if isinstance(error, StoreError) and not error.outcome_unknown:
                raise
            return self.publish(sealed, provenance, name, trust, checksums=checksums)
        if etag != checksums.md5:
            return self.publish(sealed, provenance, name, trust, checksums=checksums)
        self._put_provenance(provenance, name)
        return Outcome.PUT

    def _publish_over(self, there: StoredObject | None, sent: Sent, replacing: Replacing, refuted: str) -> Outcome:
        """Publish over the object `there`, if allowed; raise PreconditionFailed if the bucket no longer has it."""
        if there is None:
            self._put(sent)
            return Outcome.PUT
        name, provenance, mine = sent.name, sent.provenance, sent.checksums
        if (there.size, there.etag) == (mine.size, mine.md5):
            return Outcome.ALREADY_THERE
        if there.size:
            found = self.read(name)
            if found is None or found.stored.etag != there.etag:
                raise PreconditionFailed
            facts = found.facts
            if facts is not None and facts.digest == provenance.digest:
                return Outcome.ALREADY_THERE
            garbage = facts is None and not found.limited
            allowed = replacing is Replacing.ANYTHING or (garbage and replacing is Replacing.GARBAGE)
            if not allowed and not (facts is not None and facts.digest == refuted):
                raise conflict_error(self.url(name), facts, name, provenance.profile, provenance.digest)
            self._preserve(there, name, facts.digest if facts else hashlib.sha256(there.etag.encode()).hexdigest())
        self._put(sent, there.etag)
        return Outcome.REPLACED

    def _put(self, sent: Sent, replacing: str = "") -> None:
        """Put the signature and confirm it; raise PreconditionFailed if the object must be read again."""
        name, mine = sent.name, sent.checksums
        headers = headers_of(sent.provenance, mine, sent.trust)
        try:
            self.objects.put(signature_key(name), sent.file, headers, replacing=replacing)
        except StoreError as error:
            if error.outcome_unknown and self._has_changed(name, replacing):
                raise PreconditionFailed from error
            raise
        there = self.find(name)
        if there is None or (there.size, there.metadata.get("sha256")) != (mine.size, mine.sha256):
            raise PreconditionFailed

    def _has_changed(self, name: Accession, expected: str) -> bool:
        """Return whether the bucket has another object than the one with the ETag `expected`."""
        there = self.find(name)
        return (there.etag if there else "") != expected

    def _preserve(self, there: StoredObject, name: Accession, digest: str) -> None:
        """Copy a signature that will be replaced, and its provenance, to replaced/."""
        self.objects.copy(there, f"replaced/{name}/{digest}.sig")
        provenance = self.objects.head(provenance_key(name))
        if provenance is not None:
            self.objects.copy(provenance, f"replaced/{name}/{digest}.json")

    def _put_provenance(self, provenance: Provenance, name: Accession) -> None:
        """Put the provenance, unless the bucket has it; one of another digest is a leftover, and is replaced."""
        document = json.dumps(provenance.to_json(), indent=1).encode() + b"\n"
        headers = Headers("application/json", metadata={"digest": provenance.digest})
        replacing = ""
        for _ in range(PUT_TRIES):
            try:
                self.objects.put(provenance_key(name), document, headers, replacing=replacing)
                return
            except PreconditionFailed:
                there = self.objects.head(provenance_key(name))
            if there is not None and self._belongs_to(there, provenance, name):
                return
            replacing = there.etag if there else ""
        raise StoreError(
            Reason.STORAGE_DOWN,
            f"{self.objects.target.url(provenance_key(name))} keeps changing: other processes write it",
        )

    def _belongs_to(self, there: StoredObject, provenance: Provenance, name: Accession) -> bool:
        """Return whether a stored provenance belongs to this signature."""
        if "digest" in there.metadata:
            return there.metadata["digest"] == provenance.digest
        found = self.provenance(name)
        return found is not None and found.digest == provenance.digest
