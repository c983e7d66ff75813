"""Fixtures of the acceptance tests."""

import pytest

from tests.support.homes import Home
from tests.support.shelf import Shelf

RUNS = ("SRR000001", "ERR000002", "DRR000003")


@pytest.fixture
def runs(home: Home, shelf: Shelf) -> tuple[str, ...]:
    """Put three runs into the repository."""
    for run, layout in zip(RUNS, ("paired_illumina", "single_illumina", "clipped"), strict=True):
        home.keep(run, shelf.archive(layout))
    return RUNS
