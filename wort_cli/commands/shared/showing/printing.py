"""Prints what a command found, in the form that was asked for: the one place where results become text.

JSON: one document, `{"schema": 1, "command": ..., ..., LIST: [...]}`, with the same keys every time.  A pipe: a header
and a line for each record, separated by tabs.  A terminal: a table without a frame.  The list comes last and is
written while it is made, so that a million records need no memory.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import Any, Self

from wort_cli.commands.shared.showing import render
from wort_cli.commands.shared.showing.fields import Document, Field, Record
from wort_cli.commands.shared.showing.terminal_table import write_table

SCHEMA = 1
"""The version of all documents.  A key that is added does not change it; one that is removed or changed does."""
WIDEST_NAME = 30
"""Columns of the names of facts; a longer name, such as one with a path, moves its value only."""
NOTHING: Mapping[str, Any] = {}


class Form(Enum):
    """The form of a result."""

    TERMINAL = "terminal"
    TSV = "tsv"
    CSV = "csv"
    JSON = "json"

    @classmethod
    def of(cls, *, as_json: bool = False, as_csv: bool = False, as_tsv: bool = False) -> Self:
        """Return the form that the options ask for; without any, the form that suits stdout."""
        if as_json:
            return cls("json")
        if as_csv:
            return cls("csv")
        return cls("terminal" if render.is_terminal() and not as_tsv else "tsv")


def print_document(document: Document, values: Record) -> None:
    """Print a document that has no list, as JSON."""
    checked(document.head, values, document.command)
    json.dump({"schema": SCHEMA, "command": document.command, **values}, sys.stdout, indent=1)
    sys.stdout.write("\n")


def print_records(
    document: Document,
    records: Iterable[Record],
    form: Form,
    *,
    header: bool = True,
    head: Record = NOTHING,
    columns: Sequence[str] = (),
) -> None:
    """Print records.  `head` has the other keys of the document; `columns` are others than those of the document."""
    if form is Form.TERMINAL:
        table(document.fields_of(columns or document.columns), list(records))
        return
    with lines_of(document, form, header=header, head=head, columns=columns) as write:
        for record in records:
            write(record)


@contextmanager
def lines_of(
    document: Document,
    form: Form,
    *,
    header: bool = True,
    head: Record = NOTHING,
    columns: Sequence[str] = (),
) -> Iterator[Callable[[Record], None]]:
    """Yield a function that writes one record.  The document is closed even if an error ends the list."""
    if form is Form.JSON:
        with json_list(document, head) as write:
            yield write
        return
    keys = columns or document.columns
    writer = csv.writer(sys.stdout, delimiter="," if form is Form.CSV else "\t", lineterminator="\n")
    if form is Form.TERMINAL:
        yield lambda record: render.result(aligned(document, keys, record))
        return
    if header:
        write_row(writer, keys, form)
    yield lambda record: write_row(writer, [plain(record[key]) for key in keys], form)


def write_row(writer: Any, cells: Sequence[str], form: Form) -> None:
    """Write a line of a pipe.  Only CSV quotes, because `printable` leaves no tab and no line end in a cell."""
    if form is Form.CSV:
        writer.writerow(cells)
    else:
        render.result("\t".join(cells))


@contextmanager
def json_list(document: Document, head: Record) -> Iterator[Callable[[Record], None]]:
    """Yield a function that writes one record into the list of a JSON document."""
    checked(document.head, head, document.command)
    start = json.dumps({"schema": SCHEMA, "command": document.command, **head}, indent=1).removesuffix("\n}")
    sys.stdout.write(f'{start},\n "{document.rows}": [')
    separator = "\n"

    def write(record: Record) -> None:
        nonlocal separator
        checked(document.row, record, document.command)
        sys.stdout.write(separator + json.dumps(dict(record), indent=1))
        separator = ",\n"

    try:
        yield write
    finally:
        sys.stdout.write("]\n}\n" if separator == "\n" else "\n ]\n}\n")


def checked(fields: Sequence[Field], record: Record, command: str) -> None:
    """Raise KeyError unless a record has exactly the keys of its fields: the same keys every time."""
    if record.keys() != {field.key for field in fields}:
        wrong = record.keys() ^ {field.key for field in fields}
        raise KeyError(f"{command}: {', '.join(sorted(wrong))}")


def plain(value: Any) -> str:
    """Return a value for a program that reads lines: as in JSON, lists joined by commas, nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return render.printable(json.dumps(value))
    if isinstance(value, list | tuple):
        return ",".join(map(plain, value))
    return render.printable(value)


def texts(document: Document, keys: Sequence[str], record: Record) -> list[str]:
    """Return the cells of a record for a person."""
    return [render.printable(field.text(record[field.key])) for field in document.fields_of(keys)]


def aligned(document: Document, keys: Sequence[str], record: Record) -> str:
    """Return a record as a line for a person, before the next ones are known: in columns if values are short."""
    widths = [
        max(field.kind.least, len(field.header)) if "enum" in field.kind.schema else 10
        for field in document.fields_of(keys)
    ]
    cells = texts(document, keys, record)
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()


def print_facts(pairs: Mapping[str, object], *, header: bool = True) -> None:
    """Print names and values, one pair a line: aligned on a terminal, with a header and tabs in a pipe."""
    if not render.is_terminal():
        if header:
            render.result("key\tvalue")
        for name, value in pairs.items():
            render.result(f"{name.strip()}\t{plain(value)}")
        return
    width = max((len(name) for name in pairs if len(name) <= WIDEST_NAME), default=0)
    for name, value in pairs.items():
        render.result(f"{name:<{width}}  {render.printable(value)}".rstrip())


def table(fields: Sequence[Field], records: Sequence[Record]) -> None:
    """Print a table for a person; columns without any value are left out.  Without records, nothing is printed."""
    if not records:
        return
    cells = {field.key: [render.printable(field.text(record[field.key])) for record in records] for field in fields}
    write_table([field for field in fields if any(cells[field.key])], cells)
