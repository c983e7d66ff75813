"""Zip files beyond the limits of the old format: more than 65,535 members, and more than 4 GiB."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wort_cli.system.zip_directory import members_of
from wort_cli.system.zip_writer import Member, ZipWriter

GIB4 = 1 << 32


@contextmanager
def written(path: Path) -> Iterator[tuple[ZipWriter, IO[bytes]]]:
    """Yield a writer and its file, which is complete at the end."""
    with path.open("w+b") as file:
        writer = ZipWriter(file, io.BytesIO())
        yield writer, file
        writer.close()


def test_more_members_than_16_bits_can_count(tmp_path: Path) -> None:
    path, number = tmp_path / "many.zip", 65_540
    with written(path) as (writer, _):
        for n in range(number):
            writer.add(f"{n}", b"x" if n == number - 1 else b"")
    with zipfile.ZipFile(path) as archive:
        assert len(archive.filelist) == number
        assert archive.read(f"{number - 1}") == b"x"
    with path.open("rb") as file:
        assert sum(1 for _ in members_of(file)) == number


def test_members_beyond_four_gigabytes_are_found(tmp_path: Path) -> None:
    path = tmp_path / "far.zip"
    with written(path) as (writer, file):
        writer.add("near", b"1")
        writer.size = GIB4 + 5  # as if so much had been written; the file is sparse
        file.seek(writer.size)
        writer.add("far", b"22", b"mark", deflate=True)
        writer.add_stream("streamed", iter([b"3", b"33"]), 3)
    with zipfile.ZipFile(path) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [b"1", b"22", b"333"]
        assert archive.getinfo("far").header_offset == GIB4 + 5
        assert archive.getinfo("far").comment == b"mark"
    with path.open("rb") as file:
        assert [(m.name, m.offset >= GIB4) for m in members_of(file)] == [
            (b"near", False),
            (b"far", True),
            (b"streamed", True),
        ]


def test_member_of_more_than_four_gigabytes_has_its_size(tmp_path: Path) -> None:
    path, size = tmp_path / "large.zip", GIB4 + 7
    with written(path) as (writer, file):
        large = Member(b"large", 0, size, size, writer.size)
        file.write(large.header())
        file.write(b"start")
        file.seek(len(large.header()) + size)  # the rest is a hole
        writer._finish(large)
        writer.add("after", b"1")
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("large")
        assert (info.file_size, info.compress_size) == (size, size)
        with archive.open(info) as member:
            assert member.read(6) == b"start\0"
        assert archive.read("after") == b"1"
    with path.open("rb") as file:
        found = list(members_of(file))
    assert [(m.name, m.size) for m in found] == [(b"large", size), (b"after", 1)]
    assert found[0].data_offset == len(large.header())
