"""Reads the tables of other homes, which may be hostile: bounded, and refused whole if anything is odd."""

import csv
import gzip
import re
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from wort_cli.errors import InvalidName
from wort_cli.ledger.absences import AbsentRun
from wort_cli.model.accession import Name, name_in, parse_name
from wort_cli.model.catalog_columns import CATALOG_COLUMNS, SIGNATURE_COLUMNS
from wort_cli.model.failure import Disposition, Reason
from wort_cli.model.profile import profile_for
from wort_cli.model.run_condition import COLUMNS as METADATA
from wort_cli.model.run_condition import NUMBERS
from wort_cli.model.sketch_row import MOST, VERSION_LINE
from wort_cli.stores.bucket_layout import trust_in
from wort_cli.stores.object_store import ObjectStore, ObjectTooLarge

MAX_STORED, MAX_UNPACKED, MAX_LINE = 1 << 30, 1 << 33, 1 << 16
"""Bytes of a table in the bucket, of its text, and of a line."""
MAX_TEXT = 500
"""Characters of a value."""
ABSENT_COLUMNS = ("accession", "name", "profile", "reason", "sentence", "date")
"""The first two are those of the table that `wort export` writes of what is missing; both are the accession."""
HEXADECIMAL = {length: re.compile(f"[0-9a-f]{{{length}}}") for length in (32, 64)}
NUMBER = re.compile(r"[0-9]{1,19}")
MOLTYPES = frozenset(("DNA", "protein", "dayhoff", "hp", "skipm1n3", "skipm2n3"))

Signature = tuple[Any, ...]
"""The values of OF_PAGE_SIGNATURES."""
Sketches = list[tuple[Any, ...]]
"""The values of OF_PAGE_SKETCHES for each sketch."""


class BadTable(Exception):
    """A table is not what a home writes."""


@contextmanager
def opened_table(objects: ObjectStore, key: str, scratch: Path) -> Iterator[IO[bytes] | None]:
    """Yield a table as a file on disk; None if the bucket does not have it.  Raises BadTable if it is too large."""
    with tempfile.TemporaryFile(dir=scratch) as file:
        try:
            found = objects.read(key, file, MAX_STORED)
        except ObjectTooLarge:
            raise BadTable(f"it has more than {MAX_STORED:,} bytes") from None
        yield None if found is None else file


def signatures_in(file: IO[bytes], root: str) -> Iterator[tuple[Signature, Sketches]]:
    """Yield the signatures in a table of `catalog/`, in order of their names; `root` is the URL of the bucket."""
    before, signature, sketches = "", (), Sketches()
    for cells in cells_of(file, VERSION_LINE, CATALOG_COLUMNS):
        found, sketch = parsed_row(dict(zip(CATALOG_COLUMNS, cells, strict=True)), root)
        if found[0] != before:
            if found[0] < before:
                raise BadTable("its names are not in order")
            if sketches:
                yield signature, sketches
            before, signature, sketches = found[0], found, []
        elif found != signature:
            raise BadTable(f"it contradicts itself about {before}")
        sketches.append(sketch)
    if sketches:
        yield signature, sketches


def parsed_row(row: dict[str, str], root: str) -> tuple[Signature, tuple[Any, ...]]:
    """Return a row as its signature and its sketch.  Raises BadTable if a value is not valid."""
    name = parsed_name(name_in(row["name"]))
    if row["internal_location"] != f"sigs/{name}.sig" or row["moltype"] not in MOLTYPES:
        raise BadTable(f"the location or the moltype of {name} is not valid")
    sketch = (
        *(hexadecimal(row["md5"], 32), number(row["ksize"]), row["moltype"], number(row["num"])),
        *(number(row["scaled"]), number(row["n_hashes"]), int(row["with_abundance"] == "1"), text(row["filename"])),
    )
    trust = str(trust_in({"trust": row["trust"]}))
    known = {
        "sha256": hexadecimal(row["sha256"], 64) if row["sha256"] else "",
        "creation_date": seconds(row["creation_date"]),
        "size": number(row["size"]),
        "trust": trust,
        "profile": text(row["profile"]),
        "digest": hexadecimal(row["digest"], 64),
        "url": f"{root}sigs/{name}.sig",
    }
    of_run = [(number(row[key]) if key in NUMBERS else text(row[key])) if row[key] else None for key in METADATA]
    return (text(row["name"]), row["internal_location"], *(known[key] for key in SIGNATURE_COLUMNS), *of_run), sketch


def absences_in(file: IO[bytes], profile: str, origin: str) -> Iterator[AbsentRun]:
    """Yield the runs of a profile in a table of `absent/`; `origin` is its URL."""
    for cells in cells_of(file, "", ABSENT_COLUMNS):
        row = dict(zip(ABSENT_COLUMNS, cells, strict=True))
        name, at = parsed_name(row["accession"]), seconds(row["date"])
        try:
            reason = Reason(row["reason"])
        except ValueError:
            continue  # of a later version
        if reason.disposition is Disposition.UNAVAILABLE and row["profile"] == profile_for(row["name"], profile):
            yield AbsentRun(name, reason, at, origin)


def cells_of(file: IO[bytes], first: str, header: Sequence[str]) -> Iterator[list[str]]:
    """Yield the rows of a table after its header.  Raises BadTable if it is not such a table."""
    rows = csv.reader(lines_of(file, first), strict=True)
    try:
        if tuple(next(rows, ())) != tuple(header):
            raise BadTable("it has other columns")
        for cells in rows:
            if len(cells) != len(header):
                raise BadTable("a row has another number of values")
            yield cells
    except csv.Error as error:
        raise BadTable(str(error)) from None


def lines_of(file: IO[bytes], first: str) -> Iterator[str]:
    """Yield the lines of a compressed text, without its first one, which must be `first` if that is not empty."""
    file.seek(0)
    size, expected = 0, first.encode()
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            while line := unpacked.readline(MAX_LINE):
                size += len(line)
                if not line.endswith(b"\n") or size > MAX_UNPACKED:
                    raise BadTable("it is too large, or not complete")
                if expected:
                    if line != expected:
                        raise BadTable("it has no version")
                    expected = b""
                    continue
                yield line.decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise BadTable(f"it is not a compressed text: {error}") from None


def parsed_name(value: str) -> Name:
    """Return the name of a signature, which is safe in a path."""
    try:
        return parse_name(value)
    except InvalidName:
        raise BadTable("a name is not valid") from None


def hexadecimal(value: str, length: int) -> str:
    """Return a checksum."""
    if not HEXADECIMAL[length].fullmatch(value):
        raise BadTable("a checksum is not valid")
    return value


def number(value: str) -> int:
    """Return a number that SQLite and parquet can store."""
    if not NUMBER.fullmatch(value) or int(value) > MOST:
        raise BadTable("a number is not valid")
    return int(value)


def text(value: str) -> str:
    """Return a text without control characters."""
    if len(value) > MAX_TEXT or not value.isprintable():
        raise BadTable("a text is too long, or has control characters")
    return value


def seconds(value: str) -> float:
    """Return a date and a time in UTC as seconds since 1970."""
    try:
        found = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise BadTable("a date is not valid") from None
    return max(0.0, found.timestamp())
