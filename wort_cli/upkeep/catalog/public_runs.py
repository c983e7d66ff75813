"""The list of runs that have a public signature, from the manifest of these; it is kept for a while.

1. The list that was kept is taken if it is young, or if nothing may be asked.
2. If the manifest is still the same, the list is young again.
3. Else the column of names is fetched, a part of the manifest.

If the server cannot be reached, an old list is better than none.
"""

import gzip
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from wort_cli.errors import StorageProblem, UsageError
from wort_cli.model.accession import RUN
from wort_cli.model.failure import Reason
from wort_cli.model.run_set import RunSet
from wort_cli.reading.limits import ReadLimits
from wort_cli.settings import Settings
from wort_cli.stores.bucket_layout import MANIFEST_KEY
from wort_cli.stores.object_file import opened
from wort_cli.stores.object_store import ObjectStore, StoredObject, StoreError
from wort_cli.stores.public import open_public
from wort_cli.system.atomic_files import atomic_file
from wort_cli.upkeep.catalog.parquet_catalog import check_pyarrow, names_in_parquet

FILE = "public-runs.gz"


@dataclass(frozen=True)
class PublicRuns:
    """The runs that have a public signature, in a file."""

    url: str
    """The URL of the manifest."""
    etag: str
    runs: int
    left_out: int
    """Names in the manifest that are not those of runs."""
    read_at: float
    path: Path

    def names(self) -> Iterator[str]:
        """Yield the runs; only one of them is in memory.  Raises StorageProblem if the file is damaged."""
        try:
            with gzip.open(self.path, "rt", encoding="ascii") as file:
                next(file)
                yield from (line.rstrip("\n") for line in file)
        except (OSError, EOFError, ValueError, StopIteration) as error:
            raise StorageProblem(f"{self.path} cannot be read: {error}", "remove the file") from error


def public_runs(settings: Settings, say: Callable[[str], None], *, offline: bool) -> PublicRuns:
    """Return the runs that have a public signature; `say` is called with sentences for the user.

    Raises UsageError if they are switched off, or not known and not to be asked for; StoreError if they cannot be read.
    """
    path, kept = settings.listings_dir / FILE, kept_list(settings.listings_dir / FILE)
    if offline:
        if kept is None:
            raise UsageError("the list of the public signatures was not read yet", "leave out --offline once")
        return kept
    public = settings.public
    if kept is not None and public is not None and kept.url == public.url(MANIFEST_KEY):
        if 0 <= time.time() - path.stat().st_mtime < settings.listing_hours * 3600:
            return kept
    else:
        kept = None
    try:
        objects = open_public(public, ReadLimits.of(settings), settings.cache_dir).objects
        stored = objects.head(MANIFEST_KEY)
        if stored is None or not stored.size:
            raise StoreError(Reason.NOT_FOUND, f"{objects.target.url(MANIFEST_KEY)} does not exist, or is empty")
        if kept is not None and kept.etag == stored.etag:
            os.utime(path)
            return kept
        say(f"reading the list of the public signatures ({objects.target.url(MANIFEST_KEY)})")
        return read_list(objects, stored, path)
    except StoreError as error:
        if kept is None:
            raise
        day = time.strftime("%Y-%m-%d", time.gmtime(kept.read_at))
        say(f"{error.sentence}; the list of {day} is used")
        return kept


def read_list(objects: ObjectStore, stored: StoredObject, path: Path) -> PublicRuns:
    """Read the names in a manifest, and keep them.  Raises UsageError without pyarrow, StoreError if it is invalid."""
    check_pyarrow()
    runs, others, url = RunSet(), 0, objects.target.url(stored.key)
    try:
        with opened(objects, stored) as file:
            for name in names_in_parquet(file):
                if RUN.fullmatch(name):
                    runs.add(name)
                else:
                    others += 1
    except ValueError as error:
        raise StoreError(Reason.CONFLICT, f"{url} is not a manifest: {error}") from None
    found = PublicRuns(url, stored.etag, len(runs), others, time.time(), path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as target, gzip.open(target, "wt", encoding="ascii", compresslevel=1) as text:
            text.write(json.dumps({**asdict(replace(found, path=Path())), "path": ""}) + "\n")
            text.writelines(f"{run}\n" for run in runs)
    except OSError as error:
        raise StorageProblem(f"the list cannot be kept in {path}: {error.strerror or error}") from error
    return found


def kept_list(path: Path) -> PublicRuns | None:
    """Return the list that was kept; None if there is none, or if it is damaged."""
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            return PublicRuns(**{**json.loads(next(file)), "path": path})
    except (OSError, EOFError, ValueError, StopIteration, TypeError):
        return None
