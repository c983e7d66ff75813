"""Tests of what a word stands for; on the command line and in Python it is the same."""

from pathlib import Path

import pytest

from wort_cli.api.sources import Input, source_of, sources_of
from wort_cli.errors import InvalidAccession, UsageError
from wort_cli.model.accession import Accession, LocalName
from wort_cli.model.job import Source
from wort_cli.pipeline.archives.named_archive import find_archive


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty directory and return it."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def put(path: Path, data: bytes = b"NCBI.sra") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("word", ["x.sra", "./x.sra", "../here/x.sra"])
def test_path_is_an_archive_named_by_its_stem(here: Path, word: str) -> None:
    put(here / "x.sra")
    source = source_of(word)
    assert source.archive is not None
    assert source.archive.is_absolute()
    assert source.archive.samefile(here / "x.sra")
    assert isinstance(source.name, LocalName)
    assert (source.name, source.is_local) == ("x", True)


def test_archive_named_like_an_accession_is_that_run(here: Path) -> None:
    put(here / "SRR139146.sra")
    assert source_of("./SRR139146.sra") == Source(Accession("SRR139146"), here / "SRR139146.sra")


@pytest.mark.parametrize("word", ["run/", "./run", "../here/run/"])
def test_directory_made_by_prefetch_is_the_archive_inside(here: Path, word: str) -> None:
    put(here / "run" / "run.sra")
    assert find_archive(word).samefile(here / "run" / "run.sra")


def test_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tmp_path / "x.sra")
    assert source_of("~/x.sra").archive == tmp_path / "x.sra"


@pytest.mark.parametrize("one", ["x.sra", "./x.sra", Path("x.sra")], ids=repr)
def test_archive_is_one_as_a_word_and_as_a_path(here: Path, one: Input) -> None:
    put(here / "x.sra")
    assert source_of(one) == Source(LocalName("x"), here / "x.sra")


@pytest.mark.parametrize("one", ["x.fq", "./x.fq", Path("x.fq")], ids=repr)
def test_file_of_reads_is_one_as_a_word_and_as_a_path(here: Path, one: Input) -> None:
    put(here / "x.fq", b"@r1\nACGT\n+\nIIII\n")
    source = source_of(one)
    assert source.reads is not None
    assert source.reads.inputs == (str(here / "x.fq"),)
    assert source.reads.filename == str(one), "as it was named"


def test_accession_in_lower_case_is_that_of_the_run() -> None:
    assert sources_of(["srr139146", "SRR139146"]) == [Source(Accession("SRR139146"))]


def test_path_is_never_an_accession(here: Path) -> None:
    put(here / "SRR139146")
    assert source_of(Path("SRR139146")) == Source(Accession("SRR139146"), here / "SRR139146")
    assert source_of("SRR139146") == Source(Accession("SRR139146"))


@pytest.mark.parametrize("word", ["SRR1", "SRR139146\n", "-h"], ids=repr)
def test_word_that_names_nothing_is_no_accession(word: str) -> None:
    with pytest.raises(InvalidAccession):
        source_of(word)


def test_both_files_of_a_pair_are_not_two_signatures(here: Path) -> None:
    pair = [put(here / f"a_{n}.fa", b">r1\nACGT\n") for n in (1, 2)]
    with pytest.raises(UsageError, match="both reads of the same pairs"):
        sources_of(pair)
    assert [source.name for source in sources_of(pair, "a")] == ["a"]
