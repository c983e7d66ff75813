"""The counts that are read in process are those of the tools, for every layout of archives."""

import re
import time
from pathlib import Path

import pytest

from tests.support.archives import LAYOUTS, dump, with_consensus
from tests.support.references import NAME
from tests.support.shelf import Shelf
from wort_cli.pipeline.archives import counts
from wort_cli.pipeline.archives.counts import Counts, counts_by_sra_stat, read_counts, tables_of
from wort_cli.pipeline.decoding import references_inside
from wort_cli.pipeline.decoding.references_inside import has_all_references
from wort_cli.pipeline.sketching.slice_decoder import CannotDecode
from wort_cli.pipeline.toolkit.tools import ToolGroup
from wort_cli.system.cancellation import NEVER

ASKS_SRA_STAT = frozenset({"aligned"})
"""Layouts whose references sra-stat lists."""
READ = re.compile(rb"^Read (\d+) spots for ", re.MULTILINE)


@pytest.mark.parametrize("layout", [layout.name for layout in LAYOUTS])
def test_counts_are_those_of_sra_stat(layout: str, shelf: Shelf, tmp_path: Path) -> None:
    archive = shelf.archive(layout)
    deadline = time.monotonic() + 60
    with ToolGroup(tmp_path, NEVER, lambda _: None) as tools:
        found = read_counts(str(archive), tools, deadline, on_disk=True)
        assert tools.used == ({"sra-stat"} if layout in ASKS_SRA_STAT else set())
        expected = counts_by_sra_stat(str(archive), tools, deadline, on_disk=True)
    assert (found.spots, found.bases, found.references) == (expected.spots, expected.bases, expected.references)


def test_references_are_left_for_later_if_some_are_inside(shelf: Shelf, tmp_path: Path) -> None:
    archives = {shelf.archive("aligned"): True, shelf.aligned_to_both(): False}
    with ToolGroup(tmp_path, NEVER, lambda _: None) as tools:
        for archive, inside in archives.items():
            found = read_counts(str(archive), tools, time.monotonic() + 60, on_disk=True, lists_later=True)
            assert found.is_unlisted
            assert not found.references
            assert not tools.used
            assert has_all_references(archive) is inside
        outside = read_counts(
            str(shelf.aligned_outside()), tools, time.monotonic() + 60, on_disk=True, lists_later=True
        )
        assert (outside.is_unlisted, [reference.name for reference in outside.references]) == (False, [NAME])
        listed = counts_by_sra_stat(str(shelf.aligned_to_both()), tools, time.monotonic() + 60, on_disk=True)
        assert [reference.name for reference in listed.references] == [NAME]


def test_long_references_are_left_to_sra_stat(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references_inside, "MAX_ROWS", 1)
    assert not has_all_references(shelf.archive("aligned"))


@pytest.mark.parametrize("layout", ["paired_illumina", "one_read"])
def test_archive_without_references_cannot_be_asked(layout: str, shelf: Shelf) -> None:
    with pytest.raises(CannotDecode):
        has_all_references(shelf.archive(layout))


def test_table_that_fastq_dump_dumps_is_counted(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = with_consensus(shelf.archive("long_reads"), shelf.archive("one_read"), tmp_path / "x.sra")
    assert READ.findall(dump(archive).stderr) == [b"1"]
    (tmp_path / "empty").mkdir()
    with ToolGroup(tmp_path / "empty", NEVER, lambda _: None) as tools:
        assert read_counts(str(archive), tools, time.monotonic() + 60, on_disk=True) == Counts(1, 5000)
        assert tools.used == frozenset()
        monkeypatch.setattr(counts, "counts_in", lambda *_: None)
        without_metadata = read_counts(str(archive), tools, time.monotonic() + 60, on_disk=True)
        assert without_metadata.spots == 1
        assert tools.used == {"sra-stat", "vdb-dump"}


def test_damaged_archive_is_left_to_sra_stat(tmp_path: Path) -> None:
    archive = tmp_path / "x.sra"
    assert tables_of(archive) is None
    archive.write_bytes(b"NCBI.sra\n")
    assert tables_of(archive) is None
