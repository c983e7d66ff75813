"""Files of reads: the same bytes as sourmash, from every kind of file; and faults, which leave nothing behind."""

import bz2
import gzip
import json
import lzma
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support.archives import SKETCH, sourmash
from tests.support.homes import WORT, Home
from wort_cli.pipeline.reads.decompress import zstd_module
from wort_cli.pipeline.sketching.known_input import known_letters

LETTERS = known_letters(1_100_000)
"""With a few unknown letters, and both cases."""


def fastq(first: int, reads: int, length: int = 150, end: bytes = b"\n") -> bytes:
    """Return reads of the known letters."""
    records = []
    for number in range(first, first + reads):
        read = LETTERS[number * 97 : number * 97 + length]
        records.append(end.join((b"@read%d 1:N:0" % number, read, b"+", b"I" * len(read), b"")))
    return b"".join(records)


def fasta() -> bytes:
    """Return one sequence on a single line, longer than a piece of text, and others of several lines."""
    lines = [LETTERS[start : start + 60] for start in range(0, 6000, 60)]
    return b">chromosome\n" + LETTERS + b"\n>contig\n" + b"\n".join(lines) + b"\n>short\nACGT\n"


def sketched_by_sourmash(cwd: Path, name: str, files: list[str], stdin: bytes | None = None) -> bytes:
    """Return what `sourmash sketch` writes for files."""
    out = cwd / "expected.sig"
    argv = [sourmash(), *SKETCH, "--name", name, "-o", str(out), *files]
    subprocess.run(argv, cwd=cwd, input=stdin, capture_output=True, check=True)
    return out.read_bytes()


@cache
def contents() -> dict[str, bytes]:
    """Return the files of reads by name, plain and compressed."""
    one, two = fastq(0, 2000), fastq(4000, 2000, 151, b"\r\n")
    return {
        "x_R1.fastq": one,
        "x_R2.fastq": two,
        "x_R1.fastq.gz": gzip.compress(one[: len(one) // 3], 1) + gzip.compress(one[len(one) // 3 :], 1),
        "x_R2.fastq.bz2": bz2.compress(two),
        "genome.fa": fasta(),
        "in_xz.fa.xz": lzma.compress(fasta(), preset=0),
        "in_zstd.fa.zst": bytes(zstd_module().compress(fasta())),
    }


@pytest.fixture
def files(home: Home) -> Path:
    """The directory with these files."""
    for name, data in contents().items():
        (home.cwd / name).write_bytes(data)
    return home.cwd


def test_signature_has_the_bytes_of_sourmash(home: Home, files: Path) -> None:
    """sourmash gets two of several files; the field `filename` is the last one, as it was named."""
    home("compute", "x_R1.fastq.gz", "x_R2.fastq.bz2", "--name", "x", "--now", "-o", "x.sig").expect(0)
    expected = sketched_by_sourmash(files, "x", ["x_R1.fastq.gz", "x_R2.fastq.bz2"])
    assert (files / "x.sig").read_bytes() == expected
    assert b'"filename":"x_R2.fastq.bz2"' in expected
    again = home("compute", "x_R1.fastq.gz", "./x_R2.fastq.bz2", "--name", "x", "--now").expect(0)
    assert again.rows()[0][:2] == ["x", "already there"]
    provenance = home("view", "x", "--json").records()[0]["provenance"]
    assert [(file["compression"], file["reads"]) for file in provenance["files"]] == [("gzip", 2000), ("bzip2", 2000)]
    home("compute", "genome.fa", "--name", "x", "--now").expect(2, "was computed from")


def test_each_compression_and_engine_gives_the_same_sketches(home: Home, files: Path) -> None:
    home("compute", "genome.fa", "in_xz.fa.xz", "in_zstd.fa.zst", "--now").expect(0)
    home("compute", "genome.fa", "--name", "again", "--now", "--engine", "sourmash").expect(0)
    assert len(home.select("SELECT name FROM signatures")) == 4
    assert len(set(home.select("SELECT digest FROM signatures"))) == 1
    assert home.signature("genome") == sketched_by_sourmash(files, "genome", ["genome.fa"])


def test_standard_input_is_sketched(home: Home, files: Path) -> None:
    reads = (files / "x_R1.fastq").read_bytes()
    argv = [str(WORT), "compute", "--reads", "-", "--name", "s", "--now", "-o", "-"]
    done = subprocess.run(argv, input=reads, env=home.env, cwd=files, capture_output=True, check=True)
    assert done.stdout == sketched_by_sourmash(files, "s", ["-"], reads)


def test_samples_are_computed_and_verified_by_the_daemon(home: Home, files: Path) -> None:
    (files / "sheet.csv").write_text("sample,fastq_1,fastq_2\nx,x_R1.fastq,x_R2.fastq\ng,genome.fa,\nx,genome.fa,\n")
    home("daemon", "start").expect(0)
    home("compute", "--samples", "sheet.csv", "--wait", "-o", "out/").expect(0)
    expected = sketched_by_sourmash(files, "x", ["x_R1.fastq", "x_R2.fastq", "genome.fa"])
    assert (files / "out" / "x.sig").read_bytes() == expected
    assert home("verify", "x", "--wait").expect(0).rows()[0][:2] == ["x", "verified"]
    (files / "genome.fa").write_bytes(fasta()[:-5])
    with (files / "x_R1.fastq").open("ab") as file:
        file.write(fastq(9000, 1000))
    home("verify", "x", "--wait").expect(5, "mismatch", "other reads now")


def test_fault_leaves_no_signature(home: Home, files: Path) -> None:
    (files / "cut.fastq.gz").write_bytes((files / "x_R1.fastq.gz").read_bytes()[:-100])
    (files / "bad.fastq").write_bytes(fastq(0, 3) + b"@r\nACGT\nIIII\n" + fastq(0, 3))
    (files / "none.fasta").write_bytes(b">r1\n>r2\n")
    done = home("compute", "x_R1.fastq", "cut.fastq.gz", "--name", "cut", "--now", "-o", "cut.sig")
    done.expect(1, "bad-reads", "cut.fastq.gz: the compressed data end too early")
    home("compute", "bad.fastq", "--now").expect(1, "bad-reads", "bad.fastq, line 16: a sequence has a character")
    home("compute", "none.fasta", "--now").expect(3, "no-reads", "2 reads, and none has a base")
    assert not (files / "cut.sig").exists()
    assert home.signature_files() == []


def test_sketches_of_three_short_reads_are_those_of_a_public_signature(home: Home) -> None:
    """The public signature of ERR1248659 has three hashes for k=21, each once, and none for k=31 and 51.

    These reads have the hashes: of all sequences of 21 bases only they do, with their reverse complements.
    """
    reads = ("CAACTGGTCGCCACAGTCACA", "AGGAGAACAGGACGATGTTCA", "CCAGGCGGGACCACCGTCGTC")
    (home.cwd / "reads.fa").write_text("".join(f">{n}\n{read}\n" for n, read in enumerate(reads)))
    home("compute", "reads.fa", "--name", "golden", "--now").expect(0)
    (document,) = json.loads(home.signature("golden"))
    assert [(sketch["mins"], sketch["abundances"], sketch["md5sum"]) for sketch in document["signatures"]] == [
        ([8519891338276414, 15613204358602775, 17962547928043641], [1, 1, 1], "d59860a01cf1888b600908d699af1b70"),
        ([], [], "c16a5320fa475530d9583c34fd356ef5"),
        ([], [], "2838023a778dfaecdc212708f721b788"),
    ]
