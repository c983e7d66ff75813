"""Writes what was asked for and is not there, as a table that `wort compute --from-file FILE` takes."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wort_cli.errors import printable
from wort_cli.model.absence import COLUMNS, Absence
from wort_cli.system.atomic_files import long_output


class MissingFile:
    """The table that is being written."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self.number = 0

    def add(self, absence: Absence) -> None:
        """Write a row; control characters are escaped."""
        self.number += 1
        self._writer.writerow([harmless_cell(cell) for cell in absence.cells()])


def harmless_cell(text: str) -> str:
    """Return a text without control characters, and without a first character that a spreadsheet calculates from."""
    text = printable(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and len(text) > 0 else text


@contextmanager
def missing_file(path: Path) -> Iterator[MissingFile]:
    """Yield a table, which appears at `path` when it is complete; without any row, it has the header only."""
    with long_output(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        yield MissingFile(writer)
        text.flush()
        text.detach()
