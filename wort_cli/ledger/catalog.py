"""The catalog: which signatures there are, where they are, and how far they are trusted."""

import json
import time
from collections.abc import Iterator

from wort_cli.ledger.database import Storage
from wort_cli.model.accession import Name, parse_name
from wort_cli.model.job import Source
from wort_cli.model.job_result import Published
from wort_cli.model.provenance import SignatureRecord, Trust

PAGE = 1000
"""Rows that are read together."""


class Catalog:
    """The table `signatures`: one row for each name and profile."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def has(self, source: Source, profile: str) -> bool:
        """Whether the catalog has this signature; of a local file, whether it was made of the file as it is now."""
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
        """The catalog's entry, if there is one."""
        row = self._storage.row("signature", name=str(name), profile=profile)
        return SignatureRecord.from_row(row, json.loads(row["provenance"])) if row else None

    def remote_names(self, profile: str) -> Iterator[Name]:
        """The runs whose signature was seen in a bucket, in order."""
        after = ""
        while page := self._storage.rows("remote_names", profile=profile, after=after, limit=PAGE):
            yield from (parse_name(row["name"]) for row in page)
            after = page[-1]["name"]

    def count(self) -> int:
        """How many signatures the catalog has."""
        row = self._storage.row("count_signatures")
        return int(row["n"]) if row else 0

    def record(self, published: Published, trust: Trust | None = None) -> None:
        """Enter a signature that stands in a store into the catalog, in place of an earlier one."""
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
        """What `wort doctor --repair` did about a signature, and when, the oldest first."""
        return [(row["at"], row["what"]) for row in self._storage.rows("repairs_of", name=str(name))]
