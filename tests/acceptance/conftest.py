"""Fixtures of the acceptance tests."""

from collections.abc import Iterator

import pytest

from tests.support.homes import Home
from tests.support.queue_servers import SERVERS, QueueServer
from tests.support.shelf import Shelf

RUNS = ("SRR000001", "ERR000002", "DRR000003")


@pytest.fixture
def runs(home: Home, shelf: Shelf) -> tuple[str, ...]:
    """Put three runs into the repository."""
    for run, layout in zip(RUNS, ("paired_illumina", "single_illumina", "clipped"), strict=True):
        home.keep(run, shelf.archive(layout))
    return RUNS


@pytest.fixture(scope="module", params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueueServer]:
    """A queue's server of each kind, for all tests of a file; files whose server is another one define that."""
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param) / "server") as running:
        yield running
