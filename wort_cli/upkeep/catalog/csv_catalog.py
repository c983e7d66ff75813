"""Writes a catalog as the CSV manifest of sourmash, with more columns."""

import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import replace
from typing import IO, Any, cast

from wort_cli.ledger.catalog_file import date_text
from wort_cli.model.catalog_columns import CATALOG_COLUMNS, DATE, OF_PAGE_SIGNATURES, CatalogPage
from wort_cli.model.sketch_row import VERSION_LINE
from wort_cli.upkeep.export.missing_file import harmless_cell

DATE_AT = OF_PAGE_SIGNATURES.index(DATE)


def write_csv(file: IO[bytes], pages: Iterable[CatalogPage], *, compressed: bool) -> int:
    """Write a catalog; return the number of its rows.  The same rows give the same bytes."""
    number = 0
    raw = cast(IO[bytes], gzip.GzipFile("", "wb", 5, file, mtime=0)) if compressed else file
    text = io.TextIOWrapper(raw, "utf-8", newline="")
    text.write(VERSION_LINE)
    writer: Any = csv.writer(text, lineterminator="\n")  # duckdb refuses the mixed line ends of sourmash
    writer.writerow(CATALOG_COLUMNS)
    for page in pages:
        writer.writerows(replace(page, signatures=list(map(shown_cells, page.signatures))).rows())
        number += len(page.sketches)
    text.flush()
    text.detach()
    if compressed:
        raw.close()
    return number


def shown_cells(signature: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what a signature has with its date as text, and texts that others wrote without control characters."""
    texts = (harmless_cell(cell) if type(cell) is str else cell for cell in signature[DATE_AT + 1 :])
    return (*signature[:DATE_AT], date_text(signature[DATE_AT]), *texts)
