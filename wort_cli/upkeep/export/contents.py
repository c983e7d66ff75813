"""The contents of an export: its files in order, and one sketch for the commands that are shown as examples."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from wort_cli.model.sketch_row import SketchRow

CRATE_METADATA = "ro-crate-metadata.json"
MISSING = "missing.csv"
"""The table of what is missing, in a directory and in a collection that is an RO-Crate."""
USUAL_K = 31
"""The k of the example, if an export has it."""


@dataclass(frozen=True)
class Example:
    """A sketch of an export."""

    location: str
    name: str
    row: SketchRow


@dataclass(frozen=True)
class ExportedFile:
    """A file with sketches of one signature."""

    location: str
    name: str
    size: int


class Contents:
    """The files of an export.  `spool` is an empty file, opened for reading too, which gets a line for each of them."""

    def __init__(self, spool: IO[bytes] | None = None) -> None:
        self._spool = spool
        self._last = ""
        self.example: Example | None = None

    @property
    def are_kept(self) -> bool:
        """Whether `files` can be called."""
        return self._spool is not None

    def add(self, location: str, name: str, rows: Sequence[SketchRow], size: int) -> None:
        """Add a file of `size` bytes with some sketches of a signature; further ones of the same file may follow."""
        if self.example is None or (self.example.row.ksize != USUAL_K and self.example.name == name):
            row = next((row for row in rows if row.ksize == USUAL_K), rows[0])
            self.example = Example(location, name, row)
        if self._spool is not None and location != self._last:
            self._spool.write(json.dumps([location, name, size]).encode() + b"\n")
            self._last = location

    def files(self) -> Iterator[ExportedFile]:
        """Yield the files in order.  Nothing may be added while they are read."""
        if self._spool is not None:
            self._spool.flush()
            self._spool.seek(0)
            for line in self._spool:
                yield ExportedFile(*json.loads(line))
