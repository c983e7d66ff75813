"""Writes any columns of any table of any schema, with the SRA toolkit's general-loader.

general-loader reads the cells of tables as a binary stream: the unpacked stream of sra-tools' general-writer.h, version
2.  An event is a word with its code in the top byte and the number, from 1, of a table or column below; then come
lengths, and strings or elements, padded with zeros to four bytes.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import run

SCHEMAS = Path("/usr/lib/ncbi-vdb")
END, PATH, USE_SCHEMA, NEW_TABLE, NEW_COLUMN, OPEN_STREAM, CELL_DATA, NEXT_ROW = 2, 3, 4, 5, 6, 7, 9, 10

Row = Mapping[str, Sequence[int]]
"""The cells of a row, by column name without the type."""


@dataclass(frozen=True)
class TableRows:
    """A table of a database."""

    name: str
    columns: Mapping[str, str]
    """Typed names in the schema, and the struct code of an element."""
    rows: Iterable[Row]


def event(code: int, number: int, *sizes: int, data: bytes = b"") -> bytes:
    """Return an event of the stream."""
    return struct.pack(f"<{1 + len(sizes)}I", code << 24 | number, *sizes) + data + bytes(-len(data) % 4)


def database_stream(schema: str, kind: str, tables: Sequence[TableRows]) -> Iterator[bytes]:
    """Yield the stream of a database of type `kind`, which the file `schema` declares."""
    yield struct.pack("<8s4I", b"NCBIgnld", 1, 2, 24, 0)
    yield event(PATH, 0, 3, data=b"run")  # required, though -T overrides it
    yield event(USE_SCHEMA, 0, len(schema), len(kind), data=schema.encode() + kind.encode())
    numbers: dict[tuple[str, str], int] = {}
    for number, table in enumerate(tables, 1):
        yield event(NEW_TABLE, number, len(table.name), data=table.name.encode())
        for name, code in table.columns.items():
            numbers[table.name, name] = len(numbers) + 1
            bits = 8 * struct.calcsize(f"<{code}")
            yield event(NEW_COLUMN, len(numbers), number, bits, len(name), data=name.encode())
    yield event(OPEN_STREAM, 0)
    for number, table in enumerate(tables, 1):
        columns = [(numbers[table.name, name], name.rpartition(")")[2], code) for name, code in table.columns.items()]
        for row in table.rows:
            for column, name, code in columns:
                cell = row[name]
                yield event(CELL_DATA, column, len(cell), data=struct.pack(f"<{len(cell)}{code}", *cell))
            yield event(NEXT_ROW, number)
    yield event(END, 0)


def load_database(schema: Path, kind: str, tables: Sequence[TableRows], database: Path) -> None:
    """Write a database directory.  Raises ToolError if general-loader rejects it.

    A relative `schema` is one of the toolkit's; others include those by relative paths.
    """
    stream = b"".join(database_stream(str(schema), kind, tables))
    run(["general-loader", "-I", f"{SCHEMAS}:{schema.parent}", "-T", database], stdin=stream)
