"""Tests of parsing the command line into sources: all words are valid, or the command does nothing."""

import io
from pathlib import Path

import pytest

from wort_cli.api.sources import source_of
from wort_cli.commands.shared.arguments.sources import parse_sources
from wort_cli.errors import ExitCode, UsageError, WortError
from wort_cli.model.accession import Accession, LocalName
from wort_cli.model.job import Source


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty directory and return it."""
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


def test_accessions_keep_their_order() -> None:
    assert parse_sources(["SRR139147", "ERR000001", "SRR139146"], None, "") == [
        Source(Accession("SRR139147")), Source(Accession("ERR000001")), Source(Accession("SRR139146")),
    ]  # fmt: skip


def test_duplicates_are_one_source(here: Path) -> None:
    put(here / "x.sra")
    assert len(parse_sources(["SRR139146", "SRR139146", "x.sra", "./x.sra", str(here / "x.sra")], None, "")) == 2


def test_directory_without_its_archive_is_refused(here: Path) -> None:
    put(here / "run" / "other.sra")
    assert "no run.sra" in refusal_of(["./run"]).sentence


def test_archive_prefetched_into_the_current_directory_is_used_for_its_run(here: Path) -> None:
    fetched = put(here / "SRR139146" / "SRR139146.sra")
    source = Source(Accession("SRR139146"), fetched)
    assert parse_sources(["SRR139146", "./SRR139146/SRR139146.sra"], None, "") == [source]


def test_name_option_names_an_archive(here: Path) -> None:
    put(here / "my file.sra")
    assert parse_sources(["my file.sra"], None, "mine") == [Source(LocalName("mine"), here / "my file.sra")]
    assert "--name" in refusal_of(["my file.sra"]).hint


@pytest.mark.parametrize(
    ("words", "name"), [(["SRR139146"], "mine"), (["x.sra", "y.sra"], "mine"), (["x.sra"], "a b"), (["x.sra"], "../x")]
)
def test_name_option_needs_one_archive_and_a_valid_name(here: Path, words: list[str], name: str) -> None:
    for file in ("x.sra", "y.sra"):
        put(here / file)
    assert refusal_of(words, name=name).sentence.isprintable()


def test_two_archives_with_the_same_name_are_refused(here: Path) -> None:
    put(here / "a" / "x.sra")
    put(here / "b" / "x.sra")
    assert "--name" in refusal_of(["a/x.sra", "b/x.sra"]).hint


@pytest.mark.parametrize(
    "word",
    [
        "-h", "a b", "SRR1;ls", "SRR139146\n", "x" * 10_240, "x" * 10_240 + ".sra", "", "no.sra", "./no",
        "/", ".", "a\0/b", "\0.sra", "~nobody-of-this-name/x.sra", "y\n.sra", "../x.sra", "\udcff/x.sra",
    ],
    ids=lambda word: ascii(word)[:30],
)  # fmt: skip
def test_invalid_source_is_refused_with_a_short_printable_message(here: Path, word: str) -> None:
    put(here / "y\n.sra")
    error = refusal_of([word])
    assert error.sentence.isprintable()
    assert len(error.sentence) < 700


@pytest.mark.parametrize("words", [[], ["-"]])
def test_empty_command_line_and_empty_list_are_refused(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    type_in(monkeypatch, b"# nothing\n\n")
    assert refusal_of(words).sentence == "nothing to compute"


def test_list_can_have_comments_blank_lines_and_any_line_ends(here: Path) -> None:
    archive = put(here / "run#1" / "x.sra")
    (here / "list").write_bytes(b"# runs\n\nSRR139146\r\n  SRR139147  # the second\n\t# none\n./run#1/x.sra")
    sources = parse_sources(["ERR000001"], here / "list", "")
    assert [str(source) for source in sources] == ["ERR000001", "SRR139146", "SRR139147", str(archive)]


def test_dash_reads_a_list_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, b"SRR139146 # one\nSRR139147\n")
    assert [source.name for source in parse_sources(["-"], None, "")] == ["SRR139146", "SRR139147"]


@pytest.mark.parametrize("data", [b"\xff\n", b"SRR139146\n\xfe"])
def test_list_that_is_not_utf8_is_refused(monkeypatch: pytest.MonkeyPatch, here: Path, data: bytes) -> None:
    (here / "list").write_bytes(data)
    type_in(monkeypatch, data)
    refusal_of([], here / "list")
    refusal_of(["-"])


def test_missing_list_and_directory_as_list_are_refused(here: Path) -> None:
    assert "no such file" in refusal_of([], here / "list").sentence
    refusal_of([], here)


def test_error_in_a_list_has_the_line_number(here: Path) -> None:
    (here / "list").write_text("# runs\nSRR139146\n\nSRR1\n")
    error = refusal_of([], here / "list")
    assert error.sentence == f"{here / 'list'}, line 4: 'SRR1' is not the accession of a run"


def test_several_errors_are_reported_together_up_to_a_limit(here: Path) -> None:
    (here / "list").write_text("".join(f"bad{n}\n" for n in range(1, 9)))
    error = refusal_of(["SRR139146", "worse"], here / "list")
    assert error.sentence.startswith("9 of these can't be computed; nothing was queued:\n  'worse' is not")
    assert "line 4: 'bad4'" in error.sentence
    assert "bad5" not in error.sentence
    assert error.sentence.endswith("and 4 more")


def test_invalid_lines_are_skipped_and_reported(here: Path) -> None:
    (here / "list").write_text("SRR139146\nSRR1\nERR000001\n../x.sra\n")
    skipped: list[str] = []
    sources = parse_sources([], here / "list", "", skip=skipped.append)
    assert [str(source) for source in sources] == ["SRR139146", "ERR000001"]
    assert [sentence.partition(": ")[2].partition(": ")[0] for sentence in skipped] == [
        f"{here / 'list'}, line 2",
        f"{here / 'list'}, line 4",
    ]


def test_list_without_a_valid_line_is_refused_although_invalid_ones_may_be_skipped(here: Path) -> None:
    (here / "list").write_text("SRR1\nSRR2\n")
    with pytest.raises(UsageError, match="2 of these"):
        parse_sources([], here / "list", "", skip=lambda _: None)


def test_refusal_of_a_list_names_the_option_that_skips(here: Path) -> None:
    (here / "list").write_text("SRR139146\nSRR1\n")
    assert "--skip-invalid" in refusal_of([], here / "list").hint


def test_accession_in_lower_case_is_taken_with_one_word_for_all() -> None:
    said: list[str] = []
    found = parse_sources(["srr139146", "Err000001", "SRR139147", "srr139146"], None, "", notice=said.append)
    assert [str(source.name) for source in found] == ["SRR139146", "ERR000001", "SRR139147"]
    assert said == ["srr139146 is taken as SRR139146, and 1 other accession likewise"]


@pytest.mark.parametrize("name", ["x.sra", "./x.sra"])
def test_file_that_is_no_archive_is_named_for_what_it_is(here: Path, name: str) -> None:
    (here / name).write_bytes(b"@r1\nACGT\n+\nIIII\n")
    refusal = refusal_of([name])
    assert refusal.sentence.endswith("is not an SRA archive: this is FASTQ")
    assert "--reads FILE" in refusal.hint


def test_file_of_unknown_content_is_no_archive(here: Path) -> None:
    (here / "x.sra").write_bytes(b"\1\2\3")
    assert refusal_of(["x.sra"]).sentence.endswith("is not an SRA archive")


def test_archive_without_a_known_ending_is_named_by_its_path(here: Path) -> None:
    put(here / "mine.bin")
    assert "is an archive, not an accession" in refusal_of(["mine.bin"]).sentence
    assert source_of("./mine.bin", "mine") == Source(LocalName("mine"), here / "mine.bin")
