"""Fixtures of the integration and acceptance tests: archives made once, and a home for each test."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.bucket import Bucket
from tests.support.ceph import Ceph
from tests.support.gate import Gate
from tests.support.homes import Home
from tests.support.proxy import Proxy
from tests.support.shelf import Shelf

# How long an example takes is the machine's affair; a test as a whole has its timeout.
settings.register_profile("wort", deadline=None)
settings.load_profile("wort")

# No test asks the public signatures, unless it serves them itself.
os.environ["WORT_S3_PRESET"] = "off"

# The processes that a test starts handle SIGINT, also if a shell has started the tests in the background: it lets them
# ignore the signal, and what a process ignores its children ignore, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Archives and their reference signatures; the processes of a parallel run share them."""
    base = tmp_path_factory.getbasetemp()
    return Shelf((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shelf")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home, in which nothing is left running and nothing half-done afterwards."""
    made = Home(tmp_path / "h")
    yield made
    made.end()


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ceph]:
    """A real S3 server, for all tests that need one."""
    with Ceph(tmp_path_factory.mktemp("ceph")) as server:
        yield server


@pytest.fixture
def bucket(ceph: Ceph, home: Home) -> Bucket:
    """A bucket of this test's own, to which `home` publishes."""
    made = Bucket(ceph)
    made.serve(home)
    return made


@pytest.fixture
def proxy(ceph: Ceph, bucket: Bucket, home: Home) -> Iterator[Proxy]:
    """A proxy between `home` and its bucket."""
    with Proxy(ceph.port).running() as running:
        home.env["WORT_S3_ENDPOINT"] = running.endpoint
        yield running


@pytest.fixture
def gate(home: Home) -> Gate:
    """A decoder that stops halfway through its stream; run wort with `env=gate.env`."""
    return Gate(home)
