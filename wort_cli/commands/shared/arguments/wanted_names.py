"""Reads the names of signatures that a list, a table, or a manifest of sourmash asks for."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

from wort_cli.commands.shared.arguments.lists import decode_list, entries
from wort_cli.commands.shared.showing import render
from wort_cli.errors import InvalidName, NoSuchFile, UsageError, WortError, shown
from wort_cli.model.accession import parse_name
from wort_cli.model.sketch_row import MANIFEST, VERSION_LINE
from wort_cli.model.spelling import Spelling

GZIP, ZIP, SQLITE, PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"SQLite format 3\0", b"PAR1"


def wanted_names(path: Path) -> list[str]:
    """Return the names that a file asks for, in order, without duplicates.

    A list has names, or a column of runs.  Of a manifest, the first word of each `name` is taken.
    Raises NoSuchFile, or UsageError if the file cannot be read as either.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(16)
        if not is_manifest(path, magic):
            return names_in_list(decode_list(path.read_bytes(), str(path)))
        names = dict.fromkeys(name.partition(" ")[0] for name in names_in_manifest(path, magic))
    except OSError as error:
        raise NoSuchFile(path, error.strerror or str(error)) from None
    except (EOFError, zlib.error, zipfile.BadZipFile, KeyError, ValueError, csv.Error) as error:
        raise UsageError(f"{shown(str(path), 200)} is not a manifest of sourmash: {shown(str(error), 200)}") from None
    found = [name for name in names if is_name(name)]
    if strange := len(names) - len(found):
        render.notice(f"{render.count(strange, 'name')} of the manifest can't be that of a signature here; left out")
    return sorted(found)


def is_manifest(path: Path, magic: bytes) -> bool:
    """Return whether a file is a manifest of sourmash, or a collection with one, from its first bytes."""
    start = VERSION_LINE.encode()[:16]
    if magic.startswith(GZIP):
        with gzip.open(path, "rb") as file:
            return file.read(len(start)) == start
    return magic == start or magic.startswith((ZIP, SQLITE, PARQUET))


def names_in_list(text: str) -> list[str]:
    """Return the names in a list or a table."""
    spelling, names = Spelling(), set[str]()
    for number, word in entries(text):
        try:
            names.add(str(spelling.name(word)))
        except WortError as error:
            raise UsageError(f"line {number}: {error.sentence}", error.hint) from None
    spelling.explain(render.notice)
    return sorted(names)


def names_in_manifest(path: Path, magic: bytes) -> Iterator[str]:
    """Yield the names in a manifest: CSV, SQLite or parquet, or the one in a collection."""
    if magic.startswith(SQLITE):
        from wort_cli.ledger.database import open_read_only

        with open_read_only(path) as select:
            yield from (row["name"] or "" for row in select("SELECT DISTINCT name FROM sourmash_sketches"))
    elif magic.startswith(PARQUET):
        from wort_cli.upkeep.catalog.parquet_catalog import check_pyarrow, names_in_parquet

        check_pyarrow()
        yield from names_in_parquet(path)
    else:
        with ExitStack() as stack:
            if magic.startswith(ZIP):
                archive = stack.enter_context(zipfile.ZipFile(path))
                file: IO[bytes] = stack.enter_context(archive.open(MANIFEST))
            else:
                file = stack.enter_context(path.open("rb"))
                if magic.startswith(GZIP):
                    file = stack.enter_context(cast(IO[bytes], gzip.GzipFile(fileobj=file)))
            lines = io.TextIOWrapper(file, "utf-8", newline="")
            if next(lines, "").rstrip("\r\n") != VERSION_LINE.rstrip():
                raise ValueError("it has no version")
            yield from (row["name"] for row in csv.DictReader(lines))


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a signature."""
    try:
        parse_name(text)
    except InvalidName:
        return False
    return True
