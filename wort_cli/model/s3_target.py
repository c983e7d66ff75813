"""The bucket to which signatures are published, the public one that is only read, and their servers.

A directory that several machines share may take the place of a bucket.

A target contains no secrets, because it is sent through the queue.  The process that connects to the server takes the
credentials from the standard AWS chain: environment, ~/.aws, or the role of the machine.
"""

import os.path
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wort_cli.model.profile import folder_of

ADDRESSING = ("auto", "path", "virtual")
ENCRYPTIONS = ("", "AES256", "aws:kms", "aws:kms:dsse")
ACLS = (
    *("", "private", "public-read", "public-read-write", "authenticated-read"),
    *("aws-exec-read", "bucket-owner-read", "bucket-owner-full-control"),
)
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
DIRECTORY = "file://"
"""The scheme of the URL of a directory that replaces a bucket."""
PREFIX = re.compile(r"([A-Za-z0-9][A-Za-z0-9._=-]*/?)*")
WORT_PUBLIC, OFF = "wort-public", "off"
PUBLIC_URL = "https://s3.bi.denbi.de/wort-sra"
"""The signatures of the public wort service: `sigs/SRR139146.sig`, and `SOURMASH-MANIFEST.parquet`."""
PUBLIC_TIMEOUT = 10.0
"""Seconds without a response, at most, after which a request to the public signatures fails."""


@dataclass(frozen=True)
class S3Target:
    """A bucket, its server, and the prefix of the keys."""

    bucket: str
    """Its name, or the URL of a directory that takes its place."""
    prefix: str = ""
    """The prefix of each key; empty, or ends with a slash."""
    endpoint: str = ""
    """The URL of the server; empty for AWS, or for the value of AWS_ENDPOINT_URL."""
    region: str = ""
    addressing: str = "auto"
    unsigned: bool = False
    """Whether requests are sent without a signature, to read a public bucket."""
    timeout: float = 60.0
    """Seconds without a response after which a request fails."""
    encryption: str = ""
    """The server-side encryption of new objects; empty for the default of the bucket."""
    kms_key: str = ""
    """The key for the encryption `aws:kms`; empty for the default key."""
    acl: str = ""
    """The canned access control list of what is written."""
    requester_pays: bool = False
    """Whether requests say that the requester pays for them."""
    public: bool = False
    """Whether these are the public signatures, which have no provenance and are not listed."""

    @property
    def directory(self) -> Path | None:
        """The directory that takes the place of a bucket; None for a bucket."""
        return Path(self.bucket.removeprefix(DIRECTORY)) if self.bucket.startswith(DIRECTORY) else None

    @property
    def root(self) -> str:
        """The URL of the bucket and prefix, for messages and for the catalog.

        That of the public signatures begins with `http`, so that no bucket of the user has it.
        """
        if self.public:
            return f"{self.endpoint}/{self.bucket}/{self.prefix}"
        return f"{self.bucket if self.directory else f's3://{self.bucket}'}/{self.prefix}"

    def url(self, key: str) -> str:
        """Return the URL of an object."""
        return self.root + key

    def of_profile(self, name: str) -> "S3Target":
        """Return the target with the prefix of a profile's keys."""
        return replace(self, prefix=self.prefix + folder_of(name))

    def to_json(self) -> dict[str, Any]:
        """Return the target as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "S3Target":
        """Return the target from the data of `to_json`.  Raises ValueError if a value is invalid."""
        fields = dict(data)
        for key, check in (("bucket", bucket_or_directory), ("prefix", key_prefix), ("endpoint", endpoint_url)):
            fields[key] = check(data[key])
        return cls(**fields)


FROM_SETTINGS = tuple(item.name for item in fields(S3Target) if item.name != "public")
"""The fields that are settings, with the prefix `s3_`."""


def public_target(preset: str, timeout: float = PUBLIC_TIMEOUT) -> S3Target | None:
    """Return the target of the public signatures; None if they are switched off.

    preset: `wort-public`, `off`, or the URL of a mirror, whose path is the bucket and the prefix

    Raises ValueError for anything else.
    """
    if preset == OFF:
        return None
    url = endpoint_url(PUBLIC_URL if preset == WORT_PUBLIC else preset)
    parts = urlsplit(url)
    bucket, _, prefix = parts.path.strip("/").partition("/")
    if not bucket or parts.port == 0:  # or the port is no number
        raise ValueError(f"it must be {WORT_PUBLIC}, {OFF}, or the URL of a mirror such as {PUBLIC_URL}")
    return S3Target(
        bucket_name(bucket),
        key_prefix(prefix),
        f"{parts.scheme}://{parts.netloc}",
        region="us-east-1",
        addressing="path",
        unsigned=True,
        timeout=min(timeout, PUBLIC_TIMEOUT),
        public=True,
    )


def preset_name(value: Any) -> str:
    """Return `wort-public`, `off` or the URL of a mirror.  Raises ValueError for anything else."""
    if isinstance(value, str) and ("://" in value or value in (WORT_PUBLIC, OFF)):
        public_target(value)
        return value
    raise ValueError(f"it must be {WORT_PUBLIC}, {OFF}, or the URL of a mirror such as {PUBLIC_URL}")


def is_in_bucket(location: str) -> bool:
    """Return whether the location of a signature is in a bucket, or in a directory that takes the place of one."""
    return location.startswith(("s3://", DIRECTORY))


def bucket_name(value: Any) -> str:
    """Return the name of a bucket.  Raises ValueError if it is invalid."""
    if not isinstance(value, str) or (value and not BUCKET.fullmatch(value)):
        raise ValueError("the name of a bucket has 3 to 63 lower-case letters, digits, dots and hyphens")
    return value


def bucket_or_directory(value: Any) -> str:
    """Return the name of a bucket, or the URL of a directory.  Raises ValueError if it is neither."""
    if not isinstance(value, str) or not value.startswith(DIRECTORY):
        return bucket_name(value)
    path = value.removeprefix(DIRECTORY)
    if not path.startswith("/") or not path.isprintable() or os.path.normpath(path) != (path.rstrip("/") or "/"):
        raise ValueError(f"the URL of a directory is {DIRECTORY} and its absolute path, such as file:///shared/wort")
    if path.startswith("//") or not path.rstrip("/"):
        raise ValueError(f"the URL of a directory is {DIRECTORY} and its absolute path, such as file:///shared/wort")
    return value.rstrip("/")


def key_prefix(value: Any) -> str:
    """Return a prefix with a slash at its end, or an empty one.  Raises ValueError if it cannot be part of a key."""
    if not isinstance(value, str) or not PREFIX.fullmatch(value) or len(value) > 500:
        raise ValueError("a prefix consists of letters, digits, '.', '_', '-' and '=', with slashes between its parts")
    return value if not value or value.endswith("/") else f"{value}/"


def endpoint_url(value: Any) -> str:
    """Return the URL of a server.  Raises ValueError if it is invalid or contains a password, which is not repeated."""
    if not isinstance(value, str):
        raise ValueError("it must be a URL such as https://s3.example.org")
    if not value:
        return value
    parts = urlsplit(value)
    if "@" in parts.netloc:
        raise ValueError("it must not contain a user or password: credentials come from the AWS chain (docs/s3.md)")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("it must be a URL such as https://s3.example.org")
    return value.rstrip("/")
