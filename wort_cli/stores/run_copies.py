"""Finds the copies of each run in the local store and in the bucket, by merging ordered listings.

Only the current run is in memory, so a million runs need no more memory than one.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from operator import attrgetter, or_
from pathlib import Path

from wort_cli.model.accession import Accession, public_accession
from wort_cli.model.profile import is_listed
from wort_cli.stores.bucket_layout import provenance_key, signature_key
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import StoredObject
from wort_cli.stores.shared import SharedStore


@dataclass(frozen=True)
class RunCopies:
    """The copies of a run: its file in the local store, and its signature and provenance in the bucket."""

    name: Accession
    local_path: Path | None = None
    shared_object: StoredObject | None = None
    provenance_object: StoredObject | None = None

    def __or__(self, other: "RunCopies") -> "RunCopies":
        """Return the copies that either of them has."""
        return replace(
            self,
            local_path=self.local_path or other.local_path,
            shared_object=self.shared_object or other.shared_object,
            provenance_object=self.provenance_object or other.provenance_object,
        )


def all_run_copies(local: LocalStore, shared: SharedStore) -> Iterator[RunCopies]:
    """Yield all runs that are in either store, in order."""
    streams = (
        (RunCopies(name, local_path=local.path(name)) for name in local.runs()),
        (RunCopies(name, shared_object=found) for name, found in list_runs(shared, "sigs/", ".sig")),
        (RunCopies(name, provenance_object=found) for name, found in list_runs(shared, "prov/", ".json")),
    )
    for _, same in groupby(heapq.merge(*streams, key=attrgetter("name")), key=attrgetter("name")):
        yield reduce(or_, same)


def list_runs(shared: SharedStore, folder: str, suffix: str) -> Iterator[tuple[Accession, StoredObject]]:
    """Yield the objects of runs and assemblies in a folder of the bucket, in order.

    The keys have the order of the names, because the suffix sorts before any digit.
    """
    for found in shared.objects.list(folder):
        name = public_accession(found.key.removeprefix(folder).removesuffix(suffix))
        if found.key.endswith(suffix) and name and is_listed(name, shared.profile.name):
            yield name, found


def copies_of_runs(names: Iterable[Accession], local: LocalStore, shared: SharedStore) -> Iterator[RunCopies]:
    """Yield the copies of given runs, with two requests for each; the public signatures have no provenance."""
    has_provenance = not shared.objects.target.public
    for name in names:
        yield RunCopies(
            name,
            local_path=local.path(name) if local.has(name) else None,
            shared_object=shared.objects.head(signature_key(name)),
            provenance_object=shared.objects.head(provenance_key(name)) if has_provenance else None,
        )
