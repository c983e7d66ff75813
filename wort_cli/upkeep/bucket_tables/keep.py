"""Keeps the tables of a bucket up to date, and reads what others say is unavailable."""

import csv
import gzip
import hashlib
import heapq
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, cast

from wort_cli.errors import UsageError
from wort_cli.ledger.catalog_file import date_text
from wort_cli.ledger.catalog_rows import PAGE, CatalogRows, CatalogSelection
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import name_in
from wort_cli.model.catalog_columns import CatalogPage
from wort_cli.model.failure import Reason
from wort_cli.model.profile import profile_for
from wort_cli.stores.bucket_layout import MANIFEST_KEY, Checksums
from wort_cli.stores.object_store import Headers, ObjectStore, PreconditionFailed, StoreError
from wort_cli.system.temporary import scratch_directory
from wort_cli.upkeep.bucket_tables.strict_csv import (
    ABSENT_COLUMNS,
    BadTable,
    Signature,
    Sketches,
    absences_in,
    opened_table,
    signatures_in,
)
from wort_cli.upkeep.catalog.csv_catalog import write_csv

CATALOG, ABSENT = "catalog/", "absent/"
OF_A_HOME = re.compile(r"[a-z]+/[0-9a-f]{16}\.csv\.gz")
MOST_TABLES = 1000
"""Homes whose tables are read."""
TRIES = 3
"""Tries of a put while other homes change the object."""


@dataclass
class BucketTables:
    """The tables of one bucket, as one home keeps them; `scratch` is a directory for large files."""

    ledger: Ledger
    objects: ObjectStore
    profile: str
    scratch: Path

    def publish(self) -> Iterator[str]:
        """Bring this home's tables and the manifest up to date; yield what a person should know, as sentences."""
        with scratch_directory(self.scratch) as directory:
            own = directory / "table"
            with own.open("wb") as file, self.ledger.transaction(write=False):
                number = write_csv(file, self._own_rows(), compressed=True)
            self._put(f"{CATALOG}{self._home}.csv.gz", own, number)
            with own.open("wb") as file:
                number = self._write_absences(file)
            self._put(f"{ABSENT}{self._home}.csv.gz", own, number)
            yield from self._put_manifest(directory)

    def pull_absences(self) -> Iterator[str]:
        """Record which runs other homes found to be unavailable; yield what a person should know, as sentences."""
        for key, _ in self._tables(ABSENT):
            if key == f"{ABSENT}{self._home}.csv.gz":
                continue
            origin = self.objects.target.url(key)
            try:
                with opened_table(self.objects, key, self.scratch) as file:
                    if file is not None:
                        for _ in absences_in(file, self.profile, origin):  # nothing of a bad table is recorded
                            pass
                        claims = absences_in(file, self.profile, origin)
                        self.ledger.absences.replace_claims(origin, self.profile, claims)
            except BadTable as why:
                yield f"{origin} is ignored: {why}"

    @property
    def _home(self) -> str:
        return self.ledger.controls.home_id()

    def _own_rows(self) -> Iterator[CatalogPage]:
        selection = CatalogSelection(self.profile, bucket=self.objects.target.root)
        return CatalogRows(self.ledger.storage, selection, "").pages()

    def _write_absences(self, file: IO[bytes]) -> int:
        number = 0
        with gzip.GzipFile("", "wb", 5, file, mtime=0) as packed:
            text = io.TextIOWrapper(cast(IO[bytes], packed), "utf-8", newline="")
            writer: Any = csv.writer(text, lineterminator="\n")
            writer.writerow(ABSENT_COLUMNS)
            for run in self.ledger.absences.own(self.profile):
                row = (
                    run.name,
                    run.name,
                    profile_for(run.name, self.profile),
                    run.reason,
                    run.reason.sentence,
                    date_text(run.at),
                )
                writer.writerow(row)
                number += 1
            text.flush()
            text.detach()
        return number

    def _tables(self, prefix: str) -> list[tuple[str, str]]:
        """Return the keys and ETags of the tables of all homes."""
        listed = self.objects.list(prefix)
        return list(islice(((o.key, o.etag) for o in listed if OF_A_HOME.fullmatch(o.key)), MOST_TABLES))

    def _put(self, key: str, path: Path, rows: int) -> None:
        """Put a table of this home, unless the bucket has it, or has none and the table is empty."""
        mine = Checksums.of(path)
        for _ in range(TRIES):
            there = self.objects.head(key)
            if (there is None and not rows) or (there and (there.size, there.etag) == (mine.size, mine.md5)):
                return
            try:
                headers = Headers("application/gzip", metadata={"sha256": mine.sha256}, md5=mine.md5)
                self.objects.put(key, path, headers, replacing=there.etag if there else "")
                return
            except PreconditionFailed:
                continue
        raise changing(self.objects.target.url(key))

    def _put_manifest(self, directory: Path) -> Iterator[str]:
        """Make the manifest from the tables of all homes, unless it was made from these."""
        url = self.objects.target.url(MANIFEST_KEY)
        for _ in range(TRIES):
            tables = self._tables(CATALOG)
            made_from = hashlib.sha256("\n".join(f"{key} {etag}" for key, etag in tables).encode()).hexdigest()
            there = self.objects.head(MANIFEST_KEY)
            if there is not None and "tables" not in there.metadata:
                yield f"{url} is not a manifest that wort wrote; it is left as it is"
                return
            if (there is None and not tables) or (there and there.metadata["tables"] == made_from):
                return
            try:
                from wort_cli.upkeep.catalog.parquet_catalog import check_pyarrow, write_parquet

                check_pyarrow()
            except UsageError as error:
                yield f"{url} is not up to date: {error.sentence} ({error.hint})"
                return
            path = directory / "manifest"
            with ExitStack() as stack:
                others, remarks = self._tables_of_others(tables, stack)
                with path.open("wb") as file, self.ledger.transaction(write=False):
                    write_parquet(file, merged([pages_as_signatures(self._own_rows()), *others]))
            yield from remarks
            try:
                headers = Headers("application/vnd.apache.parquet", metadata={"tables": made_from})
                self.objects.put(MANIFEST_KEY, path, headers, replacing=there.etag if there else "")
                return
            except PreconditionFailed:
                continue
        raise changing(url)

    def _tables_of_others(
        self, tables: Sequence[tuple[str, str]], stack: ExitStack
    ) -> tuple[list[Iterator[tuple[Signature, Sketches]]], list[str]]:
        """Return the signatures in each sound table of another home, and a sentence for each that is not sound."""
        sound, remarks = [], []
        for key, _ in tables:
            if key == f"{CATALOG}{self._home}.csv.gz":
                continue
            try:
                file = stack.enter_context(opened_table(self.objects, key, self.scratch))
                if file is not None:
                    for _ in signatures_in(file, self.objects.target.root):
                        pass
                    sound.append(signatures_in(file, self.objects.target.root))
            except BadTable as why:
                remarks.append(f"{self.objects.target.url(key)} is ignored: {why}")
        return sound, remarks


def changing(url: str) -> StoreError:
    """Return the error for an object that others change all the time."""
    return StoreError(Reason.STORAGE_DOWN, f"{url} keeps changing: other homes write it")


def pages_as_signatures(pages: Iterator[CatalogPage]) -> Iterator[tuple[Signature, Sketches]]:
    """Yield each signature of some pages with its sketches."""
    for page in pages:
        for position, rows in groupby(page.sketches, itemgetter(0)):
            yield page.signatures[position], [row[1:] for row in rows]


def merged(sources: Sequence[Iterator[tuple[Signature, Sketches]]]) -> Iterator[CatalogPage]:
    """Yield all signatures in order of their names, in pages; of two with the same name, the earlier source's."""
    name_of: Callable[[tuple[Signature, Sketches]], str] = lambda found: name_in(found[0][0])  # noqa: E731
    in_order = groupby(heapq.merge(*sources, key=name_of), name_of)
    first = (next(same) for _, same in in_order)
    while found := list(islice(first, PAGE)):
        sketches = [(n, *sketch) for n, (_, of_one) in enumerate(found) for sketch in of_one]
        yield CatalogPage([signature for signature, _ in found], sketches)
