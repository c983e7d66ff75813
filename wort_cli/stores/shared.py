"""The shared store: signatures of runs in a bucket, where others read them, with their provenance beside them.

    sigs/SRR139146.sig                   Content-Encoding gzip, Content-Type application/json
    prov/SRR139146.json
    replaced/SRR139146/DIGEST.sig        and .json: what --force put something else in the place of

What is there is never overwritten unseen: a put is made where nothing is, or in place of the very object that was
looked at and kept under replaced/.  When it is not known whether a put happened (its answer was lost, or says that
something is there), what is there is read and compared: the same digest is a success, another is a conflict.
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
"""How often a put is begun anew because what is there changes meanwhile."""


class Outcome(StrEnum):
    """What publishing did."""

    PUT = "put"
    THERE = "already there"
    REPLACED = "replaced"


class SharedStore:
    """Signatures and their provenance in a store of objects."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects

    @property
    def root(self) -> str:
        """The address below which all keys are."""
        return self.objects.target.root

    @property
    def trust(self) -> Trust:
        """How far to trust a signature with a provenance: as one computed here, but in a bucket that is anybody's."""
        return Trust.UNVERIFIED if self.objects.target.unsigned else Trust.COMPUTED

    def url(self, name: Accession) -> str:
        """The address of a signature."""
        return self.objects.target.url(signature_key(name))

    # ---- what is there

    def find(self, name: Accession) -> StoredObject | None:
        """The object of a signature, which may hold anything; None if there is none."""
        return self.objects.head(signature_key(name))

    def fetch(self, name: Accession, file: IO[bytes]) -> StoredObject | None:
        """Write a signature, as it is kept, to a file; None if there is none."""
        return self.objects.read(signature_key(name), file)

    def identify(self, name: Accession, there: StoredObject) -> SignatureIdentity | None:
        """What an object holds: by its metadata, else by reading it; None if it is not the signature of that name."""
        profile, digest = there.metadata.get("profile", ""), there.metadata.get("digest", "")
        if there.size and profile and SHA256.fullmatch(digest):
            return SignatureIdentity(profile, digest)
        return self.identify_by_content(name, there)

    def identify_by_content(self, name: Accession, there: StoredObject) -> SignatureIdentity | None:
        """What an object holds, by reading all of it; None if it is not the signature of that name."""
        if there.size == 0:
            return None
        with tempfile.TemporaryDirectory(prefix="wort-") as directory:
            path = Path(directory) / "signature"
            with path.open("wb") as file:
                if self.fetch(name, file) is None:
                    return None
            return identify_file(path, name)

    def provenance(self, name: Accession) -> Provenance | None:
        """How a signature came to be; None if there is no such document, or one of another shape."""
        with tempfile.TemporaryFile() as file:
            if self.objects.read(provenance_key(name), file) is None:
                return None
            file.seek(0)
            try:
                return Provenance.from_json(json.load(file))
            except (ValueError, KeyError, TypeError, AttributeError):
                return None

    def provenance_and_trust(self, name: Accession, identity: SignatureIdentity) -> tuple[Provenance, Trust]:
        """How a signature that is there came to be, and how far to trust it: not at all without a provenance."""
        made = self.provenance(name)
        if made is None or (made.digest, made.profile) != (identity.digest, identity.profile):
            return minimal_provenance(name, identity, self.url(name)), Trust.UNVERIFIED
        return made, self.trust

    # ---- publishing

    def publish(self, sealed: Path, provenance: Provenance, name: Accession, *, replace: bool = False) -> Outcome:
        """See that the signature stands in the bucket, and its provenance; StoreError says why it does not.

        What is there and empty is replaced, for it is nothing; anything else only with `replace`, and is kept.
        """
        mine = Checksums.of(sealed)
        for _ in range(PUT_TRIES):
            there = self.find(name)
            try:
                outcome = self._publish_over(there, sealed, mine, provenance, name, replace=replace)
            except PreconditionFailed:
                continue  # somebody else was here just now: look again
            self._put_provenance(provenance, name)
            return outcome
        raise StoreError(Reason.STORAGE_DOWN, f"{self.url(name)} is changed by others all the time")

    def publish_new(self, sealed: Path, provenance: Provenance, name: Accession) -> Outcome:
        """Like `publish`, where a listing has just shown nothing: two requests, if so it still is.

        An etag that is the md5 of our content is the store's own word that it stands there.
        """
        mine = Checksums.of(sealed)
        try:
            etag = self.objects.put(signature_key(name), sealed, headers_of(provenance, mine))
        except (PreconditionFailed, StoreError) as unsure:
            if isinstance(unsure, StoreError) and not unsure.outcome_unknown:
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
        """Publish over what is `there`, if it may be; PreconditionFailed if that is no longer there."""
        if there is None:
            self._put(sealed, mine, provenance, name)
            return Outcome.PUT
        if there.size:
            identity = self._identify_existing(there, mine, provenance, name)
            digest = identity.digest if identity else there.etag
            if digest == provenance.digest:
                return Outcome.THERE
            if not replace:
                raise conflict_error(self.url(name), identity, name, provenance.profile, provenance.digest)
            self._preserve(there, name, digest)
        self._put(sealed, mine, provenance, name, replacing=there.etag)
        return Outcome.REPLACED

    def _identify_existing(
        self, there: StoredObject, mine: "Checksums", provenance: Provenance, name: Accession
    ) -> SignatureIdentity | None:
        """What is there, by reading it, unless its etag is the md5 of our content."""
        if (there.size, there.etag) == (mine.size, mine.md5):
            return SignatureIdentity(provenance.profile, provenance.digest)
        return self.identify_by_content(name, there)

    def _put(
        self, sealed: Path, mine: "Checksums", provenance: Provenance, name: Accession, replacing: str = ""
    ) -> None:
        """Put the signature and confirm that it stands there; PreconditionFailed if what is there is not known now."""
        try:
            self.objects.put(signature_key(name), sealed, headers_of(provenance, mine), replacing=replacing)
        except StoreError as trouble:
            if trouble.outcome_unknown and self._has_changed(name, replacing):
                raise PreconditionFailed from trouble
            raise
        there = self.find(name)
        if there is None or (there.size, there.metadata.get("sha256")) != (mine.size, mine.sha256):
            raise PreconditionFailed

    def _has_changed(self, name: Accession, expected: str) -> bool:
        """Whether something else is there than what a put was to replace."""
        there = self.find(name)
        return (there.etag if there else "") != expected

    def _preserve(self, there: StoredObject, name: Accession, digest: str) -> None:
        """Keep what is about to be replaced, with its provenance."""
        self.objects.copy(there, f"replaced/{name}/{digest}.sig")
        beside = self.objects.head(provenance_key(name))
        if beside is not None:
            self.objects.copy(beside, f"replaced/{name}/{digest}.json")

    def _put_provenance(self, provenance: Provenance, name: Accession) -> None:
        """See that the document of this signature is beside it; that of another digest is left over, and replaced."""
        document = json.dumps(provenance.to_json(), indent=1).encode() + b"\n"
        headers = Headers("application/json", metadata={"digest": provenance.digest})
        replacing = ""
        for _ in range(PUT_TRIES):
            try:
                self.objects.put(provenance_key(name), document, headers, replacing=replacing)
                return
            except PreconditionFailed:
                there = self.objects.head(provenance_key(name))
            if there is not None and self._is_of(there, provenance, name):
                return
            replacing = there.etag if there else ""
        raise StoreError(Reason.STORAGE_DOWN, f"{self.objects.target.url(provenance_key(name))} changes all the time")

    def _is_of(self, there: StoredObject, provenance: Provenance, name: Accession) -> bool:
        """Whether a provenance document belongs to this signature."""
        if "digest" in there.metadata:
            return there.metadata["digest"] == provenance.digest
        found = self.provenance(name)
        return found is not None and found.digest == provenance.digest
