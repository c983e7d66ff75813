"""What was typed becomes sources, all of it or nothing."""

import io
from pathlib import Path

import pytest

from wort_cli.commands.shared.sources import archive_stem, entries, find_archive, parse_source, parse_sources
from wort_cli.errors import ExitCode, WortError
from wort_cli.model.accession import Accession, LocalName
from wort_cli.model.job import Source


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"NCBI.sra")
    return path


def type_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def refusal_of(words: list[str], from_file: Path | None = None, name: str = "") -> WortError:
    with pytest.raises(WortError) as refusal:
        parse_sources(words, from_file, name)
    assert refusal.value.exit_code is ExitCode.USAGE
    return refusal.value


def test_accessions_are_sources_in_the_order_they_were_given() -> None:
    assert parse_sources(["SRR139147", "ERR000001", "SRR139146"], None, "") == [
        Source(Accession("SRR139147")), Source(Accession("ERR000001")), Source(Accession("SRR139146")),
    ]  # fmt: skip


def test_what_was_given_twice_is_one_source(here: Path) -> None:
    put(here / "x.sra")
    assert len(parse_sources(["SRR139146", "SRR139146", "x.sra", "./x.sra", str(here / "x.sra")], None, "")) == 2


@pytest.mark.parametrize("word", ["x.sra", "./x.sra", "../here/x.sra"])
def test_a_path_is_an_archive_named_by_its_stem(here: Path, word: str) -> None:
    put(here / "x.sra")
    source = parse_source(word)
    assert source.archive is not None
    assert source.archive.is_absolute()
    assert source.archive.samefile(here / "x.sra")
    assert isinstance(source.name, LocalName)
    assert (source.name, source.is_local) == ("x", True)


def test_an_archive_named_as_a_run_is_that_run(here: Path) -> None:
    put(here / "SRR139146.sra")
    assert parse_source("./SRR139146.sra") == Source(Accession("SRR139146"), here / "SRR139146.sra")


@pytest.mark.parametrize("word", ["run/", "./run", "../here/run/"])
def test_a_directory_made_by_prefetch_is_the_archive_in_it(here: Path, word: str) -> None:
    put(here / "run" / "run.sra")
    assert find_archive(word).samefile(here / "run" / "run.sra")


def test_a_directory_without_its_archive_is_refused(here: Path) -> None:
    put(here / "run" / "other.sra")
    assert "no run.sra" in refusal_of(["./run"]).sentence


def test_what_prefetch_fetched_here_is_taken_for_its_run(here: Path) -> None:
    fetched = put(here / "SRR139146" / "SRR139146.sra")
    assert parse_source("SRR139146") == Source(Accession("SRR139146"), fetched)
    assert parse_sources(["SRR139146", "./SRR139146/SRR139146.sra"], None, "") == [parse_source("SRR139146")]


def test_a_tilde_is_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tmp_path / "x.sra")
    assert parse_source("~/x.sra").archive == tmp_path / "x.sra"


def test_an_archive_can_be_given_a_name(here: Path) -> None:
    put(here / "my file.sra")
    assert parse_sources(["my file.sra"], None, "mine") == [Source(LocalName("mine"), here / "my file.sra")]
    assert "--name" in refusal_of(["my file.sra"]).hint


@pytest.mark.parametrize(
    ("words", "name"), [(["SRR139146"], "mine"), (["x.sra", "y.sra"], "mine"), (["x.sra"], "a b"), (["x.sra"], "../x")]
)
def test_a_name_is_for_one_archive_and_harmless(here: Path, words: list[str], name: str) -> None:
    for file in ("x.sra", "y.sra"):
        put(here / file)
    assert refusal_of(words, name=name).sentence.isprintable()


def test_two_archives_of_one_name_are_not_both_taken(here: Path) -> None:
    put(here / "a" / "x.sra")
    put(here / "b" / "x.sra")
    assert "--name" in refusal_of(["a/x.sra", "b/x.sra"]).hint


@pytest.mark.parametrize(
    "word",
    [
        "-h", "a b", "SRR1;ls", "srr139146", "SRR139146\n", "x" * 10_240, "x" * 10_240 + ".sra", "", "no.sra", "./no",
        "/", ".", "a\0/b", "\0.sra", "~nobody-of-this-name/x.sra", "y\n.sra", "../x.sra", "\udcff/x.sra",
    ],
    ids=lambda word: ascii(word)[:30],
)  # fmt: skip
def test_what_is_no_source_is_refused_in_a_short_printable_sentence(here: Path, word: str) -> None:
    put(here / "y\n.sra")
    error = refusal_of([word])
    assert error.sentence.isprintable()
    assert len(error.sentence) < 700


@pytest.mark.parametrize("words", [[], ["-"]])
def test_nothing_to_compute_is_an_error(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    type_in(monkeypatch, b"# nothing\n\n")
    assert refusal_of(words).sentence == "nothing to compute"


def test_a_list_may_have_comments_blank_lines_and_ends_of_any_kind(here: Path) -> None:
    archive = put(here / "run#1" / "x.sra")
    (here / "list").write_bytes(b"# runs\n\nSRR139146\r\n  SRR139147  # the second\n\t# none\n./run#1/x.sra")
    sources = parse_sources(["ERR000001"], here / "list", "")
    assert [str(source) for source in sources] == ["ERR000001", "SRR139146", "SRR139147", str(archive)]


def test_lines_are_numbered_as_an_editor_numbers_them() -> None:
    assert list(entries("a\n\n#b\nc # d\n e\x0cf\u2028g\n")) == [(1, "a"), (4, "c"), (5, "e\x0cf\u2028g")]


def test_standard_input_is_read_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, b"SRR139146 # one\nSRR139147\n")
    assert [source.name for source in parse_sources(["-"], None, "")] == ["SRR139146", "SRR139147"]


@pytest.mark.parametrize("data", [b"\xff\n", b"SRR139146\n\xfe"])
def test_a_list_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch, here: Path, data: bytes) -> None:
    (here / "list").write_bytes(data)
    type_in(monkeypatch, data)
    refusal_of([], here / "list")
    refusal_of(["-"])


def test_a_list_that_is_not_there_is_refused(here: Path) -> None:
    assert "no" in refusal_of([], here / "list").sentence
    refusal_of([], here)


def test_an_error_in_a_list_says_on_which_line(here: Path) -> None:
    (here / "list").write_text("# runs\nSRR139146\n\nSRR1\n")
    error = refusal_of([], here / "list")
    assert error.sentence == f"{here / 'list'}, line 4: 'SRR1' is not the accession of a run"


def test_many_errors_are_told_together_in_part(here: Path) -> None:
    (here / "list").write_text("".join(f"bad{n}\n" for n in range(1, 9)))
    error = refusal_of(["SRR139146", "worse"], here / "list")
    assert error.sentence.startswith("9 of these can't be computed; nothing was queued:\n  'worse' is not")
    assert "line 4: 'bad4'" in error.sentence
    assert "bad5" not in error.sentence
    assert error.sentence.endswith("and 4 more")


@pytest.mark.parametrize(
    ("filename", "name"),
    [("x.sra", "x"), ("x.sralite", "x"), ("x.csra", "x"), ("x.kar", "x"), ("x", "x"), ("x.fastq", "x.fastq"),
     ("x.sra.sra", "x.sra"), (".sra", ""), ("a.b.sra", "a.b")],
)  # fmt: skip
def test_the_stem_of_an_archive_is_its_name_without_the_ending(filename: str, name: str) -> None:
    assert archive_stem(filename) == name
