"""docs/decoding.md has the tables of the in-process decoder."""

from scripts.decoding import DOCUMENT, document
from wort_cli.pipeline.decoding.layouts import COLUMNS, Column


def test_document_has_the_tables_of_the_code() -> None:
    assert document() == DOCUMENT.read_text(encoding="utf-8"), "run `make docs`"


def test_each_column_of_the_decoder_has_its_row() -> None:
    assert [row.name for row in COLUMNS] == [column.name for column in Column]
