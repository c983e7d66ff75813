"""Makes manifests of the signatures that are served, and keeps them while the ledger does not change.

A manifest is an unnamed file, so that none is left when the server ends.  One is made at a time, and a large one not
again at once: for twenty times as long as that took, the earlier one is given.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import IO

from wort_cli.ledger.catalog_rows import CatalogRows, CatalogSelection
from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import name_in
from wort_cli.model.catalog_columns import OF_PAGE_SIGNATURES, CatalogPage
from wort_cli.stores.recorded import sha256_of
from wort_cli.system.temporary import scratch_directory
from wort_cli.web.databases import Database
from wort_cli.web.served_home import ServedHome
from wort_cli.web.signature_files import refused_trust

MAX_KEPT = 8
REST = 20
"""The time for which a manifest is kept although the ledger has changed, as a multiple of the time to make it."""
LONGEST_REST = 600.0
TRUST_AT, DATE_AT, URL_AT = (OF_PAGE_SIGNATURES.index(name) for name in ("trust", "creation_date", "url"))


class ManifestFormat(StrEnum):
    """The format of a manifest, by the end of its name."""

    PARQUET = "parquet"
    CSV_GZ = "csv.gz"


@dataclass(frozen=True)
class ManifestFile:
    """A manifest that was made at `made_at`, in seconds since 1970, in `seconds`, of the ledger of a `version`."""

    file: IO[bytes]
    size: int
    sha256: str
    version: object
    made_at: float
    seconds: float

    def is_current(self, version: object) -> bool:
        """Return whether it is given for a ledger that has a version now."""
        return version == self.version or time.time() - self.made_at < min(LONGEST_REST, REST * self.seconds)

    def opened(self) -> IO[bytes]:
        """Return the file, opened again, so that each reader has its own position."""
        return Path(f"/proc/self/fd/{self.file.fileno()}").open("rb")


Opened = tuple[ManifestFile, IO[bytes]]
"""A manifest, and its file, which was opened again and has a position of its own."""


class ManifestFiles:
    """The manifests of a database of a home; all threads of a server use one object."""

    def __init__(self, home: ServedHome, database: Database) -> None:
        self._home, self._database = home, database
        self._profile = database.profile.name
        self._kept: OrderedDict[tuple[ManifestFormat, float], ManifestFile] = OrderedDict()
        self._making, self._lock = threading.Lock(), threading.Lock()

    def kept(self, form: ManifestFormat, since: float, version: object) -> Opened | None:
        """Return a manifest that was made before, if it is current, and its open file."""
        with self._lock:
            found = self._kept.get((form, since))
            if found is None or not found.is_current(version):
                return None
            self._kept.move_to_end((form, since))
            return found, found.opened()

    def made(self, form: ManifestFormat, since: float, version: object) -> Opened:
        """Make a manifest of the signatures that were recorded since a time, unless another thread just has.

        Raises UsageError if parquet is not installed.
        """
        with self._making:
            if (found := self.kept(form, since, version)) is not None:
                return found
            started, file = time.time(), self._unnamed_file()
            size = self._write(form, file, since)
            sha256 = sha256_of(file)
            made = ManifestFile(file, size, sha256, version, started, time.time() - started)
            with self._lock:
                if (form, since) in self._kept:
                    self._kept.pop((form, since)).file.close()
                self._kept[form, since] = made
                while len(self._kept) > MAX_KEPT:
                    self._kept.popitem(last=False)[1].file.close()
                return made, made.opened()

    def _unnamed_file(self) -> IO[bytes]:
        with scratch_directory(self._home.settings.cache_dir) as directory:
            return (directory / "manifest").open("w+b")

    def _write(self, form: ManifestFormat, file: IO[bytes], since: float) -> int:
        writer = writer_of(form)
        ledger = self._home.ledger
        if not self._home.options.read_only:
            ledger.catalog.sketches.add_of_earlier_versions(self._profile)
        with ledger.transaction(write=False):  # one state of the ledger
            writer(file, self._pages(ledger, since))
        file.flush()
        return os.fstat(file.fileno()).st_size

    def _pages(self, ledger: Ledger, since: float) -> Iterator[CatalogPage]:
        settings = self._home.settings
        rows = CatalogRows(ledger.storage, CatalogSelection(self._profile, self._database.pattern), "")
        served = {str(trust) for trust in self._database.trusts - refused_trust(settings)}
        ids = self._database.ids
        bucket = settings.s3.of_profile(self._profile).root if settings.s3 else None

        def is_served(row: tuple[object, ...]) -> bool:
            name, location = name_in(str(row[0])), str(row[1])
            is_here = location.startswith("/") or (bucket is not None and location.startswith(bucket))
            return is_here and row[TRUST_AT] in served and row[DATE_AT] >= since and bool(ids.fullmatch(name))  # type: ignore[operator]

        for page in rows.pages():
            yield from served_page(page, is_served)


def served_page(page: CatalogPage, is_served: Callable[[tuple[object, ...]], bool]) -> Iterator[CatalogPage]:
    """Yield the rows of a page that are served, with the paths at which the server has them."""
    places: dict[int, int] = {}
    signatures: list[tuple[object, ...]] = []
    for position, row in enumerate(page.signatures):
        if is_served(row):
            places[position] = len(signatures)
            signatures.append((row[0], f"sigs/{name_in(str(row[0]))}.sig", *row[2:]))
    sketches = [(places[row[0]], *row[1:]) for row in page.sketches if row[0] in places]
    if sketches:
        yield replace(page, signatures=signatures, sketches=sketches)


def writer_of(form: ManifestFormat) -> Callable[[IO[bytes], Iterator[CatalogPage]], int]:
    """Return the function that writes a format.  Raises UsageError if it is not installed."""
    if form is ManifestFormat.PARQUET:
        from wort_cli.upkeep.catalog.parquet_catalog import check_pyarrow, write_parquet

        check_pyarrow()
        return write_parquet
    from wort_cli.upkeep.catalog.csv_catalog import write_csv

    return lambda file, pages: write_csv(file, pages, compressed=True)
