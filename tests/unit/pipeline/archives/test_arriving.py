"""An archive is read while it is fetched."""

import threading
from pathlib import Path

import pytest

from wort_cli.pipeline.archives.arriving import while_arriving
from wort_cli.pipeline.archives.checksums import ReadExtent
from wort_cli.pipeline.archives.kar import Extent
from wort_cli.pipeline.archives.partial import Identity, PartialArchive

DATA = bytes(range(256)) * 20_000
WHOLE = Extent(0, len(DATA))
HALF = len(DATA) // 2


def read_whole(read: ReadExtent) -> bytes:
    return b"".join(read(WHOLE))


def test_bytes_are_read_as_they_arrive(tmp_path: Path) -> None:
    partial = PartialArchive(tmp_path / "x.sra", Identity(len(DATA)))
    first_half_was_read = threading.Event()
    reported: list[int] = []

    def fetch() -> None:
        partial.write(0, DATA[:HALF])
        assert first_half_was_read.wait(60)
        partial.write(HALF, DATA[HALF:])

    def read(read: ReadExtent) -> bytes:
        first = b"".join(read(Extent(0, HALF)))
        first_half_was_read.set()
        return first + b"".join(read(Extent(HALF, len(DATA) - HALF)))

    assert while_arriving(partial, fetch, read, reported.append) == DATA
    assert reported[-1:] in ([], [len(DATA)])
    partial.close()


def test_failed_fetch_ends_the_reads_that_wait_for_bytes(tmp_path: Path) -> None:
    partial = PartialArchive(tmp_path / "x.sra", Identity(len(DATA)))

    def fetch() -> None:
        partial.write(0, DATA[:HALF])
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        while_arriving(partial, fetch, read_whole)
    partial.close()


def test_pieces_of_several_connections_are_joined_and_survive_a_save(tmp_path: Path) -> None:
    partial = PartialArchive(tmp_path / "x.sra", Identity(len(DATA)))
    step = 1000
    for start in range(0, HALF, step):
        partial.write(start, DATA[start : min(start + step, HALF)], named=True)
        partial.write(HALF + start, DATA[HALF + start : HALF + start + step])
        if start == HALF // step // 2 * step:
            partial.save()
    assert partial.missing([WHOLE]) == []
    partial.close()
    again = PartialArchive(tmp_path / "x.sra", Identity(len(DATA)))
    assert again.missing([WHOLE]) == []
    assert again.not_named([WHOLE]) == [Extent(HALF, len(DATA) - HALF)]
    assert read_whole(again.read) == DATA
    again.close()
