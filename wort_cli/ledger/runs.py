"""The metadata of runs, from ENA, NCBI and tables of the user."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from wort_cli.ledger.database import Storage, queries
from wort_cli.model.accession import RecordAccession, RecordKind
from wort_cli.model.run_condition import COLUMNS
from wort_cli.model.run_metadata import RunMetadata

BATCH = 5000
"""Rows that one transaction writes, so that the daemon can use the ledger in between."""
ASKED = 5000
"""Names that one query gets."""


@dataclass(frozen=True)
class Amounts:
    """Sums over those of some runs whose amount is known."""

    with_bases: int
    bases: int
    with_bytes: int
    bytes: int


class Runs:
    """The table `runs`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def record(self, rows: Iterable[tuple[RunMetadata, str]], at: float | None = None) -> int:
        """Record runs, each with where it was learned, in batches; return their number.

        What is known of a run and not in its row stays.
        """
        now, number, rest = time.time() if at is None else at, 0, iter(rows)
        while batch := [(*run.values(), origin, now) for run, origin in islice(rest, BATCH)]:
            with self._storage.transaction():
                self._storage.change_many("record_run", batch)
            number += len(batch)
        return number

    @property
    def any(self) -> bool:
        """Whether anything is known of any run."""
        return self._storage.row("any_run") is not None

    def get(self, name: str) -> RunMetadata | None:
        """Return what is known of a run; None if that is nothing."""
        row = self._storage.row("run", run=name)
        return RunMetadata(**row) if row else None

    def known_of(self, names: Iterable[str]) -> dict[str, RunMetadata]:
        """Return what is known of some runs, by their names."""
        rows = (row for page in pages(names) for row in self._storage.rows("runs_among", names=json.dumps(page)))
        return {row["run"]: RunMetadata(**row) for row in rows}

    def of_record(self, record: RecordAccession, limit: int) -> list[str]:
        """Return the runs of a project, study, experiment, sample or biosample, as far as they are known.

        Those of a project and a study are found by an index; for the others, all that is known is read.
        """
        query = {RecordKind.PROJECT: "runs_of_project", RecordKind.STUDY: "runs_of_study"}.get(record.kind)
        rows = self._storage.rows(query or "runs_of_record", record=str(record), limit=limit)
        return [row["run"] for row in rows]

    def values_in_group(self, group: str, profile: str, column: str) -> Iterator[tuple[str, str]]:
        """Yield each signature of a group with the value of a column of its run; empty if that is not known."""
        if column not in COLUMNS:
            raise ValueError(column)
        sql = queries()["values_in_group"].replace("{column}", column)
        after = ""
        while page := self._storage.tuples(
            sql, {"group_name": group, "profile": profile, "after": after, "limit": ASKED}
        ):
            yield from page
            after = page[-1][0]

    def unknown(self, names: Iterable[str], profile: str) -> Iterator[str]:
        """Yield, of some runs, those of which the ledger has neither a job nor a signature of a profile."""
        for page in pages(names):
            for row in self._storage.rows("unknown_among", names=json.dumps(page), profile=profile):
                yield row["run"]

    def bases(self, names: Iterable[str]) -> dict[str, int]:
        """Return the bases of those of some runs whose number is known."""
        found = (self._storage.rows("bases_among", names=json.dumps(page)) for page in pages(names))
        return {row["run"]: row["bases"] for rows in found for row in rows}

    def amounts(self, names: Iterable[str]) -> Amounts:
        """Return the bases and bytes of some runs, as far as they are known."""
        total = [0, 0, 0, 0]
        for page in pages(names):
            row = self._storage.rows("amounts_among", names=json.dumps(page))[0]
            total = [a + row[key] for a, key in zip(total, ("with_bases", "bases", "with_bytes", "bytes"), strict=True)]
        return Amounts(*total)


def pages(names: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yield the names in lists of at most ASKED."""
    rest = iter(names)
    while page := [str(name) for name in islice(rest, ASKED)]:
        yield page
