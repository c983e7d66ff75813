"""The shared store: signatures of runs in a bucket, where others read them, each with its provenance.

    sigs/SRR139146.sig                   Content-Encoding gzip, Content-Type application/json
    prov/SRR139146.json
    replaced/SRR139146/DIGEST.sig        and .json: signatures that --force replaced

No object is overwritten unseen: a put creates a new object, or replaces exactly the object that was read and copied to
replaced/.  If the outcome of a put is unknown (its response was lost, or a precondition failed), the object in the
bucket is read and compared: the same digest is a success, another is a conflict.
"""

import json
import re
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import IO

from wort_cli.model.accession import Accession
from wort_cli.model.failure import Reason
from wort_cli.model.provenance import Provenance, Trust
from wort_cli.stores.bucket_layout import (
    Checksums,
    SignatureIdentity,
    conflict_error,
    headers_of,
    identify_file,
    minimal_provenance,
    provenance_key,
    signature_key,
)
from wort_cli.stores.object_store import Headers, ObjectStore, PreconditionFailed, StoredObject, StoreError

SHA256 = re.compile(r"[0-9a-f]{64}")
PUT_TRIES = 3
"""Tries of a put while other processes change the object."""


class Outcome(StrEnum):
    """What `publish` did."""

    PUT = "put"
    ALREADY_THERE = "already there"
    REPLACED = "replaced"


class SharedStore:
    """Signatures and their provenance in an object store."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects

    @property
    def root(self) -> str:
        """The address of the bucket and the prefix of all keys."""
        return self.objects.target.root

    @property
    def trust(self) -> Trust:
        """The trust of a signature with provenance: computed, or unverified if the bucket is read unsigned."""
        return Trust.UNVERIFIED if self.objects.target.unsigned else Trust.COMPUTED

    def url(self, name: Accession) -> str:
        """Return the address of a signature."""
        return self.objects.target.url(signature_key(name))

    # ---- reading

    def find(self, name: Accession) -> StoredObject | None:
        """Return the object under a signature's key, which may have any content; None if it does not exist."""
        return self.objects.head(signature_key(name))

    def fetch(self, name: Accession, file: IO[bytes]) -> StoredObject | None:
        """Write the stored bytes of a signature to a file; return None if it does not exist."""
        return self.objects.read(signature_key(name), file)

    def identify(self, name: Accession, there: StoredObject) -> SignatureIdentity | None:
        """Return an object's identity from its metadata, or by reading it; None if it is not that run's signature."""
        profile, digest = there.metadata.get("profile", ""), there.metadata.get("digest", "")
        if there.size and profile and SHA256.fullmatch(digest):
            return SignatureIdentity(profile, digest)
        return self.identify_by_content(name, there)

    def identify_by_content(self, name: Accession, there: StoredObject) -> SignatureIdentity | None:
        """Return an object's identity by reading it; None if it is not that run's signature."""
        if there.size == 0:
            return None
        with tempfile.TemporaryDirectory(prefix="wort-") as directory:
            path = Path(directory) / "signature"
            with path.open("wb") as file:
                if self.fetch(name, file) is None:
                    return None
            return identify_file(path, name)

    def provenance(self, name: Accession) -> Provenance | None:
        """Return the provenance of a signature; None if it is missing or invalid."""
        with tempfile.TemporaryFile() as file:
            if self.objects.read(provenance_key(name), file) is None:
                return None
            file.seek(0)
            try:
                return Provenance.from_json(json.load(file))
            except (ValueError, KeyError, TypeError, AttributeError):
                return None

    def provenance_and_trust(self, name: Accession, identity: SignatureIdentity) -> tuple[Provenance, Trust]:
        """Return the provenance and the trust of a signature; without a matching provenance it is unverified."""
        provenance = self.provenance(name)
        if provenance is None or (provenance.digest, provenance.profile) != (identity.digest, identity.profile):
            return minimal_provenance(name, identity, self.url(name)), Trust.UNVERIFIED
        return provenance, self.trust

    # ---- publishing

    def publish(self, sealed: Path, provenance: Provenance, name: Accession, *, replace: bool = False) -> Outcome:
        """Publish a signature and its provenance, unless the bucket has them; raise StoreError if it fails.

        An empty object is replaced.  Another signature is replaced only with `replace`, and then preserved.
        """
        mine = Checksums.of(sealed)
        for _ in range(PUT_TRIES):
            there = self.find(name)
            try:
                outcome = self._publish_over(there, sealed, mine, provenance, name, replace=replace)
            except PreconditionFailed:
                continue  # another process changed the object: look again
            self._put_provenance(provenance, name)
            return outcome
        raise StoreError(Reason.STORAGE_DOWN, f"{self.url(name)} keeps changing: other processes write it")

    def publish_new(self, sealed: Path, provenance: Provenance, name: Accession) -> Outcome:
        """Publish a signature that a listing did not show, with two requests if it is still missing.

        If the ETag of the put is the md5 of our content, the store confirms the object; otherwise `publish` checks it.
        """
        mine = Checksums.of(sealed)
        try:
            etag = self.objects.put(signature_key(name), sealed, headers_of(provenance, mine))
        except (PreconditionFailed, StoreError) as error:
            if isinstance(error, StoreError) and not error.outcome_unknown:
                raise
            return self.publish(sealed, provenance, name)
        if etag != mine.md5:
            return self.publish(sealed, provenance, name)
        self._put_provenance(provenance, name)
        return Outcome.PUT

    def _publish_over(
        self,
        there: StoredObject | None,
        sealed: Path,
        mine: "Checksums",
        provenance: Provenance,
        name: Accession,
        *,
        replace: bool,
    ) -> Outcome:
        """Publish over the object `there`, if allowed; raise PreconditionFailed if the bucket no longer has it."""
        if there is None:
            self._put(sealed, mine, provenance, name)
            return Outcome.PUT
        if there.size:
            identity = self._identify_existing(there, mine, provenance, name)
            digest = identity.digest if identity else there.etag
            if digest == provenance.digest:
                return Outcome.ALREADY_THERE
            if not replace:
                raise conflict_error(self.url(name), identity, name, provenance.profile, provenance.digest)
            self._preserve(there, name, digest)
        self._put(sealed, mine, provenance, name, replacing=there.etag)
        return Outcome.REPLACED

    def _identify_existing(
        self, there: StoredObject, mine: "Checksums", provenance: Provenance, name: Accession
    ) -> SignatureIdentity | None:
        """Return the identity of an object, which is read unless its ETag is the md5 of our content."""
        if (there.size, there.etag) == (mine.size, mine.md5):
            return SignatureIdentity(provenance.profile, provenance.digest)
        return self.identify_by_content(name, there)

    def _put(
        self, sealed: Path, mine: "Checksums", provenance: Provenance, name: Accession, replacing: str = ""
    ) -> None:
        """Put the signature and confirm it; raise PreconditionFailed if the object must be read again."""
        try:
            self.objects.put(signature_key(name), sealed, headers_of(provenance, mine), replacing=replacing)
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
