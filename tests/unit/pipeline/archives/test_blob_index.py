"""The indexes of a column say where the blobs of its rows are."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.shelf import Shelf
from wort_cli.pipeline.archives.blob_index import ADDED, EQUAL, LISTED, RULED, ColumnIndex, UnknownIndex, read_index
from wort_cli.pipeline.archives.kar import Extent, merge_extents, read_table

MARK = 0x05031988
STARTS, SPANS = (10, 15, 20), (5, 5, 5)
OFFSETS, SIZES = (0, 100, 200), (100, 100, 100)


def index_of(
    rows: int, pages: int, order: str = "<", *, version: int = 3, journal: int = 0, page: int = 1, compressed: int = 0
) -> ColumnIndex:
    """Return the index of three blobs of five rows and 100 bytes, with rows and pages written in some ways."""
    parts = {
        "row header": {EQUAL: struct.pack(f"{order}I", 5), ADDED: struct.pack(f"{order}Q", 10)}.get(rows, b""),
        "page header": {
            EQUAL: struct.pack(f"{order}I", 100),
            ADDED: struct.pack(f"{order}Q", 0),
            RULED: struct.pack(f"{order}QI", 0, 100),
        }.get(pages, b""),
        "row starts": struct.pack(f"{order}3Q", *STARTS) if rows in (LISTED, EQUAL) else b"",
        "page starts": struct.pack(f"{order}3Q", *OFFSETS) if pages in (LISTED, EQUAL) else b"",
        "row sizes": struct.pack(f"{order}3I", *SPANS) if rows in (LISTED, ADDED) else b"",
        "page sizes": struct.pack(f"{order}3I", *SIZES) if pages in (LISTED, ADDED) else b"",
    }
    lists = b"".join(parts.values())
    size = 3 if rows == pages == RULED else len(lists)
    word = size | rows << 27 | pages << 29 | compressed << 31
    block = struct.pack(f"{order}QIIq", 0, word, 15, 10)
    header = struct.pack(f"{order}IIQQIIIB3x", MARK, version, 300, len(lists), journal, 1, page, 1)
    return read_index(header, struct.pack(f"{order}II", MARK, version) + block, lists + b"MD5CNTXT")


WAYS = [(rows, pages) for rows in (LISTED, EQUAL, ADDED, RULED) for pages in (LISTED, EQUAL, ADDED, RULED)]


@pytest.mark.parametrize(("rows", "pages"), WAYS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_blobs_of_rows_are_found_however_they_are_written(rows: int, pages: int, order: str) -> None:
    index = index_of(rows, pages, order)
    assert merge_extents(index.extents(10, 24)) == [Extent(0, 300)]
    assert merge_extents(index.extents(14, 15)) == [Extent(0, 200)]
    assert merge_extents(index.extents(15, 19)) == [Extent(100, 100)]
    assert merge_extents(index.extents(24, 99)) == [Extent(200, 100)]
    assert list(index.extents(1, 9)) == []
    assert list(index.extents(25, 30)) == []
    assert index.has_checksums


@pytest.mark.parametrize(
    "change", [{"version": 2}, {"journal": 1}, {"page": 4096}, {"compressed": 1}], ids=lambda change: next(iter(change))
)
def test_unknown_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UnknownIndex):
        index_of(LISTED, LISTED, **change)


@pytest.mark.parametrize("header", [b"", b"\x88\x19\x03\x05", b"x" * 40, b"\x88\x19\x03\x05" + bytes(36)])
def test_bytes_that_are_no_index_are_refused(header: bytes) -> None:
    with pytest.raises(UnknownIndex):
        read_index(header, header, b"")


def test_any_bytes_are_an_index_or_refused() -> None:
    rng = np.random.default_rng(1)
    good = struct.pack("<IIQQIIIB3x", MARK, 3, 300, 24, 0, 2, 1, 1)
    for _ in range(2000):
        blocks = struct.pack("<II", MARK, 3) + rng.bytes(48)
        try:
            index = read_index(good, blocks, rng.bytes(24))
            found = list(index.extents(-(1 << 62), 1 << 62))
        except UnknownIndex:
            continue
        assert all(extent.offset >= 0 and extent.end <= 300 for extent in found)


@pytest.mark.parametrize("layout", ["paired_illumina", "long_reads", "reads_with_n", "clipped", "aligned"])
def test_blobs_of_all_rows_fill_each_column(layout: str, shelf: Shelf) -> None:
    archive: Path = shelf.archive(layout)
    data = archive.read_bytes()
    table = read_table(data, len(data))
    columns = [path.removesuffix("data") for path in table if path.endswith("/data")]
    assert columns
    for column in columns:
        files = [data[table[column + name].offset : table[column + name].end] for name in ("idx", "idx1", "idx2")]
        index = read_index(*files)
        assert merge_extents(index.extents(-(1 << 62), 1 << 62)) == [Extent(0, index.data_size)]
        assert table[f"{column}data"].size - index.data_size in (0, 100)  # loaders keep the state of the md5 there
