"""Fixtures of the integration and acceptance tests: archives made once, and a home for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import Gate, Home, Shelf

# How long an example takes is the machine's affair; a test as a whole has its timeout.
settings.register_profile("wort", deadline=None)
settings.load_profile("wort")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Archives and their reference signatures."""
    return Shelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home, in which nothing is left running and nothing half-done afterwards."""
    made = Home(tmp_path / "h")
    yield made
    made.end()


@pytest.fixture
def gate(home: Home) -> Gate:
    """A decoder that stops in the midst of its stream; run wort with `env=gate.env`."""
    return Gate(home)
