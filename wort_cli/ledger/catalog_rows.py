"""Reads the rows of a catalog: each sketch of each signature, with what is known of its run.

Only the ledger is read, a page of signatures at a time, so that a million rows take seconds and little memory.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wort_cli.ledger.database import Storage, queries
from wort_cli.ledger.listing import OF_A_GROUP, OF_ALL, following, list_sql, pattern_values, with_conditions
from wort_cli.model.accession import ASSEMBLY
from wort_cli.model.catalog_columns import CatalogPage, LeftOut
from wort_cli.model.provenance import Trust
from wort_cli.model.run_condition import RunCondition

PAGE = 5000
"""Signatures that one query reads."""


@dataclass(frozen=True)
class CatalogSelection:
    """The signatures of a catalog: those of one profile, in order of their names."""

    profile: str
    pattern: str = ""
    group: str = ""
    trust: Trust | None = None
    where: Sequence[RunCondition] = ()
    local: bool = False
    """Select only signatures with a file in the local store."""
    bucket: str = ""
    """Select only signatures in the bucket with this URL; locations are then keys of this bucket."""


class CatalogRows:
    """The rows of a selection."""

    def __init__(self, storage: Storage, selection: CatalogSelection, store: str) -> None:
        """Select rows; `store` is the root of the local store."""
        self._storage = storage
        of, parameters = with_conditions(OF_A_GROUP if selection.group else OF_ALL, selection.where)
        self._signatures, self._left_out = list_sql("catalog_signatures", of), list_sql("catalog_left_out", of)
        self._sketches = queries()["catalog_sketches"]
        self._values = {
            **pattern_values(selection.pattern),
            **parameters,
            "profile": selection.profile,
            "group_name": selection.group,
            "trust": str(selection.trust or ""),
            "local": int(selection.local),
            "bucket": selection.bucket,
            "store": f"{store}/",
            "limit": PAGE,
        }

    def pages(self) -> Iterator[CatalogPage]:
        """Yield the rows in order of the names, those of some thousands of signatures at a time."""
        values = dict(self._values)
        while found := self._storage.tuples(self._signatures, values):
            of_page = {"names": json.dumps([row[0] for row in found]), "profile": values["profile"]}
            sketches = self._storage.tuples(self._sketches, of_page)
            if sketches:
                yield CatalogPage(self._with_titles(found, of_page), sketches)
            values["start"] = following(found[-1][0])

    def _with_titles(self, found: list[tuple[Any, ...]], of_page: dict[str, object]) -> list[tuple[Any, ...]]:
        """Return the signatures of a page with their own fields `name`, which those of assemblies have."""
        if not any(ASSEMBLY.fullmatch(row[0]) for row in found):
            return found
        titles = dict(self._storage.tuples(queries()["catalog_titles"], of_page))
        return [(titles.get(row[0], row[0]), *row[1:]) for row in found]

    def left_out(self) -> LeftOut:
        """Return how many of the selected signatures have no rows."""
        [(refuted, without_sketches)] = self._storage.tuples(self._left_out, self._values)
        return LeftOut(refuted or 0, without_sketches or 0)
