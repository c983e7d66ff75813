"""Fixtures of the unit tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from wort_cli.ledger.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    made = Ledger(tmp_path / "ledger.db")
    yield made
    made.close()
