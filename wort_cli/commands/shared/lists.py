"""Reads lists of runs and archives as people have them.

A list is plain text with one entry per line, or a table that has a column of runs in its header: RunInfo and
SraRunTable of NCBI, a file report of ENA, in commas or tabs.  Byte-order marks, UTF-16, quotes, trailing commas and any
line ends are accepted, because spreadsheets write them.
"""

import codecs
import contextlib
import csv
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from wort_cli.errors import NoSuchFile, UsageError
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.reading.run_tables import BadRow, TableLayout

COMMENT = re.compile(r"(^|\s)#.*")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
RUN_COLUMNS = ("run", "run_accession", "run accession", "run_s", "acc")
"""Names of the column of runs, in lower case: of RunInfo and SraRunTable, of ENA, and of the metadata in the cloud."""

MISSING_COLUMN = "accession"
"""The first column of what `wort export` and sourmash_plugin_directsketch write of what is missing."""


def listed_words(
    words: Sequence[str], from_file: Path | None, seen: Callable[[str, str], None] | None = None
) -> list[tuple[str, str]]:
    """Return the words of the command line and of lists, each with its place; UsageError if a list cannot be read.

    `seen` gets the name and the text of each list.
    """
    items = [("", word) for word in words if word != "-"]
    lists = [("standard input", decode_list(sys.stdin.buffer.read()))] if "-" in words else []
    if from_file is not None:
        lists.append((str(from_file), read_list(from_file)))
    for name, text in lists:
        items += [(f"{name}, line {n}: ", line) for n, line in entries(text)]
        if seen is not None:
            seen(name, text)
    return items


def table_runs(text: str) -> Iterator[RunMetadata]:
    """Yield what a table says of its runs; nothing for a plain list."""
    if (column := run_column(text)) is None:
        return
    rows = csv.reader((line for _, line in plain_lines(text)), delimiter=column[0])
    layout = TableLayout.of(next(rows))
    for row in rows if layout else ():
        cells = [*row, *[""] * (layout.width - len(row))][: layout.width] if layout else []
        with contextlib.suppress(BadRow):
            if layout is not None:
                yield layout.read(cells)


def read_list(path: Path) -> str:
    """Return the text of a list; NoSuchFile if it cannot be read."""
    try:
        return decode_list(path.read_bytes())
    except OSError as error:
        raise NoSuchFile(path, error.strerror or str(error)) from None


def decode_list(data: bytes) -> str:
    """Return the text of a list; UsageError if it is neither UTF-8 nor UTF-16 with a byte-order mark."""
    encoding = next((encoding for mark, encoding in BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise UsageError("the list is not a text file in UTF-8", "save it as plain text, or as CSV in UTF-8") from None


def entries(text: str) -> Iterator[tuple[int, str]]:
    """Yield the entries of a list with their line numbers, without blank lines and comments."""
    column = run_column(text)
    yield from plain_entries(text) if column is None else column_entries(text, *column)


def plain_entries(text: str) -> Iterator[tuple[int, str]]:
    """Yield the entries of a list with one entry per line.

    A comment is a # at the start of a line or after white space; a # within a word belongs to a path.
    """
    for number, line in enumerate(text.split("\n"), 1):
        word = COMMENT.sub("", line).strip().rstrip(",;").strip()
        if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":
            word = word[1:-1].strip()
        if word:
            yield number, word


def run_column(text: str) -> tuple[str, str] | None:
    """Return the delimiter of a table and the name of its column of runs; None if the text is not such a table."""
    header = next((line for _, line in plain_lines(text)), "")
    for delimiter in (",", "\t"):
        for name in next(csv.reader([header], delimiter=delimiter), []):
            if name.strip().lower() in RUN_COLUMNS and (delimiter in header or name.strip() == "Run"):
                return delimiter, name
    return (",", MISSING_COLUMN) if header.startswith(f"{MISSING_COLUMN},name,") else None


def plain_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither blank nor a comment."""
    for number, line in enumerate(text.split("\n"), 1):
        if (line := line.rstrip("\r")).strip() and not line.lstrip().startswith("#"):
            yield number, line


def column_entries(text: str, delimiter: str, column: str) -> Iterator[tuple[int, str]]:
    """Yield the runs in a column of a table; a header that is repeated, as in joined tables, is passed over."""
    numbered = list(plain_lines(text))
    rows = csv.reader((line for _, line in numbered), delimiter=delimiter)
    position = next(rows).index(column)
    for row in rows:
        word = row[position].strip() if position < len(row) else ""
        if word and word != column.strip():
            yield numbered[rows.line_num - 1][0], word
