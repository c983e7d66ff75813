"""The md5 sums inside an archive are read strictly, and every needed file is compared with its sum."""

import hashlib
from collections.abc import Iterator

import pytest

from tests.support.kar_files import kar_archive
from wort_cli.pipeline.archives.checksums import (
    MAX_SUMS_SIZE,
    ChecksumError,
    ReadExtent,
    check_file,
    is_sums_file,
    parse_sums,
    read_sums,
)
from wort_cli.pipeline.archives.kar import Extent, read_table
from wort_cli.system.cancellation import Cancellation, Cancelled

MD5 = "0123456789abcdef" * 2


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def archive_of(data: bytes = b"ACGT" * 100) -> bytes:
    sums = f"{md5(data)} *data\n{md5(b'index')} *idx1\n{md5(b'meta')} *md/cur\n".encode()
    return kar_archive({"col": {"READ": {"data": data, "idx1": b"index", "md": {"cur": b"meta"}, "md5": sums}}})


def reader(archive: bytes) -> ReadExtent:
    def read(extent: Extent) -> Iterator[bytes]:
        for start in range(extent.offset, extent.end, 7):
            yield archive[start : min(start + 7, extent.end)]

    return read


def test_sums_are_of_files_in_the_same_directory() -> None:
    content = f"{MD5} *data\n{MD5}  idx\n{MD5} *md/cur\n".encode()
    folder = "tbl/SEQUENCE/col/READ"
    expected = {f"{folder}/{name}": MD5 for name in ("data", "idx", "md/cur")}
    assert parse_sums(f"{folder}/md5", content) == expected
    assert parse_sums("md5", f"{MD5} *md/cur\n".encode()) == {"md/cur": MD5}
    assert parse_sums("idx/skey.md5", f"{MD5} *skey\n".encode()) == {"idx/skey": MD5}


@pytest.mark.parametrize(
    "line",
    [b"x", b"", MD5.encode(), f"{MD5} data".encode(), f"{MD5[:-1]} *data".encode(), f"{MD5.upper()} *data".encode(),
     f"{MD5} */etc/passwd".encode(), f"{MD5} *../data".encode(), f"{MD5} *a//b".encode(), f"{MD5} *./data".encode(),
     f"{MD5} *d\x1bata".encode(), f"{MD5} *".encode()],
)  # fmt: skip
def test_line_that_is_no_sum_is_refused(line: bytes) -> None:
    with pytest.raises(ChecksumError):
        parse_sums("col/READ/md5", f"{MD5} *idx\n".encode() + line + b"\n")


def test_two_sums_of_one_file_are_refused() -> None:
    with pytest.raises(ChecksumError, match="two sums"):
        parse_sums("md5", f"{MD5} *x\n{MD5} *x\n".encode())


def test_sums_of_an_index_are_of_that_index_only() -> None:
    """A bit of the name `skey.md5` in the table of contents was flipped; all files are as they were."""
    assert parse_sums("tbl/idx/skey.md5", f"{MD5} *skey\n".encode()) == {"tbl/idx/skey": MD5}
    with pytest.raises(ChecksumError, match="has a sum of skey instead of ske9"):
        parse_sums("tbl/idx/ske9.md5", f"{MD5} *skey\n".encode())


def test_file_of_sums_that_is_too_large_is_refused() -> None:
    archive = kar_archive({"md5": b"x" * (MAX_SUMS_SIZE + 1)})
    with pytest.raises(ChecksumError, match="too many"):
        read_sums(read_table(archive, len(archive)), reader(archive))


def test_every_file_matches_its_sum_and_a_changed_one_does_not() -> None:
    archive = archive_of()
    table = read_table(archive, len(archive))
    read = reader(archive)
    sums = read_sums(table, read)
    assert set(sums) == {"col/READ/data", "col/READ/idx1", "col/READ/md/cur"}
    assert set(sums) == {path for path in table if not path.endswith("md5")}
    for path in sums:
        check_file(path, table, sums, read)
        damaged = bytearray(archive)
        damaged[table[path].offset] ^= 1
        with pytest.raises(ChecksumError, match=path):
            check_file(path, table, sums, reader(bytes(damaged)))


def test_file_without_sum_is_found() -> None:
    archive = kar_archive({"col": {"READ": {"data": b"ACGT", "idx0": b"", "md5": f"{MD5} *idx\n".encode()}}})
    table = read_table(archive, len(archive))
    sums = read_sums(table, reader(archive))
    lacking = [path for path in table if path not in sums and table[path].size and not is_sums_file(path)]
    assert lacking == ["col/READ/data"]


def test_check_of_a_large_file_is_cancelled() -> None:
    archive = archive_of()
    table = read_table(archive, len(archive))
    with pytest.raises(Cancelled):
        check_file("col/READ/data", table, {"col/READ/data": MD5}, reader(archive), Cancellation(lambda: True))
