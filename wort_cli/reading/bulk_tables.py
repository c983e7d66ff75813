"""Reads tables of millions of runs, parquet or CSV, through duckdb in bounded memory.

duckdb opens the named file only: it loads no extension and asks no server.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wort_cli.errors import UsageError, shown
from wort_cli.model.run_metadata import RunMetadata
from wort_cli.reading.run_tables import BadRow, TableLayout

ROWS = 5000
"""Rows that are in memory."""
SETTINGS: dict[str, str | int | float | list[str]] = {
    "memory_limit": "256MB",
    "threads": 1,
    "preserve_insertion_order": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
PARQUET = b"PAR1"


def check_duckdb() -> None:
    """Raise UsageError if duckdb, an extra, is not installed."""
    try:
        import duckdb  # noqa: F401
    except ImportError:
        raise UsageError("this needs duckdb, which is not installed", "pip install 'wort-cli[bulk]'") from None


class BulkTable:
    """A table of runs in a file; `bad` counts the rows that are not one of a run."""

    def __init__(self, path: Path, spill: Path) -> None:
        """Open a file, of which duckdb may spill into the directory `spill`; UsageError if it is no table of runs."""
        import duckdb

        self.bad = 0
        self._path = path
        self._errors: Any = duckdb.Error
        self._connection = duckdb.connect(config={**SETTINGS, "temp_directory": str(spill)})
        with path.open("rb") as file:
            is_parquet = file.read(len(PARQUET)) == PARQUET
        self._table = "read_parquet(?)" if is_parquet else "read_csv(?, all_varchar = true, header = true)"
        try:
            described = self._connection.execute(f"DESCRIBE SELECT * FROM {self._table}", [str(path)])  # noqa: S608
            header = [row[0] for row in described.fetchall()]
        except duckdb.Error as error:
            raise self._refused(error) from None
        layout = TableLayout.of(header)
        if layout is None:
            raise UsageError(f"{shown(str(path), 200)} has no column of runs", "such as Run, run_accession or acc")
        used = sorted({layout.run, *(n for n, _, _ in layout.fields), *layout.accessions})
        self._columns = [header[n] for n in used]
        narrow = TableLayout.of(self._columns)
        if narrow is None:
            raise UsageError(f"{shown(str(path), 200)} has no column of runs")
        self._layout = narrow

    def runs(self) -> Iterator[RunMetadata]:
        """Yield the runs; only some rows are in memory.  Raises UsageError if the file is damaged."""
        columns = ", ".join(f"CAST({quoted(column)} AS VARCHAR)" for column in self._columns)
        try:
            found = self._connection.execute(f"SELECT {columns} FROM {self._table}", [str(self._path)])  # noqa: S608
            while rows := found.fetchmany(ROWS):
                for row in rows:
                    try:
                        yield self._layout.read([value or "" for value in row])
                    except BadRow:
                        self.bad += 1
        except self._errors as error:
            raise self._refused(error) from None

    def close(self) -> None:
        """Free the memory of duckdb."""
        self._connection.close()

    def _refused(self, error: Exception) -> UsageError:
        first = next(itertools.chain(str(error).splitlines(), [""]))
        return UsageError(f"{shown(str(self._path), 200)} can't be read: {shown(first, 200)}")


def quoted(column: str) -> str:
    """Return the name of a column as SQL has it."""
    return '"' + column.replace('"', '""') + '"'
