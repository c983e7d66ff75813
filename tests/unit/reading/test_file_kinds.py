"""A file that is no archive is recognised by its first bytes: each row of the table has an example."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from wort_cli.reading.file_kinds import COMPRESSIONS, HEAD, KINDS, FileKind, recognise, recognise_file


def named(kind: FileKind) -> str:
    return kind.what


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_example_of_each_row_is_recognised(kind: FileKind) -> None:
    found = recognise(kind.example)
    assert found is not None
    assert (found.what, found.hint) == (kind.what, kind.hint)


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_example_of_no_row_is_the_start_of_an_archive(kind: FileKind) -> None:
    assert not kind.example.startswith(b"NCBI.sra")
    assert recognise(b"NCBI.sra\x04\x03\x02\x01") is None


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (gzip.compress(b"@r1\nACGT\n+\nIIII\n", mtime=0), "FASTQ, compressed with gzip"),
        (bz2.compress(b">r1\nACGT\n"), "FASTA, compressed with bzip2"),
        (lzma.compress(b">r1\nACGT\n"), "FASTA, compressed with xz"),
        (gzip.compress(b"BAM\1\0\0\0\0", mtime=0), "BAM"),
        (gzip.compress(b"\x01\x02\x03", mtime=0), "compressed with gzip"),
        (gzip.compress(b"@r1\nACGT\n+\nIIII\n" * 9999, mtime=0)[:200], "FASTQ, compressed with gzip"),
        (b"\x1f\x8b" + bytes(50), "a damaged gzip file"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "compressed with zstd"),
        (gzip.compress(bytes(10**7), mtime=0), "nothing but zero bytes, compressed with gzip"),
        (b"\n <html>", "a page of HTML"),
        (b"<Error>", "XML"),
        (b"@HD\tVN:1.6\n", "SAM"),
        (b"Run,bytes\nSRR139146,5\n", "a list of runs"),
    ],
)
def test_compressed_and_similar_files_are_distinguished(data: bytes, what: str) -> None:
    found = recognise(data[:HEAD])
    assert found is not None
    assert found.what == what


@pytest.mark.parametrize("data", [b"\x00\x01\x02", b"hello", b"@", b"NCBI.sra", b"\xff" * 99])
def test_other_files_are_not_recognised(data: bytes) -> None:
    assert recognise(data) is None


def test_each_compression_has_its_own_magic() -> None:
    assert len({compression.magic for compression in COMPRESSIONS}) == len(COMPRESSIONS)


def test_cache_of_a_run_is_recognised_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "SRR139146.sra.vdbcache"
    path.write_bytes(b"NCBI.sra")
    found = recognise_file(path)
    assert found is not None
    assert "vdbcache" in found.what
    assert "SRR139146.sra" in found.hint
