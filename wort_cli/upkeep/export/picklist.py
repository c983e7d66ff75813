"""Picklists: the sketches that a column of a table names, as sourmash selects them.

Source of the types and of what they compare: sourmash src/sourmash/picklist.py.
"""

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wort_cli.errors import NoSuchFile, UsageError, shown
from wort_cli.model.sketch_row import VERSION_LINE

NAMES: Mapping[str, Callable[[str], str]] = {
    "name": str,
    "ident": lambda name: name.split(" ")[0],
    "identprefix": lambda name: name.split(" ")[0].split(".")[0],
}
MD5S: Mapping[str, Callable[[str], str]] = {
    "md5": str,
    "md5prefix8": lambda md5: md5[:8],
    "md5short": lambda md5: md5[:8],
}
"""Types that compare the name of a signature, and the md5 of a sketch: what of it is compared."""
PAIRS = {
    "manifest": ("name", "md5"),
    "search": ("name", "md5"),
    "gather": ("name", "md5"),
    "prefetch": ("match_name", "match_md5"),
}
"""Types that compare both, and the columns of the files of sourmash that have them."""
TYPES = (*NAMES, *MD5S, *PAIRS)


@dataclass(frozen=True)
class Picklist:
    """The selection of a picklist."""

    kind: str
    values: frozenset[tuple[str, str]]
    """The name and the md5 of each, as they are compared; one of them is empty if it is not."""
    excludes: bool = False
    found: set[tuple[str, str]] = field(default_factory=set)
    """Pairs that were selected so far."""

    def selects(self, name: str, md5: str) -> bool:
        """Return whether it selects a sketch."""
        value = self.value_of(name, md5)
        is_listed = value in self.values
        if is_listed:
            self.found.add(value)
        return is_listed is not self.excludes

    def value_of(self, name: str, md5: str) -> tuple[str, str]:
        """Return what is compared of a sketch."""
        if self.kind in NAMES:
            return NAMES[self.kind](name), ""
        if self.kind in MD5S:
            return "", MD5S[self.kind](md5)
        return NAMES["ident"](name), MD5S["md5short"](md5)

    def not_found(self) -> Iterator[tuple[str, str]]:
        """Yield the name and the md5 of what it lists and nothing had, in order."""
        if not self.excludes:
            yield from sorted(self.values - self.found)


def read_picklist(text: str) -> Picklist:
    """Return the picklist of an option FILE:COLUMN:TYPE[:include|exclude]; UsageError if it cannot be used."""
    parts = text.split(":")
    style = parts.pop() if len(parts) > 3 and parts[-1] in ("include", "exclude") else "include"
    if len(parts) < 3:
        raise UsageError(f"--picklist {shown(text, 200)} is not FILE:COLUMN:TYPE", f"the types are: {', '.join(TYPES)}")
    path, column, kind = Path(":".join(parts[:-2])), parts[-2], parts[-1]
    if kind not in TYPES:
        raise UsageError(f"there is no type of picklist {shown(kind)}", f"the types are: {', '.join(TYPES)}")
    if kind in PAIRS and column:
        raise UsageError(f"--picklist: the type {kind} takes no column", f"write it as {shown(str(path), 200)}::{kind}")
    made = Picklist(kind, frozenset(), style == "exclude")
    columns = PAIRS.get(kind, (column,))
    values = set()
    for row in table_rows(path, columns):
        if any(row):
            name, md5 = row if kind in PAIRS else (row[0], row[0])
            values.add(made.value_of(name, md5))
    if not values:
        raise UsageError(f"the picklist {shown(str(path), 200)} selects nothing: its column is empty")
    return Picklist(kind, frozenset(values), style == "exclude")


def table_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield some columns of a CSV file, which may be compressed, or a manifest of sourmash.

    Raises NoSuchFile, or UsageError if it is not such a table.
    """
    from wort_cli.model.signature_file import GZIP_MAGIC  # imports numpy, which takes a tenth of a second

    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data).decode("utf-8-sig")
    except (OSError, EOFError) as error:
        raise NoSuchFile(path, str(getattr(error, "strerror", None) or error)) from None
    except UnicodeDecodeError:
        raise UsageError(f"{shown(str(path), 200)} is not a CSV file in UTF-8") from None
    rows = csv.DictReader(io.StringIO(text.removeprefix(VERSION_LINE), newline=""))
    try:
        for column in columns:
            if column not in (rows.fieldnames or ()):
                raise UsageError(f"{shown(str(path), 200)} has no column {shown(column)}")
        for row in rows:
            yield tuple((row[column] or "").strip() for column in columns)
    except csv.Error as error:
        raise UsageError(f"{shown(str(path), 200)} is not a CSV file: {error}") from None
