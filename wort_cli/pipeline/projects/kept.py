"""The listing of the runs of a record as a file: JSON lines (gzip), a head with the counts, then a row for each run."""

import gzip
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from wort_cli.errors import StorageProblem
from wort_cli.model.accession import RecordAccession
from wort_cli.model.run_metadata import FIELDS, RunMetadata

VERSION = 1


class EnaQuery(str):
    """A query of ENA's search, such as `tax_eq(408170) AND library_strategy="WGS"`."""

    __slots__ = ()

    @classmethod
    def in_text(cls, text: str) -> "EnaQuery | None":
        """Return the query in a text; None if it is not one."""
        is_query = any(c in text for c in "=(<>") and text.isprintable() and len(text) < 4000
        return cls(text) if is_query else None


Selection = RecordAccession | EnaQuery


@dataclass(frozen=True)
class Witness:
    """The answer of one service: the number of runs that it lists, or why there is no list."""

    service: str
    runs: int | None
    why: str = ""
    """Why there is no list; or what is remarkable about it."""


@dataclass(frozen=True)
class ListedRun:
    """A run, and who lists it."""

    run: RunMetadata
    services: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """All runs of a record: their numbers, and the file of their rows."""

    selection: str
    listed_at: float
    runs: int
    bases: int
    bytes: int
    witnesses: tuple[Witness, ...]
    only: dict[str, int]
    """The number of runs that only one service lists, by its name."""
    targets: tuple[str, ...]
    """The records in the SRA to which a record of GEO refers."""
    path: Path

    def rows(self) -> Iterator[ListedRun]:
        """Yield the runs; only one of them is in memory.  Raises StorageProblem if the file is damaged."""
        try:
            with gzip.open(self.path, "rt", encoding="utf-8") as file:
                next(file)
                for line in file:
                    *values, services = json.loads(line)
                    yield ListedRun(RunMetadata(*values), tuple(services))
        except (OSError, EOFError, ValueError, StopIteration, TypeError) as error:
            raise StorageProblem(
                f"the list of runs in {self.path} cannot be read: {error}", "remove the file"
            ) from error

    @property
    def is_complete(self) -> bool:
        """Whether each service that was asked gave its list."""
        return all(witness.runs is not None for witness in self.witnesses)

    def sentences(self) -> Iterator[str]:
        """Yield what a person should know of the lists: where they differ, and who gave none."""
        for witness in self.witnesses:
            if witness.runs is None:
                yield f"{self.selection}: {witness.service} gave no list, so that runs may be missing: {witness.why}"
            elif witness.why:
                yield f"{self.selection}: {witness.service}: {witness.why}"
        if any(self.only.values()) and self.is_complete and len(self.witnesses) > 1:
            numbers = ", ".join(f"{number:,} only {service}" for service, number in self.only.items() if number)
            counts = " and ".join(f"{w.service} lists {w.runs:,}" for w in self.witnesses)
            yield f"{self.selection}: {counts} runs; all {self.runs:,} are taken ({numbers})"


def file_name(selection: Selection) -> str:
    """Return a safe file name for a selection."""
    if isinstance(selection, RecordAccession):
        return str(selection)
    return f"query-{hashlib.sha256(selection.encode()).hexdigest()[:16]}"


def head_of(listing: Listing) -> dict[str, Any]:
    """Return the first line of the file of a listing."""
    return {**asdict(replace(listing, path=Path())), "path": "", "version": VERSION, "fields": FIELDS}


def kept_listing(path: Path, selection: Selection, seconds: float) -> Listing | None:
    """Return the listing that was kept, if it is not older than so many seconds, complete and of this version."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            head = json.loads(next(file))
        if (head.pop("version"), tuple(head.pop("fields"))) != (VERSION, FIELDS) or head["selection"] != selection:
            return None
        head["witnesses"] = tuple(Witness(**witness) for witness in head["witnesses"])
        found = Listing(**{**head, "targets": tuple(head["targets"]), "path": path})
    except (OSError, EOFError, ValueError, StopIteration, TypeError, KeyError, AttributeError):
        return None
    age = time.time() - found.listed_at
    return found if 0 <= age < seconds and found.is_complete else None
