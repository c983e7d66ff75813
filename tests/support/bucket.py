"""A bucket for one test.  Tests read and write it with plain boto3, independently of wort."""

from __future__ import annotations

import gzip
import itertools
from typing import Any

from tests.support.ceph import ACCESS_KEY, SECRET_KEY, Ceph
from tests.support.homes import Home

NUMBERS = itertools.count(1)


class Bucket:
    """A new, empty bucket on the test server."""

    def __init__(self, ceph: Ceph) -> None:
        self.ceph = ceph
        self.name = f"wort-test-{next(NUMBERS)}"
        self.client: Any = ceph.client()
        self.client.create_bucket(Bucket=self.name)

    def serve(self, home: Home) -> None:
        """Make a home publish to this bucket."""
        home.env |= {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "WORT_S3_BUCKET": self.name,
            "WORT_S3_ENDPOINT": self.ceph.endpoint,
            "WORT_S3_TIMEOUT": "20",
            "WORT_RETRY_DELAY": "1",
        }

    def all_keys(self) -> list[str]:
        """Return all keys in order."""
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def put(self, key: str, content: bytes, **more: Any) -> None:
        """Put an object unconditionally."""
        self.client.put_object(Bucket=self.name, Key=key, Body=content, **more)

    def get(self, key: str) -> bytes:
        """Return the bytes of an object."""
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def head(self, key: str) -> dict[str, Any]:
        """Return the headers of an object."""
        return dict(self.client.head_object(Bucket=self.name, Key=key))

    def signature(self, name: str) -> bytes:
        """Return the JSON of a signature."""
        return gzip.decompress(self.get(f"sigs/{name}.sig"))
