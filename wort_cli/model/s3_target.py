"""Which bucket signatures are published to, and how it is reached.  A value: it crosses the queue, and has no secrets.

Credentials come from the standard AWS chain alone (environment, ~/.aws, the role of a machine), in the environment of
the process that uses them.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

ADDRESSING = ("auto", "path", "virtual")
BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"([A-Za-z0-9][A-Za-z0-9._=-]*/?)*")


@dataclass(frozen=True)
class S3Target:
    """A bucket, the prefix of our keys in it, and the server that has it."""

    bucket: str
    prefix: str = ""
    """Before each of our keys; empty, or it ends with a slash."""
    endpoint: str = ""
    """Of the server; empty for AWS, or for what AWS_ENDPOINT_URL says."""
    region: str = ""
    addressing: str = "auto"
    unsigned: bool = False
    """Requests are not signed: for reading public buckets."""
    timeout: float = 60.0
    """Seconds without an answer after which a request is given up."""

    @property
    def root(self) -> str:
        """The address below which our keys are, for people and for the catalog."""
        return f"s3://{self.bucket}/{self.prefix}"

    def url(self, key: str) -> str:
        """The address of an object."""
        return self.root + key

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "S3Target":
        """The inverse of `to_json`; everything is checked anew."""
        fields = dict(data)
        for key, check in (("bucket", bucket_name), ("prefix", key_prefix), ("endpoint", endpoint_url)):
            fields[key] = check(data[key])
        return cls(**fields)


def bucket_name(value: Any) -> str:
    """A bucket's name; ValueError if it can't be one."""
    if not isinstance(value, str) or (value and not BUCKET.fullmatch(value)):
        raise ValueError("a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens")
    return value


def key_prefix(value: Any) -> str:
    """What goes before each key, with a slash at its end if there is anything; ValueError if it can't be in a key."""
    if not isinstance(value, str) or not PREFIX.fullmatch(value) or len(value) > 500:
        raise ValueError("a prefix is names of letters, digits, '.', '_', '-' and '=', with slashes between")
    return value if not value or value.endswith("/") else f"{value}/"


def endpoint_url(value: Any) -> str:
    """The address of a server; ValueError, which does not repeat it, if it is none or holds a password."""
    if not isinstance(value, str):
        raise ValueError("an address such as https://s3.example.org is needed")
    if not value:
        return value
    parts = urlsplit(value)
    if "@" in parts.netloc:
        raise ValueError("no user or password in the address: credentials come from the AWS chain (docs/s3.md)")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address such as https://s3.example.org is needed")
    return value.rstrip("/")
