"""A partial archive keeps what has arrived over any crash, and never claims a byte that it does not have."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wort_cli.pipeline.archives.kar import Extent, merge_extents
from wort_cli.pipeline.archives.partial import Identity, PartialArchive, missing

IDENTITY = Identity(1000, "0" * 32)
EXTENTS = st.lists(st.builds(Extent, st.integers(0, 60), st.integers(0, 20)), max_size=8)


def covered(extents: list[Extent]) -> set[int]:
    return {byte for extent in extents for byte in range(extent.offset, extent.end)}


@given(EXTENTS)
def test_union_covers_the_same_bytes_without_touching_extents(extents: list[Extent]) -> None:
    merged = merge_extents(extents)
    assert covered(merged) == covered(extents)
    assert all(before.end < after.offset for before, after in pairwise(merged))


@given(EXTENTS, EXTENTS)
def test_missing_is_what_is_wanted_and_not_present(present: list[Extent], wanted: list[Extent]) -> None:
    assert covered(missing(merge_extents(present), merge_extents(wanted))) == covered(wanted) - covered(present)


def test_what_arrived_is_known_to_the_next_attempt(tmp_path: Path) -> None:
    first = PartialArchive(tmp_path / "x.sra", IDENTITY)
    first.write(100, b"a" * 50)
    first.write(150, b"b" * 50)
    first.close()
    second = PartialArchive(tmp_path / "x.sra", IDENTITY)
    assert second.missing([Extent(0, 1000)]) == [Extent(0, 100), Extent(200, 800)]
    assert b"".join(second.read(Extent(140, 20))) == b"a" * 10 + b"b" * 10
    assert second.arrived_bytes() == 100
    second.close()


def test_file_is_as_large_as_the_archive_and_takes_only_what_arrived(tmp_path: Path) -> None:
    partial = PartialArchive(tmp_path / "x.sra", Identity(10**12))
    partial.write(5 * 10**11, b"x" * 4096)
    partial.close()
    found = (tmp_path / "x.sra").stat()
    assert found.st_size == 10**12
    assert found.st_blocks * 512 < 1_000_000
    assert found.st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("earlier", "identity"),
    [
        (IDENTITY, Identity(1000, "1" * 32)),
        (IDENTITY, Identity(1001, "0" * 32)),
        (Identity(1000, "", "tag"), Identity(1000, "", "another tag")),
        (Identity(1000, "", "tag"), Identity(1001, "0" * 32)),
    ],
)
def test_archive_that_changed_starts_again(tmp_path: Path, earlier: Identity, identity: Identity) -> None:
    first = PartialArchive(tmp_path / "x.sra", earlier)
    first.write(0, b"a" * 50)
    first.close()
    second = PartialArchive(tmp_path / "x.sra", identity)
    assert second.missing([Extent(0, identity.size)]) == [Extent(0, identity.size)]
    assert b"".join(second.read(Extent(0, 50))) == bytes(50)
    second.close()


@pytest.mark.parametrize(
    ("earlier", "identity"),
    [
        (IDENTITY, Identity(1000, "0" * 32, "another tag")),
        (IDENTITY, Identity(1000, "", "tag of a mirror")),
        (Identity(1000, "", "tag of a mirror"), IDENTITY),
        (Identity(1000, "", "tag"), Identity(1000, "", "tag")),
    ],
)
def test_same_archive_goes_on_and_keeps_the_md5_of_the_locator(
    tmp_path: Path, earlier: Identity, identity: Identity
) -> None:
    first = PartialArchive(tmp_path / "x.sra", earlier)
    first.write(0, b"a" * 50)
    first.close()
    second = PartialArchive(tmp_path / "x.sra", identity)
    assert second.arrived_bytes() == 50
    assert second.identity.md5 == (earlier.md5 or identity.md5)
    second.close()


def test_map_knows_what_came_from_a_location_of_the_locator(tmp_path: Path) -> None:
    whole = [Extent(0, 1000)]
    first = PartialArchive(tmp_path / "x.sra", IDENTITY)
    first.write(0, b"a" * 100, named=True)
    first.write(100, b"b" * 100)
    first.write(500, b"c" * 100, named=True)
    assert first.not_named(whole) == [Extent(100, 100)]
    first.close()
    second = PartialArchive(tmp_path / "x.sra", IDENTITY)
    assert second.not_named(whole) == [Extent(100, 100)]
    assert second.not_named([Extent(0, 150)]) == [Extent(100, 50)]
    second.forget(Extent(50, 100))
    second.write(50, b"d" * 100, named=True)
    assert second.not_named(whole) == [Extent(150, 50)]
    second.delete()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"[]", b"{}", b'{"identity": {}, "arrived": [], "named": []}',
     json.dumps({"identity": {"size": 1000, "md5": "0" * 32, "tag": ""}, "arrived": [[0, 2000]], "named": []}).encode(),
     json.dumps({"identity": {"size": 1000, "md5": "0" * 32, "tag": ""}, "arrived": [[-5, 10]], "named": []}).encode(),
     json.dumps({"identity": {"size": 1000, "md5": "0" * 32, "tag": ""}, "arrived": "x", "named": []}).encode()],
)  # fmt: skip
def test_map_that_makes_no_sense_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.sra").write_bytes(b"x" * 1000)
    (tmp_path / "x.map").write_bytes(content)
    partial = PartialArchive(tmp_path / "x.sra", IDENTITY)
    assert partial.missing([Extent(0, 1000)]) == [Extent(0, 1000)]
    partial.close()


def test_file_that_was_cut_behind_its_map_starts_again(tmp_path: Path) -> None:
    first = PartialArchive(tmp_path / "x.sra", IDENTITY)
    first.write(0, b"a" * 1000)
    first.close()
    os.truncate(tmp_path / "x.sra", 500)
    second = PartialArchive(tmp_path / "x.sra", IDENTITY)
    assert second.arrived_bytes() == 0
    second.close()


def test_bytes_that_are_forgotten_are_missing_again(tmp_path: Path) -> None:
    partial = PartialArchive(tmp_path / "x.sra", IDENTITY)
    partial.write(0, b"a" * 1000)
    partial.forget(Extent(10, 20))
    assert partial.missing([Extent(0, 1000)]) == [Extent(10, 20)]
    partial.close()
    again = PartialArchive(tmp_path / "x.sra", IDENTITY)
    assert again.missing([Extent(0, 1000)]) == [Extent(10, 20)]
    again.close()


WRITER = """
import os, sys
from pathlib import Path
from wort_cli.pipeline.archives.partial import Identity, PartialArchive
partial = PartialArchive(Path(sys.argv[1]), Identity(100_000, "0" * 32))
for n in range(100):
    partial.write(n * 1000, bytes([n + 1]) * 1000)
    if n % 10 == 5:
        partial.save()
        print(n, flush=True)
        sys.stdin.readline()
"""


def test_killed_writer_leaves_exactly_what_its_map_names(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", WRITER, str(tmp_path / "x.sra")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for expected in (5, 15, 25):
            assert int(writer.stdout.readline()) == expected
            if expected < 25:
                writer.stdin.write("\n")
                writer.stdin.flush()
        writer.kill()
    partial = PartialArchive(tmp_path / "x.sra", Identity(100_000, "0" * 32))
    assert partial.missing([Extent(0, 100_000)]) == [Extent(26_000, 74_000)]
    for n in range(26):
        assert b"".join(partial.read(Extent(n * 1000, 1000))) == bytes([n + 1]) * 1000
    partial.close()
