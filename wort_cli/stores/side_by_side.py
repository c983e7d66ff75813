"""What the local store and the bucket have of each run, side by side, from listings that all come in order.

Nothing is held but the run that is looked at: a million runs need no more memory than one.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from operator import attrgetter, or_
from pathlib import Path

from wort_cli.model.accession import RUN, Accession
from wort_cli.stores.bucket_layout import provenance_key, signature_key
from wort_cli.stores.local import LocalStore
from wort_cli.stores.object_store import StoredObject
from wort_cli.stores.shared import SharedStore


@dataclass(frozen=True)
class Sides:
    """A run, and what there is of it: the file here, the object there, and the document beside that."""

    name: Accession
    here: Path | None = None
    there: StoredObject | None = None
    beside: StoredObject | None = None

    def __or__(self, other: "Sides") -> "Sides":
        """What both know."""
        return replace(
            self,
            here=self.here or other.here,
            there=self.there or other.there,
            beside=self.beside or other.beside,
        )


def side_by_side(local: LocalStore, shared: SharedStore) -> Iterator[Sides]:
    """All runs that are in either store, in order."""
    streams = (
        (Sides(name, here=local.path(name)) for name in local.runs()),
        (Sides(name, there=found) for name, found in listed(shared, "sigs/", ".sig")),
        (Sides(name, beside=found) for name, found in listed(shared, "prov/", ".json")),
    )
    for _, same in groupby(heapq.merge(*streams, key=attrgetter("name")), key=attrgetter("name")):
        yield reduce(or_, same)


def listed(shared: SharedStore, folder: str, suffix: str) -> Iterator[tuple[Accession, StoredObject]]:
    """The objects of runs in a folder of the bucket, in order: what follows a run in a key sorts before any digit."""
    for found in shared.objects.list(folder):
        name = found.key.removeprefix(folder).removesuffix(suffix)
        if found.key.endswith(suffix) and RUN.fullmatch(name):
            yield Accession(name), found


def sides_of(names: Iterable[Accession], local: LocalStore, shared: SharedStore) -> Iterator[Sides]:
    """These runs, asked for one by one."""
    for name in names:
        yield Sides(
            name,
            here=local.path(name) if local.has(name) else None,
            there=shared.objects.head(signature_key(name)),
            beside=shared.objects.head(provenance_key(name)),
        )
