"""A bucket in memory, which tests can edit as a hostile publisher does."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from wort_cli.model.s3_target import S3Target
from wort_cli.stores.object_store import Headers, ObjectTooLarge, PreconditionFailed, StoredObject
from wort_cli.stores.s3_errors import response_error


@dataclass
class MemoryStore:
    """An ObjectStore without a server; `contents` and `metadata` by key."""

    target: S3Target = field(default_factory=lambda: S3Target("wort-test"))
    contents: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    """The keys whose content was read."""

    def head(self, key: str) -> StoredObject | None:
        if key not in self.contents:
            return None
        content = self.contents[key]
        return StoredObject(key, len(content), hashlib.md5(content).hexdigest(), self.metadata.get(key, {}))

    def read(self, key: str, file: IO[bytes], most: int) -> StoredObject | None:
        found = self.head(key)
        if found is not None and found.size > most:
            raise ObjectTooLarge(found)
        if found is not None:
            self.reads.append(key)
            file.write(self.contents[key])
        return found

    def put(self, key: str, content: Path | bytes, headers: Headers, *, replacing: str = "") -> str:
        data = content if isinstance(content, bytes) else content.read_bytes()
        if headers.md5 not in ("", hashlib.md5(data).hexdigest()):
            raise response_error("BadDigest", 400, "PutObject", key, self.target)
        before = self.head(key)
        if (before.etag if before else "") != replacing:
            raise PreconditionFailed
        self.edit(key, data, **dict(headers.metadata or {}))
        after = self.head(key)
        assert after is not None
        return after.etag

    def edit(self, key: str, content: bytes, **metadata: str) -> None:
        """Put an object whatever is there."""
        self.contents[key], self.metadata[key] = content, metadata

    def copy(self, source: StoredObject, key: str) -> None:
        now = self.head(source.key)
        if now is None or now.etag != source.etag:
            raise PreconditionFailed
        self.edit(key, self.contents[source.key], **self.metadata.get(source.key, {}))

    def delete(self, key: str) -> None:
        self.contents.pop(key, None)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        for key in sorted(self.contents):
            if key.startswith(prefix) and (found := self.head(key)):
                yield StoredObject(key, found.size, found.etag, {})

    def unfinished_uploads(self, prefix: str) -> Iterator[str]:
        return iter(())

    def credentials_expire_at(self) -> float | None:
        return None

    def presigned_url(self, key: str, seconds: int, filename: str) -> str:
        return f"https://example.org/{key}"

    def server_time(self) -> float:
        """Return the present time."""
        return time.time()
