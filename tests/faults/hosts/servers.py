"""The servers that the hosts share, on a host of their own: the queue, and a bucket at Ceph's gateway."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.hosts.network import Namespace
from tests.support.ceph import ACCESS_KEY, SECRET_KEY, Ceph
from tests.support.queue_servers import PASSWORD, SERVERS, QueueServer

BUCKET, QUEUE_PORT = "signatures", 9001
PUT = re.compile(rf'"PUT /{BUCKET}/sigs/(\w+)\.sig HTTP/1\.\d" 200 ')
"""A signature that was put into the bucket, in the gateway's log; 412 if there was one already."""


class Servers:
    """A queue and a bucket.  A context manager that starts and kills the servers."""

    def __init__(self, root: Path, kind: str, host: Namespace) -> None:
        self.queue: QueueServer = SERVERS[kind](root / "queue", QUEUE_PORT, host.address, host.enter)
        self._ceph = Ceph(root / "ceph", host.address, host.enter)

    @property
    def env(self) -> dict[str, str]:
        """The settings with which wort uses them."""
        return {
            "WORT_QUEUE": self.queue.url,
            "WORT_QUEUE_PASSWORD": PASSWORD,
            "WORT_S3_BUCKET": BUCKET,
            "WORT_S3_ENDPOINT": self._ceph.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def __enter__(self) -> Servers:
        self._ceph.__enter__()
        try:
            self.queue.__enter__()
        except BaseException:
            self._ceph.__exit__()
            raise
        self._client.create_bucket(Bucket=BUCKET)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.queue.__exit__()
        finally:
            self._ceph.__exit__()

    @property
    def _client(self) -> Any:
        return self._ceph.client()

    def objects(self) -> dict[str, bytes]:
        """Return the signatures in the bucket, by run."""
        client, found = self._client, {}
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="sigs/"):
            for item in page.get("Contents", ()):
                body = client.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read()
                found[Path(item["Key"]).stem] = bytes(body)
        return found

    def puts(self) -> Counter[str]:
        """Return how often the signature of each run was put into the bucket, as the gateway has logged it."""
        return count_puts(self._ceph.gateway_log())


def count_puts(log: str) -> Counter[str]:
    """Return how many puts of each run's signature have succeeded."""
    return Counter(PUT.findall(log))
