"""Fixtures of the tests of workers on other hosts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.daemon.conftest import Clock
from tests.unit.daemon.remote.scene import NAME, Scene, Sealed
from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings


@pytest.fixture
def scene(ledger: Ledger, settings: Settings, clock: Clock) -> Iterator[Scene]:
    """A coordinator and a worker; the coordinator leaves no unfinished files."""
    yield Scene(ledger, settings, clock)
    assert not list(settings.data_dir.rglob("*.partial"))


@pytest.fixture
def job(scene: Scene) -> int:
    """A job whose order was sent."""
    (number,) = scene.order(NAME)
    return number


@pytest.fixture
def sealed(tmp_path: Path) -> Sealed:
    """A signature of the job's run."""
    return Sealed(tmp_path / "elsewhere")


@pytest.fixture
def statements(scene: Scene) -> list[str]:
    """The statements that SQLite executes for the coordinator from now on."""
    found: list[str] = []
    scene.ledger.storage.connection.set_trace_callback(found.append)
    return found
