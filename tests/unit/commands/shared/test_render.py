"""Tests of the output: escaped control characters, readable numbers, one format per kind of reader."""

import json

import pytest

from wort_cli.commands.shared import render

RECORDS: list[dict[str, object]] = [
    {"name": "a\tb", "state": "done", "n": 1},
    {"name": "\x1b[2J\n", "state": "", "n": None},
]


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
        (-5, "0s"), (0, "0s"), (0.4, "0s"), (59, "59s"), (59.6, "1m 00s"), (60, "1m 00s"), (190, "3m 10s"),
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


def test_pipe_gets_one_tab_separated_line_per_record(capsys: pytest.CaptureFixture[str]) -> None:
    render.table(("name", "state", "n"), RECORDS)
    assert capsys.readouterr() == ("a\\tb\tdone\t1\n\\x1b[2J\\n\t\t\n", "")


@pytest.mark.parametrize(
    ("form", "expected"),
    [("csv", 'name,n\n"a, ""b""",1\n'), ("tsv", 'name\tn\n"a, ""b"""\t1\n')],
)
def test_csv_and_tsv_have_a_header_and_quoted_fields(
    capsys: pytest.CaptureFixture[str], form: str, expected: str
) -> None:
    render.table(("name", "n"), [{"name": 'a, "b"', "n": 1}], file_format=form)
    assert capsys.readouterr().out == expected


def test_json_is_one_ascii_document_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    render.table(("name",), RECORDS, as_json=True)
    output = capsys.readouterr().out
    assert json.loads(output) == RECORDS
    assert output.replace("\n", "").isprintable()
    assert output.isascii()


def test_result_goes_to_stdout_and_notice_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    render.result("result")
    render.notice("aside")
    assert capsys.readouterr() == ("result\n", "aside\n")


def test_terminal_table_omits_empty_columns_and_renames_headers(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"name": "[red]x\x1b", "n": 1, "a_b": "c", "empty_column": ""}
    render.rich_table(("name", "n", "a_b", "empty_column"), [record], {"n": "number"})
    output = capsys.readouterr().out
    assert output.split("\n")[0].split() == ["name", "number", "a", "b"]
    assert r"[red]x\x1b" in output
    assert "empty" not in output


@pytest.mark.parametrize("number", [0, 1, 3])
def test_list_of_records_is_one_json_document(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    records = [{"n": n, "text": 'a"b\n'} for n in range(number)]
    render.table(("n", "text"), iter(records), as_json=True)
    assert json.loads(capsys.readouterr().out) == records


@pytest.mark.parametrize("columns", ["80", "120"])
def test_ids_and_paths_are_never_folded_in_a_narrow_terminal(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    path, digest = "/home/ann/" + "x" * 90 + ".sig", "0123456789abcdef" * 4
    record = {"name": "SRR139146", "reason": "a long sentence that gives way " * 3, "digest": digest, "path": path}
    render.rich_table(("name", "reason", "digest", "path"), [record])
    out = capsys.readouterr().out
    assert path in out
    assert digest in out
    assert "SRR139146" in out
    assert len(out.splitlines()) > 2  # the reason is folded
