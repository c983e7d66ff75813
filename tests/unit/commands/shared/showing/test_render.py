"""Tests of lines of output: escaped control characters, readable numbers."""

import pytest

from wort_cli.commands.shared.showing import render


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0, "0"),
        ("", ""),
        ('größer, it\'s "fine" \\ 漢', 'größer, it\'s "fine" \\ 漢'),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31mred\x07\x7f", r"\x1b[31mred\x07\x7f"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202eevil\u2028", r"\u202eevil\u2028"),
        ("\udcff", r"\udcff"),
        ("\0", r"\x00"),
    ],
)
def test_control_characters_are_escaped(value: object, text: str) -> None:
    assert render.printable(value) == text
    assert render.printable(value).isprintable()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"), (0, "0s"), (0.4, "<1s"), (59, "59s"), (59.6, "1m 00s"), (60, "1m 00s"), (190, "3m 10s"),
        (3599, "59m 59s"), (3599.7, "1h 00m"), (7500, "2h 05m"), (360_000, "100h 00m"),
    ],
)  # fmt: skip
def test_duration_has_at_most_two_units(seconds: float, text: str) -> None:
    assert render.duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (1000, "1,000 runs")])
def test_count_has_singular_and_plural(number: int, text: str) -> None:
    assert render.count(number, "run") == text


def test_local_time_of_none_is_empty() -> None:
    assert render.local_time(None) == ""
    assert len(render.local_time(1_700_000_000.5)) == len("2023-11-14 22:13:20")


def test_result_goes_to_stdout_and_notice_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    render.result("result")
    render.notice("aside")
    assert capsys.readouterr() == ("result\n", "aside\n")


def test_notice_on_a_terminal_is_broken_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    text = "no answer from the server within 60 s\n  see the how-to page of https://example.org/a-long-name\n"
    render.notice(text)
    assert capsys.readouterr().err == f"{text}\n"
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    render.notice(text)
    lines = [
        "no answer from the server",
        "within 60 s",
        "  see the how-to page of",
        "  https://example.org/a-long-name",
    ]
    assert capsys.readouterr().err.splitlines() == [*lines, ""]
