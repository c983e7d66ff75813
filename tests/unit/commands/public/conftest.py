"""A home without a bucket, and a server with public signatures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.public_twin import PublicTwin, PublicWorld


@pytest.fixture
def twin() -> Iterator[PublicTwin]:
    """Public signatures of two runs."""
    with PublicTwin().serving() as made:
        made.put("SRR000001", "SRR000002")
        yield made


@pytest.fixture
def home(tmp_path: Path, twin: PublicTwin, monkeypatch: pytest.MonkeyPatch) -> PublicWorld:
    """A home that reads them; the working directory is beside it."""
    made = PublicWorld(tmp_path / "home", twin)
    monkeypatch.chdir(tmp_path)
    return made
