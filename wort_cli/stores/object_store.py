"""What a store of objects is, whoever serves it: objects under keys, put only where they replace nothing unseen.

`shared.py` keeps signatures in such a store and knows no boto3; `s3.py` is one.
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
    """An object as its store tells of it; a listing tells no metadata."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """Of its content; the md5 of what was put in one piece, unless the store encrypts."""
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class Headers:
    """What is kept with an object and sent to whoever reads it."""

    content_type: str
    content_encoding: str = ""
    metadata: Mapping[str, str] | None = None


class StoreError(WortError):
    """A store that can't be used as it was meant to; `reason` is what a job that meets it gets."""

    def __init__(self, reason: Reason, sentence: str, hint: str = "") -> None:
        super().__init__(sentence, hint or reason.hint)
        self.reason = reason
        self.exit_code = ExitCode.TEMPORARY if reason.disposition is Disposition.RETRY else ExitCode.SOME_FAILED

    @property
    def failure(self) -> Failure:
        """What a job stores of it."""
        more = "" if self.hint == self.reason.hint else f"; {self.hint}"
        return Failure(self.reason, self.sentence + more)

    @property
    def outcome_unknown(self) -> bool:
        """Whether the store may have done what it was asked, only that we have not heard of it."""
        return self.reason is Reason.STORAGE_DOWN


class PreconditionFailed(Exception):
    """The store found, in the moment of a put, another object there than the one that was to be replaced, or none."""


class ObjectStore(Protocol):
    """Objects under keys; every call raises StoreError if the store can't be reached or forbids it."""

    target: S3Target

    def head(self, key: str) -> StoredObject | None:
        """What is known of an object; None if there is none."""

    def read(self, key: str, file: IO[bytes]) -> StoredObject | None:
        """Write the content of an object to a file, from its start; None, and nothing written, if there is none."""

    def put(self, key: str, content: Path | bytes, headers: Headers, *, replacing: str = "") -> str:
        """Put an object where there is none, or in place of the one with the etag `replacing`; return its etag.

        PreconditionFailed if something else is there.
        """

    def copy(self, source: StoredObject, key: str) -> None:
        """Copy an object, metadata and all; PreconditionFailed if it is no longer as `source` says."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose keys begin so, by their keys, as they come; keys are without the target's own prefix."""

    def unfinished_uploads(self, prefix: str) -> Iterator[str]:
        """The keys, beginning so, of uploads in parts that were begun and not ended."""

    def url(self, key: str, seconds: int, filename: str) -> str:
        """An address by which anybody can read an object for so long, as a file of that name."""
