"""Tests of the forms of a result: the same records as JSON, as lines of a pipe, and as a table of a terminal."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wort_cli.commands.shared.showing.fields import (
    BOOLEAN,
    BYTES,
    ID,
    NUMBER,
    PATH,
    TEXT,
    TIME,
    Document,
    Field,
    list_of,
)
from wort_cli.commands.shared.showing.printing import Form, print_document, print_facts, print_records

DOCUMENT = Document(
    "test",
    "A test.",
    head=(Field("dry_run", BOOLEAN, "Whether nothing was done"),),
    rows="things",
    row=(
        Field("name", ID, "The name"),
        Field("state", TEXT, "The state"),
        Field("n", NUMBER, "A number", optional=True, title="number"),
        Field("size", BYTES, "The size", optional=True),
        Field("k", list_of(NUMBER), "Several numbers"),
        Field("ended_at", TIME, "The end", optional=True),
        Field("reason", TEXT, "A sentence", optional=True),
        Field("ok", BOOLEAN, "Whether it is right"),
        Field("digest", ID, "The digest", optional=True),
        Field("path", PATH, "The file", optional=True),
    ),
    columns=("name", "state", "n", "size", "k", "ended_at", "reason", "ok", "digest", "path"),
)
HEAD = {"dry_run": False}


def thing(**values: Any) -> dict[str, Any]:
    """Return a record with some values."""
    empty: dict[str, Any] = {field.key: None for field in DOCUMENT.row}
    return {**empty, "name": "x", "state": "done", "k": [], "ok": True, **values}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    yield


def test_pipe_gets_a_header_and_one_line_per_record(capsys: pytest.CaptureFixture[str]) -> None:
    records = [
        thing(name="a\tb", n=1234567, size=2000, k=[21, 31], ended_at="2026-11-27T07:12:31.036Z", ok=False),
        thing(name="\x1b[2J\n", state='a, "b"'),
    ]
    print_records(DOCUMENT, records, Form.TSV, head=HEAD)
    assert capsys.readouterr().out.split("\n") == [
        "name\tstate\tn\tsize\tk\tended_at\treason\tok\tdigest\tpath",
        "a\\tb\tdone\t1234567\t2000\t21,31\t2026-11-27T07:12:31.036Z\t\tfalse\t\t",
        '\\x1b[2J\\n\ta, "b"\t\t\t\t\t\ttrue\t\t',
        "",
    ]


def test_header_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_records(DOCUMENT, [thing()], Form.TSV, header=False, columns=("name", "state"))
    assert capsys.readouterr().out == "x\tdone\n"


def test_csv_quotes_fields(capsys: pytest.CaptureFixture[str]) -> None:
    print_records(DOCUMENT, [thing(state='a, "b"')], Form.CSV, columns=("state", "ok"))
    assert capsys.readouterr().out == 'state,ok\n"a, ""b""",true\n'


@pytest.mark.parametrize("number", [0, 1, 3])
def test_list_is_a_list_in_an_envelope(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    records = [thing(n=n, state='a"b\n\x1b') for n in range(number)]
    print_records(DOCUMENT, iter(records), Form.JSON, head=HEAD)
    output = capsys.readouterr().out
    assert json.loads(output) == {"schema": 1, "command": "test", "dry_run": False, "things": records}
    assert output.replace("\n", "").isprintable()
    assert output.isascii()


def test_document_is_closed_when_an_error_ends_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    def records() -> Iterator[dict[str, Any]]:
        yield thing()
        raise OSError

    with pytest.raises(OSError):
        print_records(DOCUMENT, records(), Form.JSON, head=HEAD)
    assert len(json.loads(capsys.readouterr().out)["things"]) == 1


@pytest.mark.parametrize("record", [{"name": "x"}, {**thing(), "other": 1}])
def test_record_with_other_keys_is_an_error(record: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        print_records(DOCUMENT, [record], Form.JSON, head=HEAD)
    with pytest.raises(KeyError):
        print_document(DOCUMENT, {})


def test_table_has_units_and_omits_empty_columns(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    print_records(DOCUMENT, [thing(name="[red]x\x1b", n=1234567, size=2_000_000, k=[21, 31])], Form.TERMINAL)
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "state", "number", "size", "k", "ok"]
    assert row.split() == ["[red]x\\x1b", "done", "1,234,567", "2.0", "MB", "21,31", "yes"]


def test_table_without_records_is_empty(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    print_records(DOCUMENT, [], Form.TERMINAL)
    assert capsys.readouterr().out == ""


def test_ids_and_paths_are_never_folded_and_the_middle_gives_way(
    terminal: None, capsys: pytest.CaptureFixture[str]
) -> None:
    path, digest = "/home/ann/" + "x" * 90 + ".sig", "0123456789abcdef" * 4
    record = thing(n=1234567, reason="a long sentence that gives way " * 3, digest=digest, path=path)
    print_records(DOCUMENT, [record], Form.TERMINAL)
    captured = capsys.readouterr()
    assert path in captured.out
    assert digest in captured.out
    assert captured.err == "left out, for lack of space: reason, ok\n"
    assert len(captured.out.splitlines()) == 2


def test_places_do_not_break_several_lines(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    records = [thing(path="/" + "x" * 70, reason="why") for _ in range(2)]
    print_records(DOCUMENT, records, Form.TERMINAL, columns=("name", "state", "ok", "reason", "path"))
    captured = capsys.readouterr()
    assert captured.out.splitlines() == ["name  state  ok   reason", *["x     done   yes  why"] * 2]
    assert captured.err == "left out, for lack of space: path\n"


def test_person_sees_the_home_directory_as_a_tilde(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    path = f"{Path.home()}/x.sig"
    for form, shown in ((Form.TERMINAL, "~/x.sig"), (Form.TSV, path)):
        print_records(DOCUMENT, [thing(path=path)], form, columns=("path",))
        assert capsys.readouterr().out.splitlines()[1:] == [shown]


def test_long_text_is_folded_before_columns_are_left_out(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    print_records(DOCUMENT, [thing(n=1, reason="a long sentence that gives way " * 4)], Form.TERMINAL)
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) > 2
    assert max(map(len, captured.out.splitlines())) <= 80
    assert captured.err == ""


def test_facts_have_a_header_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_facts({"state": "running", "since": None})
    assert capsys.readouterr().out == "key\tvalue\nstate\trunning\nsince\t\n"


def test_form_is_that_of_the_options_or_of_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (Form.of(as_json=True), Form.of(as_csv=True), Form.of()) == (Form.JSON, Form.CSV, Form.TSV)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert (Form.of(), Form.of(as_tsv=True)) == (Form.TERMINAL, Form.TSV)
