"""Tests of reading one file: its sums and counts, its faults, and changes while it is read."""

import gzip
import hashlib
from pathlib import Path

import pytest

from wort_cli.model.failure import JobFailed, Reason
from wort_cli.pipeline.reads.faults import TABLE, Fault
from wort_cli.pipeline.reads.parser import CompiledParser, Text
from wort_cli.pipeline.reads.read_file import FileReader
from wort_cli.system.cancellation import NEVER

RECORD = b"@r1\nACGT\n+\nIIII\n"


def test_sums_and_counts_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.fq.gz"
    path.write_bytes(gzip.compress(RECORD * 3))
    found = FileReader(str(path), CompiledParser()).read(lambda _: None, NEVER)
    data = path.read_bytes()
    assert (found.path, found.size, found.mtime) == (str(path), len(data), path.stat().st_mtime)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.md5 == hashlib.md5(data).hexdigest()
    assert (found.format, found.compression, found.reads, found.bases) == ("FASTQ", "gzip", 3, 12)


def test_fault_names_the_file_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.fq"
    path.write_bytes(RECORD + b"r2\n")
    with pytest.raises(JobFailed, match=rf"{path}, line 5: a record of FASTQ begins with '@'") as failed:
        FileReader(str(path), CompiledParser()).read(lambda _: None, NEVER)
    assert failed.value.failure.reason is Reason.BAD_READS


@pytest.mark.parametrize("size", [1, 500_000])
def test_amino_acids_are_refused_before_the_whole_file_was_read(tmp_path: Path, size: int) -> None:
    example = TABLE[Fault.AMINO_ACIDS].example
    path = tmp_path / "proteins.faa"
    path.write_bytes(example * size)
    reader = FileReader(str(path), CompiledParser())
    with pytest.raises(
        JobFailed, match=rf"{path}: the sequences are amino acids, .*`sourmash sketch protein`"
    ) as failed:
        reader.read(lambda _: None, NEVER)
    assert failed.value.failure.reason is Reason.BAD_READS
    assert reader.done < 10_000_000


@pytest.mark.parametrize(
    "sequence",
    [b"ACGTRYSWKMBDHVN-.*acgtryswkmbdhvn", b"X" * 100, b"ACGTACGTACGTACGTACGTE", b""],
    ids=["iupac", "masked", "one-odd-letter", "none"],
)
def test_what_may_be_dna_is_read(tmp_path: Path, sequence: bytes) -> None:
    path = tmp_path / "a.fa"
    path.write_bytes(b">r\n" + sequence + b"\n")
    assert FileReader(str(path), CompiledParser()).read(lambda _: None, NEVER).bases == len(sequence)


def test_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.fq"
    path.write_bytes(RECORD)
    reader = FileReader(str(path), CompiledParser())

    def append(_: Text) -> None:
        with path.open("ab") as file:
            file.write(RECORD)

    with pytest.raises(JobFailed, match="was changed while it was read"):
        reader.read(append, NEVER)


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(JobFailed) as failed:
        FileReader(str(tmp_path / "none.fq"), CompiledParser())
    assert failed.value.failure.reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "data", "bases"),
    [
        ("a.fq", RECORD * 10, 80),
        ("a.fa", b">r\n" + b"ACGT" * 100, 403),
        ("a.fq.gz", b"\x1f\x8b\x08" + bytes(97), 200),
        ("a.fa.gz", b"\x1f\x8b\x08" + bytes(97), 400),
    ],
)
def test_bases_are_estimated_from_the_size(tmp_path: Path, name: str, data: bytes, bases: int) -> None:
    (tmp_path / name).write_bytes(data)
    assert FileReader(str(tmp_path / name), CompiledParser()).estimate_bases() == bases
