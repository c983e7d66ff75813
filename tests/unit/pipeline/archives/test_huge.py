"""An archive of 300 GB is planned, fetched in part and continued with little memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.huge_archive import RUN, SIZES
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.partial import Identity, PartialArchive

ROOT = Path(__file__).parents[4]
MAX_MEMORY = 300_000_000
"""Bytes, of a process with all that it imports."""
MAX_MAP = 10_000
"""Bytes."""


def fetch(directory: Path, limit: int) -> dict[str, Any]:
    """Fetch in another process until so many bytes have arrived."""
    argv = [sys.executable, "-m", "tests.support.huge_archive", str(directory), str(limit)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def arrived(directory: Path) -> list[Extent]:
    """Return what the map says has arrived."""
    document = json.loads((directory / "archive" / f"{RUN}.map").read_text())
    return [Extent(offset, size) for offset, size in document["arrived"]]


def test_archive_of_300_gb_is_planned_fetched_in_part_and_continued(tmp_path: Path) -> None:
    first = fetch(tmp_path, 30_000_000)
    assert first["size"] > sum(SIZES.values())
    assert abs(max(first["reserved"]) - SIZES["READ"]) < 1_000_000
    assert first["peak"] < MAX_MEMORY
    kept = arrived(tmp_path)
    assert sum(extent.size for extent in kept) > 30_000_000
    second = fetch(tmp_path, 30_000_000)
    assert second["peak"] < MAX_MEMORY
    for start, end in second["ranges"]:
        assert all(end <= extent.offset or start >= extent.end for extent in kept)
    assert sum(extent.size for extent in arrived(tmp_path)) > 60_000_000
    found = (tmp_path / "archive" / f"{RUN}.sra").stat()
    assert found.st_size == first["size"]
    assert found.st_blocks * 512 < 400_000_000
    assert (tmp_path / "archive" / f"{RUN}.map").stat().st_size < MAX_MAP


def test_map_stays_small_while_connections_fill_an_archive(tmp_path: Path) -> None:
    """Eight connections, each at a place of its own, as in a fetch of any size."""
    partial = PartialArchive(tmp_path / "x.sra", Identity(300_000_000_000, "0" * 32))
    largest = 0
    for step in range(200):
        for front in range(8):
            for piece in range(5):
                partial.write(front * 30_000_000_000 + 5 * step + piece, b"x", named=True)
        if step % 20 == 0:
            partial.save()
            largest = max(largest, (tmp_path / "x.map").stat().st_size)
    assert partial.arrived_bytes() == 8000
    partial.close()
    assert max(largest, (tmp_path / "x.map").stat().st_size) < MAX_MAP
