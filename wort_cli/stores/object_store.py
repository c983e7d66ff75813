"""The protocol of an object store with conditional puts, its values and its errors.

shared.py stores signatures in an ObjectStore; s3.py implements one on a server, directory.py one in a directory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from wort_cli.errors import ExitCode, WortError
from wort_cli.model.failure import Disposition, Failure, Reason
from wort_cli.model.s3_target import S3Target


@dataclass(frozen=True)
class StoredObject:
    """An object as a response describes it; in a listing the metadata are empty."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """The content's ETag: the md5 for a single put, unless the store encrypts."""
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class Headers:
    """The headers that are stored with an object and sent with its content."""

    content_type: str
    content_encoding: str = ""
    metadata: Mapping[str, str] | None = None
    md5: str = ""
    """The md5 of the content, in hexadecimal; the store refuses other content.  Computed if it is empty."""


class StoreError(WortError):
    """A store cannot be used as requested; `reason` is the reason of a job that fails because of it."""

    def __init__(self, reason: Reason, sentence: str, hint: str = "", *, lasting: bool = False) -> None:
        super().__init__(sentence, hint or reason.hint)
        self.reason = reason
        self.lasting = lasting
        """Whether the same request can never succeed, whatever changes in the store."""
        self.exit_code = ExitCode.TEMPORARY if reason.disposition is Disposition.RETRY else ExitCode.SOME_FAILED

    @property
    def failure(self) -> Failure:
        """Return the failure of a job; the hint is added if the reason does not imply it."""
        hint = "" if self.hint == self.reason.hint else f"; {self.hint}"
        return Failure(self.reason, self.sentence + hint, self.lasting)

    @property
    def outcome_unknown(self) -> bool:
        """Whether the store may have carried out the request although no response confirms it."""
        return self.reason is Reason.STORAGE_DOWN


class PreconditionFailed(Exception):
    """The condition of a put or a copy does not hold: the object changed, is missing, or exists already."""


class ObjectTooLarge(Exception):
    """An object has more bytes than the caller wants to read; nothing was read."""

    def __init__(self, stored: StoredObject) -> None:
        super().__init__(f"{stored.key} has {stored.size} bytes")
        self.stored = stored


class ObjectStore(Protocol):
    """Objects under keys.  Every method raises StoreError if the store cannot be reached or denies access."""

    target: S3Target

    def head(self, key: str) -> StoredObject | None:
        """Return the description of an object; None if it does not exist."""

    def read(self, key: str, file: IO[bytes], most: int) -> StoredObject | None:
        """Write the content of an object to a file; return None, and write nothing, if it does not exist.

        Raises ObjectTooLarge, and reads nothing, if it is announced with more than `most` bytes.
        """

    def read_range(self, key: str, start: int, size: int) -> bytes:
        """Return `size` bytes of an object from `start` on; raise StoreError if the store does not send just these."""

    def put(self, key: str, content: Path | bytes, headers: Headers, *, replacing: str = "") -> str:
        """Put an object that does not exist yet, or replace the one with the ETag `replacing`; return the new ETag.

        Raises PreconditionFailed if the key has another object.
        """

    def copy(self, source: StoredObject, key: str) -> None:
        """Copy an object with its metadata; raise PreconditionFailed if it is no longer `source`."""

    def delete(self, key: str) -> None:
        """Delete an object, if it exists.  Only what unfinished.py keeps for another task is ever deleted."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects with a key prefix, in the order of their keys, without the target's own prefix."""

    def unfinished_uploads(self, prefix: str) -> Iterator[str]:
        """Yield the keys, with a prefix, of multipart uploads that were started and not completed."""

    def credentials_expire_at(self) -> float | None:
        """Return when the credentials end, in seconds since 1970.

        Returns None if they do not end, and 0 if they are temporary and do not say when they end.
        """

    def server_time(self) -> float | None:
        """Return the server's time, in seconds since 1970; None if it does not say it."""

    def presigned_url(self, key: str, seconds: int, filename: str) -> str:
        """Return a presigned URL of an object, valid for so many seconds; it downloads as `filename`."""
