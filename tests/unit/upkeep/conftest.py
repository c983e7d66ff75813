"""Fixtures of the upkeep tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from wort_cli.ledger.ledger import Ledger
from wort_cli.settings import Settings, load_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of an empty home."""
    made = load_settings({"WORT_HOME": str(tmp_path)})
    made.make_directories()
    return made


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    """The ledger of that home."""
    made = Ledger(settings.ledger_file)
    yield made
    made.close()
