"""Signatures just below and above the limit of the queue, with and without a bucket, through real servers."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bucket import Bucket
from tests.support.homes import Home
from tests.support.queue_servers import QueueServer
from tests.support.shelf import Shelf
from tests.support.worker_hosts import Cluster
from wort_cli.pipeline.portable_spec import MAX_CONTENT

RUN = "SRR1000001"
PROFILES = "[profiles.small]\nk = 31\nscaled = 3\nabund = true\n[profiles.large]\nk = 31\nscaled = 2\nabund = true\n"
"""Profiles whose signatures of the run have 6.1 and 9.2 MB."""


@pytest.fixture
def cluster(home: Home, server: QueueServer, tmp_path: Path, shelf: Shelf) -> Iterator[Cluster]:
    """A coordinator that has the profiles, and a worker that has the run."""
    made = Cluster(home, server, tmp_path)
    home.path.mkdir(mode=0o700)
    (home.path / "config.toml").write_text(PROFILES, encoding="ascii")
    made.add().home.keep(RUN, shelf.large(20_000))
    yield made
    made.end()


def size_of(path: Path) -> int:
    assert gzip.decompress(path.read_bytes()).startswith(b"[")
    return path.stat().st_size


def test_signature_above_the_limit_fails_and_one_below_arrives(cluster: Cluster) -> None:
    home = cluster.home
    cluster.start()
    home("compute", RUN, "--profile", "small", "--profile", "large", "--wait").expect(1)
    found = {job.state: job for job in home.jobs()}
    assert (found["failed"].reason, set(found)) == ("queue-limit", {"done", "failed"})
    assert "the queue carries signatures of at most 8,000,000 bytes" in found["failed"].message
    (stored,) = home.path.glob("signatures/profiles/*/sigs/*/*.sig")
    assert "small" in stored.parts and MAX_CONTENT * 0.7 < size_of(stored) <= MAX_CONTENT


@pytest.mark.parametrize("server", ["redis"], indirect=True)  # the signature does not touch the queue
def test_signature_above_the_limit_arrives_through_the_bucket(bucket: Bucket, cluster: Cluster) -> None:
    cluster.start()
    cluster.home("compute", RUN, "--profile", "large", "--wait").expect(0)
    key = f"profiles/large/sigs/{RUN}.sig"
    assert bucket.head(key)["ContentLength"] > MAX_CONTENT
