"""The table of contents of an archive is read strictly and in bounded time and memory."""

import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.kar_files import Raw, join_nodes, kar_archive, kar_head, packed_node
from wort_cli.pipeline.archives.kar import MAX_DEPTH, MAX_TABLE_SIZE, Extent, KarError, read_header, read_table

TREE: Mapping[str, Any] = {
    "lock": b"",
    "md": {"cur": b"metadata"},
    "tbl": {"SEQUENCE": {"col": {"READ": {"data": b"ACGT" * 9, "idx": b"i"}}, "md5": b"sums"}},
    "empty": {},
}
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/"), min_size=1, max_size=9)
TREES = st.recursive(
    st.dictionaries(NAMES.filter(lambda name: name not in (".", "..")), st.binary(max_size=300), max_size=5),
    lambda inner: st.dictionaries(NAMES.filter(lambda name: name not in (".", "..")), inner | st.binary(), max_size=5),
    max_leaves=20,
)


def files_of(tree: Mapping[str, Any], folder: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, value in tree.items():
        found |= {folder + name: value} if isinstance(value, bytes) else files_of(value, f"{folder}{name}/")
    return found


def contents(archive: bytes) -> dict[str, bytes]:
    table = read_table(archive, len(archive))
    return {path: archive[extent.offset : extent.end] for path, extent in table.items()}


def nested(depth: int) -> Mapping[str, Any]:
    tree: Mapping[str, Any] = {"file": b"x"}
    for _ in range(depth):
        tree = {"d": tree}
    return tree


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_every_file_is_found_with_its_bytes(byte_order: str) -> None:
    assert contents(kar_archive(TREE, byte_order)) == files_of(TREE)


@given(TREES, st.sampled_from("<>"))
@settings(max_examples=30)
def test_any_tree_reads_back(tree: Mapping[str, Any], byte_order: str) -> None:
    assert contents(kar_archive(tree, byte_order)) == files_of(tree)


def test_bundled_archive_has_the_columns_that_a_sketch_needs() -> None:
    archive = (Path(__file__).parents[4] / "demo" / "phage.sra").read_bytes()
    table = read_table(archive, len(archive))
    assert {"tbl/SEQUENCE/col/READ/data", "tbl/SEQUENCE/col/READ/md5", "tbl/SEQUENCE/md/cur"} <= set(table)
    sums = contents(archive)["tbl/SEQUENCE/col/READ/md5"].decode().split()
    assert "data" in [name.removeprefix("*") for name in sums]


def test_only_the_head_is_needed() -> None:
    archive = kar_archive(TREE)
    head = archive[: read_header(archive).data_offset]
    assert read_table(head, len(archive)) == read_table(archive, len(archive))


def node(name: str | bytes, value: Any) -> bytes:
    return packed_node(name, value, bytearray(100))


def with_nodes(*nodes: bytes) -> bytes:
    """Return an archive of 1000 bytes of data whose root has these nodes."""
    return kar_head(join_nodes(list(nodes))) + bytes(1000)


def file_node(name: str | bytes, offset: int, size: int) -> bytes:
    return node(name, Raw(2, struct.pack("<QQ", offset, size)))


REFUSED = {
    "empty": (b"", "does not start"),
    "html": (b"<!DOCTYPE html><html>..................", "does not start"),
    "byte order": (b"NCBI.sra" + bytes(16), "byte order"),
    "version": (kar_head(b"", version=2), "version 2"),
    "table too large": (b"NCBI.sra" + struct.pack("<IIQ", 0x05031988, 1, 25 + MAX_TABLE_SIZE), "would have"),
    "table before header": (b"NCBI.sra" + struct.pack("<IIQ", 0x05031988, 1, 23), "would have"),
    "cut table": (kar_archive(TREE)[:60], "cut short"),
    "number of nodes": (kar_head(struct.pack("<II", 2**32 - 1, 8) + bytes(8)), "cut short"),
    "size of nodes": (kar_head(struct.pack("<II", 1, 2**32 - 1) + bytes(8)), "cut short"),
    "nodes out of order": (kar_head(struct.pack("<IIBB", 2, 4, 2, 0) + bytes(4)), "out of order"),
    "nodes overlap": (kar_head(struct.pack("<IIBB", 2, 4, 2, 2) + bytes(4)), "out of order"),
    "node outside": (kar_head(struct.pack("<IIB", 1, 4, 9) + bytes(4)), "out of order"),
    "cut node": (kar_head(join_nodes([node("x", b"x")[:-1]])) + bytes(9), "cut short"),
    "cut name": (kar_head(join_nodes([struct.pack("<H", 500) + b"x"])), "cut short"),
    "same name twice": (with_nodes(file_node("x", 0, 1), file_node("x", 1, 1)), "has x twice"),
    "empty name": (with_nodes(file_node("", 0, 1)), "has the name ''"),
    "long name": (with_nodes(file_node("x" * 256, 0, 1)), "has the name"),
    "slash": (with_nodes(file_node("a/b", 0, 1)), "has the name 'a/b'"),
    "parent": (with_nodes(file_node("..", 0, 1)), "has the name '..'"),
    "control character": (with_nodes(file_node("a\x1b[2J", 0, 1)), "has the name"),
    "no ASCII": (with_nodes(file_node("ä".encode(), 0, 1)), "has the name"),
    "overlap": (with_nodes(file_node("x", 0, 10), file_node("y", 9, 1)), "x and y overlap"),
    "overlap in another directory": (
        with_nodes(file_node("x", 0, 10), node("d", Raw(1, join_nodes([file_node("y", 5, 1)])))),
        "x and d/y overlap",
    ),
    "outside": (with_nodes(file_node("x", 990, 11)), "x would lie outside"),
    "far outside": (with_nodes(file_node("x", 2**64 - 1, 2**64 - 1)), "x would lie outside"),
    "soft link": (with_nodes(node("x", Raw(4))), "type 4"),
    "chunked file": (with_nodes(node("x", Raw(3))), "type 3"),
    "unknown type": (with_nodes(node("x", Raw(255))), "type 255"),
    "too deep": (kar_archive(nested(MAX_DEPTH + 1)), "too deeply"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_table_that_is_wrong_is_refused_with_its_reason(case: str) -> None:
    archive, why = REFUSED[case]
    with pytest.raises(KarError, match=why):
        read_table(archive, len(archive))


def test_deepest_tree_that_is_allowed_is_read() -> None:
    assert list(contents(kar_archive(nested(MAX_DEPTH)))) == ["d/" * MAX_DEPTH + "file"]


def test_file_may_end_where_the_archive_ends_and_not_one_byte_later() -> None:
    archive = kar_archive({"x": b"12345"})
    assert read_table(archive, len(archive))["x"] == Extent(len(archive) - 5, 5)
    with pytest.raises(KarError, match="outside"):
        read_table(archive, len(archive) - 1)


@given(st.binary(max_size=400))
def test_any_bytes_behind_a_header_are_a_table_or_refused(table: bytes) -> None:
    head = kar_head(table)
    try:
        found = read_table(head, 10_000)
    except KarError:
        return
    assert all(extent.end <= 10_000 for extent in found.values())


@given(st.integers(24, len(kar_archive(TREE)) - 1), st.integers(0, 255))
def test_any_byte_that_is_changed_leads_to_a_table_or_to_a_refusal(place: int, value: int) -> None:
    archive = bytearray(kar_archive(TREE))
    archive[place] = value
    try:
        found = read_table(bytes(archive), len(archive))
    except KarError:
        return
    assert all(extent.end <= len(archive) for extent in found.values())


HOSTILE = """
import resource, struct, sys
from tests.support.kar_files import join_nodes, kar_head, packed_node, Raw
from wort_cli.pipeline.archives.kar import KarError, MAX_TABLE_SIZE, read_table
tree = join_nodes([packed_node(f"{n:x}", b"", bytearray()) for n in range(3_000)])
while len(tree) < MAX_TABLE_SIZE // 2:
    tree = join_nodes([packed_node("d", Raw(1, tree), bytearray()), packed_node("e", Raw(1, tree), bytearray())])
before = resource.getrusage(resource.RUSAGE_SELF)
try:
    print(len(read_table(kar_head(tree), 10**12)))
except KarError as error:
    print(error)
after = resource.getrusage(resource.RUSAGE_SELF)
print((after.ru_maxrss - before.ru_maxrss) / 1000)
"""


def test_largest_table_is_read_in_bounded_memory() -> None:
    done = subprocess.run([sys.executable, "-c", HOSTILE], capture_output=True, text=True, check=True, timeout=300)
    megabytes = float(done.stdout.split()[-1])
    assert megabytes < 300
