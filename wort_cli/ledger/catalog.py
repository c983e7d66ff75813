"""The catalog: the known signatures, their files and objects, and how far each is trusted."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wort_cli.ledger.database import Row, Storage
from wort_cli.ledger.listing import (
    OF_A_GROUP,
    OF_ALL,
    PAGE,
    following,
    list_sql,
    pages,
    pattern_values,
    with_conditions,
)
from wort_cli.ledger.sketches import Sketches
from wort_cli.model.accession import Name, parse_name
from wort_cli.model.job import Source
from wort_cli.model.profile import profile_for
from wort_cli.model.provenance import Provenance, SignatureRecord, Trust, trust_to_record
from wort_cli.model.read_files import is_url, recorded
from wort_cli.model.run_condition import RunCondition

if TYPE_CHECKING:
    from wort_cli.model.job_result import Published


@dataclass(frozen=True)
class ListedSignature:
    """A signature as lists show it; `created_at` is in seconds since 1970, `size` in bytes."""

    name: str
    profile: str
    digest: str
    trust: str
    path: str
    size: int
    created_at: float
    remote: str
    bases: int | None
    ksizes: tuple[int, ...]


@dataclass(frozen=True)
class Measured:
    """Totals of jobs that were done in this home; `seconds` are those of the jobs, added up."""

    jobs: int
    bases: int
    seconds: float
    archive_bytes: int


def listed_signature(row: Row) -> ListedSignature:
    """Return the signature in a row of a list."""
    ksizes = tuple(sorted(int(k) for k in (row.pop("ksizes") or "").split(",") if k))
    return ListedSignature(ksizes=ksizes, **row)


def files_of(made: Provenance) -> list[tuple[str, int, float]]:
    """Return the path, size and time of change of each file that a signature was made from."""
    if made.files:
        return [(file.path, file.size, file.mtime) for file in made.files]
    return [(made.source, made.source_size, made.source_mtime)]


def is_made_from(made: Provenance, source: Source) -> bool:
    """Return whether a signature was made from files with the paths of a source."""
    inputs = map(recorded, source.reads.inputs) if source.reads else map(str, source.files)
    return [path for path, _, _ in files_of(made)] == list(inputs)


class Catalog:
    """The table `signatures`, with one row for each name and profile."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.sketches = Sketches(storage)

    def has(self, source: Source, profile: str, *, public: bool = False) -> bool:
        """Return whether the catalog has the signature; for local files, made from their present content.

        One that was taken from the public signatures counts only if `public` is true, or once it was checked here.
        """
        if not source.is_local or not source.location:
            key = {"name": str(source.name), "profile": profile, "public": int(public)}
            return self._storage.row("has_signature", **key) is not None
        record = self.get(source.name, profile)
        if record is None or record.trust is Trust.MISMATCH or not is_made_from(record.provenance, source):
            return False
        if source.reads is not None and source.reads.is_stdin:
            return False
        try:
            now = [(str(path), path.stat()) for path in source.files]
        except OSError:
            return False
        on_disk = [file for file in files_of(record.provenance) if not is_url(file[0])]
        return on_disk == [(path, file.st_size, file.st_mtime) for path, file in now]

    def get(self, name: Name, profile: str) -> SignatureRecord | None:
        """Return the record of a signature, or None."""
        row = self._storage.row("signature", name=str(name), profile=profile)
        return SignatureRecord.from_row(row, json.loads(row["provenance"])) if row else None

    def checksum(self, name: str, profile: str) -> str:
        """Return the recorded sha256 of a signature; empty if there is none."""
        row = self._storage.row("recorded", name=name, profile=profile)
        return str(row["sha256"]) if row else ""

    def is_refuted(self, name: str, profile: str) -> bool:
        """Return whether the catalog has a signature that a verification refuted."""
        row = self._storage.row("recorded", name=name, profile=profile)
        return row is not None and row["trust"] == Trust.MISMATCH

    def remote_names(self, profile: str) -> Iterator[Name]:
        """Yield the runs whose signature was seen in a bucket, in alphabetical order."""
        after = ""
        while page := self._storage.rows("remote_names", profile=profile, after=after, limit=PAGE):
            yield from (parse_name(row["name"]) for row in page)
            after = page[-1]["name"]

    def listed(
        self,
        profile: str,
        pattern: str = "",
        *,
        group: str = "",
        trust: Trust | None = None,
        local: bool = False,
        where: Sequence[RunCondition] = (),
        after: str = "",
        until: str = "",
        page: int = PAGE,
    ) -> Iterator[ListedSignature]:
        """Yield the signatures of a profile in order of their names; only a page of them is in memory.

        pattern: of names, with * and ?; empty for all
        group: only those that are members of this group
        local: only those with a file in the local store, without bases and k
        where: only runs whose metadata meet all of these conditions
        after, until: only names behind the one, and up to the other; empty for no limit
        page: how many are read at a time
        """
        selected, parameters = with_conditions(OF_A_GROUP if group else OF_ALL, where)
        sql, values = list_sql("listed_signatures", selected), pattern_values(pattern) | parameters
        values |= {
            "profile": profile,
            "trust": str(trust or ""),
            "local": int(local),
            "group_name": group,
            "limit": page,
        }
        if after:
            values["start"] = max(str(values["start"]), following(after))
        if until:
            values["end"] = min(str(values["end"]), following(until))
        while rows := self._storage.select(sql, values):
            for row in rows:
                yield listed_signature(row)
            values["start"] = following(rows[-1]["name"])

    def newest(self, limit: int) -> list[ListedSignature]:
        """Return the signatures that the catalog recorded last, of all profiles, newest first."""
        return [listed_signature(row) for row in self._storage.rows("newest_signatures", limit=limit)]

    def profiles_of(self, name: Name) -> list[str]:
        """Return the profiles of which there is a signature of a name, in order."""
        return [row["profile"] for row in self._storage.rows("profiles_of_name", name=str(name))]

    def further_on(self, number: int, pattern: str = "", after: str = "") -> str:
        """Return the name that is `number` signatures behind a name; empty if there are not so many."""
        values = pattern_values(pattern)
        start = max(str(values["start"]), following(after)) if after else values["start"]
        row = self._storage.row("name_further_on", start=start, end=values["end"], number=number)
        return str(row["name"]) if row else ""

    def note_remote(self, profile: str, places: Iterable[tuple[str, str]]) -> int:
        """Record that signatures are in a bucket: pairs of a name and a URL.  Return how many were not known to be."""
        with self._storage.transaction():
            rows = ((url, name, profile_for(name, profile), url) for name, url in places)
            return self._storage.change_many("note_remote", rows)

    def unknown(self, names: Iterable[str], profile: str) -> Iterator[str]:
        """Yield those of some names that have no signature, or a refuted one."""
        for some in pages(names):
            for row in self._storage.rows("names_without_signature", names=json.dumps(some), profile=profile):
                yield row["name"]

    def count(self, profile: str = "") -> int:
        """Return the number of signatures, of a profile or of all."""
        of_profile = {"profile": profile} if profile else {}
        row = self._storage.row("count_signatures_of_profile" if profile else "count_signatures", **of_profile)
        return int(row["n"]) if row else 0

    def measured(self, profile: str, newest: int = 200) -> Measured | None:
        """Return the totals of those of the `newest` signatures that were computed here; None if there are none."""
        row = self._storage.row("measured", profile=profile, newest=newest)
        return Measured(row["jobs"], row["bases"], row["seconds"], row["bytes"]) if row and row["jobs"] else None

    def accepts(self, published: "Published") -> bool:
        """Return whether `record` would record a signature: it replaces none of other content that is worth more."""
        return self._trust_of(published) is not None

    def record(self, published: "Published", *, force: bool = False) -> bool:
        """Record a signature that is in a store; return False, and keep the earlier record, if that is worth more.

        The same content keeps the higher trust, with the provenance that belongs to it.  `force` replaces other
        content whatever its trust.  Call this in a transaction.
        """
        trust = self._trust_of(published)
        if trust is None and not force:
            return False
        provenance, remote, created_at = published.provenance, published.remote, time.time()
        before = self.get(parse_name(provenance.name), provenance.profile)
        if before is not None and before.digest == provenance.digest:
            remote = remote or before.remote
            if trust is not published.trust:
                provenance, created_at = before.provenance, before.created_at
        self._storage.change(
            "record_signature",
            name=provenance.name,
            profile=provenance.profile,
            digest=provenance.digest,
            trust=str(trust or published.trust),
            path=published.path,
            size=published.size,
            created_at=created_at,
            provenance=json.dumps(provenance.to_json()),
            remote=remote,
            sha256=published.sha256,
        )
        if published.trust in (Trust.COMPUTED, Trust.UNPROVED):  # else it may be another home's document
            self.sketches.add_of_provenance(published.provenance)
        return True

    def _trust_of(self, published: "Published") -> Trust | None:
        before = self.get(parse_name(published.provenance.name), published.provenance.profile)
        return trust_to_record(before.recorded if before else None, published.provenance.digest, published.trust)

    def repairs(self, name: Name) -> list[tuple[float, str]]:
        """Return the repairs of `wort doctor --repair` to a signature: time and description, oldest first."""
        return [(row["at"], row["what"]) for row in self._storage.rows("repairs_of", name=str(name))]
