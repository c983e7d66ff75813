"""The catalog: the known signatures, their files and objects, and how far each is trusted."""

import json
import time
from collections.abc import Iterator

from wort_cli.ledger.database import Storage
from wort_cli.model.accession import Name, parse_name
from wort_cli.model.job import Source
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import SignatureRecord, Trust

PAGE = 1000
"""Rows that one query reads."""


class Catalog:
    """The table `signatures`, with one row for each name and profile."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def has(self, source: Source, profile: str) -> bool:
        """Return whether the catalog has the signature; for a local archive, made from its present content."""
        if not source.is_local or source.archive is None:
            return self._storage.row("has_signature", name=str(source.name), profile=profile) is not None
        record = self.get(source.name, profile)
        try:
            file = source.archive.stat()
        except OSError:
            return False
        return record is not None and (
            (record.provenance.source, record.provenance.source_size, record.provenance.source_mtime)
            == (str(source.archive), file.st_size, file.st_mtime)
        )

    def get(self, name: Name, profile: str) -> SignatureRecord | None:
        """Return the record of a signature, or None."""
        row = self._storage.row("signature", name=str(name), profile=profile)
        return SignatureRecord.from_row(row, json.loads(row["provenance"])) if row else None

    def remote_names(self, profile: str) -> Iterator[Name]:
        """Yield the runs whose signature was seen in a bucket, in alphabetical order."""
        after = ""
        while page := self._storage.rows("remote_names", profile=profile, after=after, limit=PAGE):
            yield from (parse_name(row["name"]) for row in page)
            after = page[-1]["name"]

    def count(self) -> int:
        """Return the number of signatures."""
        row = self._storage.row("count_signatures")
        return int(row["n"]) if row else 0

    def record(self, published: Published, trust: Trust | None = None) -> None:
        """Record a signature that is in a store, in place of an earlier record."""
        provenance = published.provenance
        self._storage.change(
            "record_signature",
            name=provenance.name,
            profile=provenance.profile,
            digest=provenance.digest,
            trust=str(trust or published.trust),
            path=published.path,
            size=published.size,
            created_at=time.time(),
            provenance=json.dumps(provenance.to_json()),
            remote=published.remote,
        )

    def repairs(self, name: Name) -> list[tuple[float, str]]:
        """Return the repairs of `wort doctor --repair` to a signature: time and description, oldest first."""
        return [(row["at"], row["what"]) for row in self._storage.rows("repairs_of", name=str(name))]
