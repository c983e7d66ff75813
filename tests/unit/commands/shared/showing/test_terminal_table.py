"""Tests of the tables of a terminal: folded texts, alignment and styles."""

import pytest

from wort_cli.commands.shared.showing.fields import ID, NUMBER, PROSE, TEXT, Field
from wort_cli.commands.shared.showing.styles import drawing, sequences
from wort_cli.commands.shared.showing.terminal_table import cells_of, folded, write_table

FIELDS = (Field("name", ID, ""), Field("state", TEXT, ""), Field("n", NUMBER, ""), Field("why", PROSE, ""))


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)


def printed(capsys: pytest.CaptureFixture[str], *rows: tuple[str, ...]) -> list[str]:
    """Return the lines of a table."""
    columns = zip(*rows, strict=True)
    write_table(FIELDS, {field.key: texts for field, texts in zip(FIELDS, columns, strict=True)})
    return capsys.readouterr().out.splitlines()


def test_states_have_colours_and_the_spaces_beside_them_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, ("x", "done", "1", ""), ("long", "unavailable", "12", "why")) == [
        "\x1b[1mname  state         n  why\x1b[0m",
        "x     \x1b[32mdone\x1b[0m          1",
        "long  \x1b[35munavailable\x1b[0m  12  why",
    ]


def test_folded_cells_keep_their_column_and_their_style(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, ("x" * 20, "failed", "1", "no answer from the server within 60 seconds")) == [
        "\x1b[1mname                  state   n  why\x1b[0m",
        f"{'x' * 20}  \x1b[31mfailed\x1b[0m  1  no answer from the server",
        " " * 33 + "within 60 seconds",
    ]


def test_wide_characters_take_two_cells(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, ("漢字", "ok", "1", ""), ("a\u0301b", "x", "1", ""), ("abcdef", "x", "1", ""))
    assert [line.index("1") for line in lines[2:]] == [16, 15]
    assert lines[1].startswith("漢字    \x1b[32mok")
    assert cells_of("漢字a\u0301") == 5


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("one two three", ["one two", "three"]),
        ("abcdefghij", ["abcdefgh", "ij"]),
        ("a bcdefghijk", ["a", "bcdefghi", "jk"]),
        ("漢字漢字漢", ["漢字漢字", "漢"]),
        ("one     two", ["one", "two"]),
    ],
)
def test_text_is_folded_between_words_if_that_is_possible(text: str, lines: list[str]) -> None:
    assert folded(text, 8) == lines


@pytest.mark.parametrize(
    ("variables", "starts"),
    [
        ({}, ["\x1b[1m", "\x1b[31m", "\x1b[1;31m"]),
        ({"NO_COLOR": "1"}, ["\x1b[1m", "", "\x1b[1m"]),
        ({"TERM": "dumb"}, ["", "", ""]),
    ],
)
def test_terminal_gets_the_styles_that_it_shows(
    variables: dict[str, str], starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert list(sequences(["bold", "red", "bold red"]).values()) == starts


def test_matches_of_patterns_are_drawn_in_their_style(capsys: pytest.CaptureFixture[str]) -> None:
    drawing(["ok  it is ok", "---x"], {"^ok": "green", "-+": "dim"})
    assert capsys.readouterr().out == "\x1b[32mok\x1b[0m  it is ok\n\x1b[2m---\x1b[0mx\n"
