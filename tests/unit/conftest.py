"""Fixtures of the unit tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from wort_cli.ledger.ledger import Ledger


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger, made once: migrating one for each test would take most of their time."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    made = Ledger(path)
    made.open()
    made.close()
    return path


@pytest.fixture
def ledger(tmp_path: Path, empty_ledger: Path) -> Iterator[Ledger]:
    """An empty ledger of the test's own."""
    path = tmp_path / "ledger.db"
    shutil.copyfile(empty_ledger, path)
    made = Ledger(path)
    yield made
    made.close()
