"""The formats in which signatures are written, and the names of the signatures in a file that exists.

A zip file is a collection as sourmash writes it: gzipped signatures and SOURMASH-MANIFEST.csv, which lists their
sketches (sourmash src/sourmash/manifest.py).
"""

import csv
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Protocol

from wort_cli.errors import NotASignature
from wort_cli.model.signature_file import GZIP_MAGIC
from wort_cli.reading.documents import MAX_DOCUMENT
from wort_cli.reading.refusal import Refusal

MANIFEST = "SOURMASH-MANIFEST.csv"
VERSION_LINE = "# SOURMASH-MANIFEST-VERSION: 1.0\n"
COLUMNS = (
    *("internal_location", "md5", "md5short", "ksize", "moltype", "num", "scaled", "n_hashes", "with_abundance"),
    *("name", "filename"),
)
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip file, so that equal signatures give equal bytes."""
COPY_BLOCK = 1 << 20
MOST_READ, MOST_MANIFEST = 1 << 33, 1 << 28
"""Bytes of a file that exists, and of its manifest, that are searched for names."""
NAME = re.compile(rb'"name"\s*:\s*("(?:[^"\\]|\\.){0,2000}"|null)')
SIGNATURE = re.compile(rb'"class"\s*:\s*"sourmash_signature"')
OVERLAP = 4096
"""Bytes of a piece that are searched again with the next one."""


class Item(Protocol):
    """The parts of an `OutputItem` that are written."""

    @property
    def name(self) -> str: ...
    @property
    def open(self) -> Callable[[], AbstractContextManager[IO[bytes]]]: ...
    @property
    def most(self) -> int: ...


def write_plain(item: Item, file: IO[bytes]) -> None:
    """Write a signature as JSON that is not compressed; raise NotASignature if it is too large or damaged."""
    from wort_cli.reading.containers import unpacked_pieces

    with item.open() as source:
        source.seek(0)
        try:
            for piece in unpacked_pieces(source, item.most):
                file.write(piece)
        except Refusal as refusal:
            raise NotASignature(item.name, refusal.why) from None


def write_gzipped(item: Item, file: IO[bytes]) -> None:
    """Write a signature as gzip: unchanged, if it is stored so."""
    from wort_cli.pipeline.gzip_blocks import write_gzip
    from wort_cli.reading.containers import unpacked_pieces

    with item.open() as source:
        source.seek(0)
        is_gzipped = source.read(2) == GZIP_MAGIC
        source.seek(0)
        if is_gzipped:
            shutil.copyfileobj(source, file, COPY_BLOCK)
            return
        try:
            write_gzip(unpacked_pieces(source, item.most), file)
        except Refusal as refusal:
            raise NotASignature(item.name, refusal.why) from None


def write_zip(items: Sequence[Item], file: IO[bytes]) -> None:
    """Write signatures as one collection of sourmash.

    Room for large sizes is never forced: before 3.11.4, Python then wrote headers that sourmash refuses.
    """
    manifest = io.StringIO()
    manifest.write(VERSION_LINE)
    rows = csv.DictWriter(manifest, COLUMNS, lineterminator="\n")
    rows.writeheader()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for item in items:
            location = f"signatures/{item.name}.sig.gz"
            info = zipfile.ZipInfo(location, FIXED_TIME)
            with item.open() as source:
                info.file_size = source.seek(0, os.SEEK_END)  # decides whether the header has room for a large size
            with archive.open(info, "w") as member:
                write_gzipped(item, member)
            with item.open() as source:
                rows.writerows(manifest_rows(location, item, source))
        archive.writestr(zipfile.ZipInfo(MANIFEST, FIXED_TIME), manifest.getvalue())


def manifest_rows(location: str, item: Item, source: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a manifest for the sketches of a signature."""
    from wort_cli.reading.strict import read_document

    source.seek(0)
    try:
        document = read_document(source, max_unpacked=item.most)
    except Refusal as refusal:
        raise NotASignature(item.name, refusal.why) from None
    for sketch in document.sketches:
        yield {
            "internal_location": location,
            "md5": sketch.md5,
            "md5short": sketch.md5[:8],
            "ksize": sketch.ksize,
            "moltype": sketch.moltype,
            "num": 0,
            "scaled": sketch.scaled,
            "n_hashes": len(sketch.hashes),
            "with_abundance": int(sketch.abundances is not None),
            "name": document.name,
            "filename": document.filename,
        }


def names_in_file(path: Path) -> set[str]:
    """Return the names of the signatures or of the provenance in a file; empty if it has none or cannot be read."""
    try:
        with path.open("rb") as file:
            if path.name.endswith(".prov.json"):
                documents = json.loads(file.read(MAX_DOCUMENT * 100))
                documents = documents if isinstance(documents, list) else [documents]
                return {str(document["name"]) for document in documents if "digest" in document}
            if zipfile.is_zipfile(file):
                return names_in_zip(file)
            file.seek(0)
            return names_in_signatures(file)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, NotImplementedError, RuntimeError, Refusal):
        return set()
    except (zipfile.BadZipFile, csv.Error):
        return set()


def names_in_zip(file: IO[bytes]) -> set[str]:
    """Return the names in the manifest of a collection."""
    with zipfile.ZipFile(file) as archive, archive.open(MANIFEST) as member:
        text = member.read(MOST_MANIFEST).decode()
    return {row["name"] for row in csv.DictReader(io.StringIO(text.removeprefix(VERSION_LINE)))}


def names_in_signatures(file: IO[bytes]) -> set[str]:
    """Return every name in a file of JSON signatures, plain or gzipped, without reading their hashes."""
    from wort_cli.reading.containers import unpacked_pieces

    names: set[bytes] = set()
    rest, is_signature = b"", False
    for piece in unpacked_pieces(file, MOST_READ):
        text = rest + piece
        is_signature = is_signature or SIGNATURE.search(text) is not None
        names |= set(NAME.findall(text))
        rest = text[-OVERLAP:]
    return {str(json.loads(name) or "") for name in names} if is_signature else set()
