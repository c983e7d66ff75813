"""Tests of files of reads on the command line, and of tables of samples."""

import gzip
from pathlib import Path

import pytest

from wort_cli.commands.shared.arguments.sample_table import parse_samples
from wort_cli.commands.shared.arguments.sources import parse_sources, reads_of_options
from wort_cli.errors import UsageError
from wort_cli.model.job import Source
from wort_cli.model.read_files import ReadFiles
from wort_cli.pipeline.reads.named_reads import read_source

READS = b"@r1\nACGT\n+\nIIII\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a_R1.fq", "a_R2.fq", "b.fastq", "c.fasta"):
        (tmp_path / name).write_bytes(READS)
    (tmp_path / "d.fna.gz").write_bytes(gzip.compress(b">d\nACGT\n"))
    (tmp_path / "page.fastq").write_bytes(b"<!DOCTYPE html>\n<html>")
    (tmp_path / "odd").write_bytes(READS)
    return tmp_path


def test_files_have_their_stem_as_name(folder: Path) -> None:
    found = parse_sources(["b.fastq", "d.fna.gz", "./odd"], None, "")
    assert [(source.name, str(source)) for source in found] == [
        ("b", str(folder / "b.fastq")), ("d", str(folder / "d.fna.gz")), ("odd", str(folder / "odd")),
    ]  # fmt: skip
    assert found[0].reads is not None
    assert found[0].reads.filename == "b.fastq"


def test_several_files_with_a_name_are_one_source(folder: Path) -> None:
    [found] = parse_sources(["a_R1.fq", "./a_R2.fq"], None, "a")
    assert found == Source(found.name, reads=ReadFiles((str(folder / "a_R1.fq"), str(folder / "a_R2.fq"))))
    assert (found.name, found.reads and found.reads.filename) == ("a", "./a_R2.fq")
    assert Source.at(found.name, found.location) == found


def test_mates_without_a_name_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="both reads of the same pairs"):
        parse_sources(["a_R1.fq", "a_R2.fq"], None, "")


@pytest.mark.parametrize(
    ("words", "name", "message"),
    [
        (["none.fastq"], "", "no such file"),
        (["page.fastq"], "", "has no reads: this is a page of HTML"),
        (["b.fastq", "b.fastq"], "x", "named twice"),
        (["b.fastq", "SRR000001"], "x", "files of reads only"),
        (["b.fastq"], "../x", "cannot be the name"),
    ],
)
def test_wrong_files_are_refused(folder: Path, words: list[str], name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_sources(words, None, name)


@pytest.mark.parametrize("name", ["SRR000001", "err000001"])
def test_name_of_a_run_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is that of a run"):
        read_source(["b.fastq"], name)
    (folder / f"{name}.fastq").write_bytes(READS)
    with pytest.raises(UsageError, match="is that of a run"):
        parse_sources([f"{name}.fastq"], None, "")


def test_sample_sheet_of_nf_core_adds_up_lanes(folder: Path) -> None:
    table = folder / "sheet.csv"
    table.write_text("sample,fastq_1,fastq_2,strandedness\nA,a_R1.fq,a_R2.fq,auto\nB,b.fastq,,auto\nA,c.fasta,,auto\n")
    names = [(source.name, [path.name for path in source.files]) for source in parse_samples(table)]
    assert names == [("A", ["a_R1.fq", "a_R2.fq", "c.fasta"]), ("B", ["b.fastq"])]


def test_table_of_names_and_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = folder / "table.tsv"
    table.write_text("name\tfiles\nA\ta_R1.fq; a_R2.fq\n")
    monkeypatch.chdir("/")
    [found] = parse_samples(table)  # relative to the table
    assert found.files == (folder / "a_R1.fq", folder / "a_R2.fq")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("run,x\nA,b\n", "is not a table of samples"),
        ("sample,fastq_1\n\nA,none.fq\n", "line 3: .*no such file"),
        ("sample,fastq_1\nA,\n", "line 2: the row has no files"),
        ("sample,fastq_1\n,b.fastq\n", "line 2: the row has no name"),
        ("sample,fastq_1\nA/B,b.fastq\n", "line 2: .*cannot be the name"),
        ("sample,fastq_1\nA,b.fastq\nA,b.fastq\n", "line 2: .*named twice"),
    ],
)
def test_wrong_tables_are_refused(folder: Path, text: str, message: str) -> None:
    table = folder / "table.csv"
    table.write_text(text)
    with pytest.raises(UsageError, match=message):
        parse_samples(table)


@pytest.mark.parametrize(
    ("reads", "table", "name", "others", "message"),
    [
        (["-"], None, "x", False, "needs --now"),
        (["b.fastq"], None, "", False, "needs --name"),
        (["b.fastq"], None, "x", True, "needs --name"),
        ([], Path("t.csv"), "x", False, "excludes other inputs"),
    ],
)
def test_options_that_exclude_each_other(
    folder: Path, reads: list[str], table: Path | None, name: str, others: bool, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        reads_of_options(reads, table, name, others=others, now=False)


def test_url_is_an_input_whose_query_is_not_recorded(folder: Path) -> None:
    [found] = parse_sources(["https://example.org/x/soil.fq.gz?key=secret"], None, "")
    assert (found.name, str(found)) == ("soil", "https://example.org/x/soil.fq.gz")
    assert found.reads is not None
    assert found.reads.inputs == ("https://example.org/x/soil.fq.gz?key=secret",)
    assert found.reads.filename == "https://example.org/x/soil.fq.gz"
    assert Source.at(found.name, found.location) == found


@pytest.mark.parametrize("url", ["https:///x.fq", "https://user:password@example.org/x.fq", "s3://bucket"])
def test_wrong_urls_are_refused(folder: Path, url: str) -> None:
    with pytest.raises(UsageError, match="URL"):
        read_source([url], "x")
