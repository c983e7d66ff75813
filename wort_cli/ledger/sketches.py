"""The sketches of the signatures: what a collection and a catalog list, without reading any signature.

The rows of a signature are right because this home computed or read it: they come from a provenance that this home
wrote, or from the strict reader, never from a document of others.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from wort_cli.ledger.database import Row, Storage
from wort_cli.ledger.listing import (
    OF_A_GROUP,
    OF_ALL,
    OF_NAMES,
    PAGE,
    following,
    list_sql,
    pages,
    pattern_values,
    with_conditions,
)
from wort_cli.model.profile import PROFILES, Profile
from wort_cli.model.provenance import Provenance, Recorded, Trust
from wort_cli.model.run_condition import RunCondition
from wort_cli.model.sketch_row import MOST, SketchRow


@dataclass(frozen=True)
class Entry:
    """A signature of the catalog, with its sketches; `sketches` is empty if they are not known yet."""

    name: str
    profile: str
    digest: str
    trust: Trust
    path: str
    """The path relative to the local store's root; empty if it is only in the bucket."""
    size: int
    created_at: float
    remote: str
    sha256: str
    sketches: tuple[SketchRow, ...]

    @property
    def title(self) -> str:
        """The field `name` of the signature itself."""
        return (self.sketches[0].title if self.sketches else "") or self.name

    @property
    def recorded(self) -> Recorded:
        """The identity of the signature, and its trust."""
        return Recorded(self.digest, self.trust, self.sha256)


class Sketches:
    """The table `sketches`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def entries(
        self,
        profile: str,
        pattern: str = "",
        *,
        group: str = "",
        trust: Trust | None = None,
        names: Sequence[str] | None = None,
        where: Sequence[RunCondition] = (),
    ) -> Iterator[Entry]:
        """Yield the signatures of a profile in order of their names; only a page of them is in memory.

        pattern, group, trust, where: those of `Catalog.listed`
        names: only these, which must be sorted and without duplicates
        """
        values = {**pattern_values(pattern), "profile": profile, "trust": str(trust or ""), "group_name": group}
        values["limit"] = PAGE
        of = OF_NAMES if names is not None else OF_A_GROUP if group else OF_ALL
        selected, parameters = with_conditions(of, where)
        sql, values = list_sql("entries", selected), values | parameters
        if names is not None:
            for some in pages(names):
                yield from self._with_sketches(sql, {**values, "names": json.dumps(some)})
            return
        while page := self._with_sketches(sql, values):
            yield from page
            values["start"] = following(page[-1].name)

    def _with_sketches(self, sql: str, values: dict[str, object]) -> list[Entry]:
        found = self._storage.select(sql, values)
        names = json.dumps([row["name"] for row in found])
        rows = self._storage.rows("sketches_of", profile=values["profile"], names=names)
        known = {name: tuple(map(sketch_row, some)) for name, some in groupby(rows, itemgetter("name"))}
        return [Entry(**{**row, "trust": Trust(row["trust"])}, sketches=known.get(row["name"], ())) for row in found]

    def add(self, name: str, profile: str, rows: Iterable[SketchRow]) -> None:
        """Record the sketches of a signature that was read or computed here.  Call this in a transaction."""
        for position, row in enumerate(rows):
            values = {**row._asdict(), "with_abundance": int(row.with_abundance)}
            self._storage.change("add_sketch", name=name, profile=profile, position=position, **values)

    def add_of_provenance(self, provenance: Provenance) -> None:
        """Record the sketches of a signature that this home computed; none if its profile is not known here."""
        profile = PROFILES.get(provenance.profile)
        if profile is None and (row := self._storage.row("used_profile", name=provenance.profile)):
            profile = Profile.from_json(row["name"], json.loads(row["definition"]))
        if profile is not None:
            self.add(provenance.name, provenance.profile, rows_of_provenance(provenance, profile))

    def add_of_earlier_versions(self, profile: str) -> None:
        """Record the sketches of what this home computed before there was this table."""
        if profile in PROFILES and self._storage.row("signature_without_sketches", profile=profile):
            with self._storage.transaction():
                scaled = PROFILES[profile].scaled
                self._storage.change("add_sketches_of_earlier_versions", profile=profile, scaled=scaled)


def sketch_row(row: Row) -> SketchRow:
    """Return the sketch in a row of `sketches_of`."""
    return SketchRow(
        *(row["md5"], row["ksize"], row["moltype"], row["num"], row["scaled"], row["n_hashes"]),
        *(bool(row["with_abundance"]), row["abundance_sum"], row["filename"], row["title"]),
    )


def rows_of_provenance(provenance: Provenance, profile: Profile) -> Iterator[SketchRow]:
    """Yield the sketches of a signature of a profile that this home computed."""
    for sketch in provenance.sketches:
        total = sketch.abundance_sum if profile.abundance and sketch.abundance_sum <= MOST else None
        yield SketchRow(
            *(sketch.md5, sketch.ksize, profile.moltype, 0, profile.scaled, sketch.hashes, profile.abundance, total),
            *(provenance.filename, provenance.title),
        )
