"""Reads lists of runs and archives as people have them.

A list is plain text with one entry per line, or a table that has a column of runs in its header: RunInfo and
SraRunTable of NCBI, a file report of ENA, in commas, semicolons or tabs.  Byte-order marks, UTF-16, quotes, trailing
commas and any line ends are accepted, because spreadsheets write them.
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
from wort_cli.reading.run_tables import RUN_COLUMNS, BadRow, TableLayout, plain_name

COMMENT = re.compile(r"(^|\s)#.*")
ONE = r"[A-Za-z]{3,6}(?:[0-9]+|_[0-9]{9}\.[0-9]+)"
SEVERAL = re.compile(rf"{ONE}(?:(?:\s*[,;]\s*|\s+){ONE})+")
"""Accessions that share a line or a cell."""
ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""The encoding of a file with such a byte-order mark."""
DELIMITERS = ",\t;"
"""Semicolons are those of spreadsheets where a comma marks decimals."""
GZIP = b"\x1f\x8b"
MISSING_COLUMN = "accession"
"""The first column of what `wort export` and sourmash_plugin_directsketch write of what is missing."""


def listed_words(
    words: Sequence[str], from_file: Path | None, seen: Callable[[str, str], None] | None = None
) -> list[tuple[str, str]]:
    """Return the words of the command line and of lists, each with its place; UsageError if a list cannot be read.

    `seen` gets the name and the text of each list.
    """
    items = [("", word) for word in words if word != "-"]
    lists = []
    if "-" in words:
        lists.append(("standard input", decode_list(sys.stdin.buffer.read(), "standard input")))
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
    rows = table_rows(text, column[0])
    if (layout := TableLayout.of(next(rows)[1])) is None:
        return
    for _, row in rows:
        with contextlib.suppress(BadRow):
            yield layout.read([*row, *[""] * (layout.width - len(row))][: layout.width])


def read_list(path: Path) -> str:
    """Return the text of a list; NoSuchFile if it cannot be read."""
    try:
        return decode_list(path.read_bytes(), str(path))
    except OSError as error:
        raise NoSuchFile(path, error.strerror or str(error)) from None


def decode_list(data: bytes, name: str) -> str:
    """Return the text of a list with line feeds as line ends; UsageError if it is neither UTF-8 nor UTF-16."""
    try:
        text = data.decode(encoding_of(data))
    except UnicodeDecodeError:
        hint = "unpack it" if data.startswith(GZIP) else "save it as plain text, or as CSV in UTF-8"
        raise UsageError(f"{name} is not a text file in UTF-8", hint) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def encoding_of(data: bytes) -> str:
    """Return the encoding of a list: by its mark, or by the NUL bytes that UTF-16 has; else UTF-8."""
    by_mark = next((encoding for mark, encoding in ENCODINGS if data.startswith(mark)), "")
    if by_mark or len(data) < 2 or 0 not in data[:2]:
        return by_mark or "utf-8"
    return "utf-16-be" if data[0] == 0 else "utf-16-le"


def entries(text: str) -> Iterator[tuple[int, str]]:
    """Yield the entries of a list with their line numbers, without blank lines and comments.  Raises UsageError."""
    column = run_column(text)
    found = plain_entries(text) if column is None else column_entries(text, *column)
    for number, word in found:
        for one in re.split(r"[\s,;]+", word) if SEVERAL.fullmatch(word) else (word,):
            yield number, one


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
    for delimiter in DELIMITERS:
        with contextlib.suppress(UsageError):  # its first line is no row: it is not a table
            for name in next(table_rows(header, delimiter), (0, []))[1]:
                if plain_name(name) in RUN_COLUMNS:
                    return delimiter, name
    return (",", MISSING_COLUMN) if header.startswith(f"{MISSING_COLUMN},name,") else None


def plain_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither blank nor a comment."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def column_entries(text: str, delimiter: str, column: str) -> Iterator[tuple[int, str]]:
    """Yield the runs in a column of a table; a header that is repeated, as in joined tables, is skipped."""
    rows = table_rows(text, delimiter)
    position = next(rows)[1].index(column)
    for number, row in rows:
        word = row[position].strip() if position < len(row) else ""
        if word and word != column.strip():
            yield number, word


def table_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table, each with the number of its last line.

    Raises UsageError where quotes do not fit, because the rows from there on would be taken for one.  With tabs a row
    is a line: ENA writes quotes as they are.
    """
    numbered = list(plain_lines(text))
    if delimiter == "\t":
        for number, line in numbered:
            cells = line.split("\t")
            yield number, [cell.strip().strip('"') for cell in cells] if '"' in line else cells
        return
    rows, read = csv.reader((f"{line}\n" for _, line in numbered), delimiter=delimiter, strict=True), 0
    try:
        for row in rows:
            read = rows.line_num
            yield numbered[read - 1][0], row
    except csv.Error as error:
        raise UsageError(
            f"line {numbered[read][0]} of the table cannot be read: {error}",
            "correct its quotes, or give the column of runs alone",
        ) from None
