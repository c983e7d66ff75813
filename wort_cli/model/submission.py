"""A signature that somebody handed in: what it is said to be of, by whom, and how far it is trusted.  Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wort_cli.model.accession import Accession, Name, parse_name
from wort_cli.model.provenance import Trust


class SourceCheck(StrEnum):
    """What is known of the data that a signature is said to be of."""

    PUBLIC = "public"
    """An archive knows the run, or the URL answers."""
    NOT_CHECKED = "not checked"
    """Nobody could be asked."""


@dataclass(frozen=True)
class Lookup:
    """What the public archives answered about a run, and when."""

    known: bool
    note: str
    asked_at: float


@dataclass(frozen=True)
class Submission:
    """An entry of the ledger: one content under one name, however often it is handed in."""

    name: Name
    """The accession; of data at a URL alone, the beginning of the digest."""
    profile: str
    digest: str
    trust: Trust
    path: str
    """Of the bytes as they were handed in, below the store's root."""
    size: int
    sha256: str
    """Of those bytes."""
    submitter: str
    submitted_at: float
    origin: str
    """The file or URL that it was handed in as."""
    url: str
    """Where the data are said to be; '' if it is of a run alone."""
    source_check: SourceCheck
    source_note: str
    """Who said so, or why nobody was asked."""
    why: str = ""
    """What the last verification said."""

    @property
    def is_of_a_run(self) -> bool:
        """Whether it can be recalculated: data at a URL alone can't."""
        return isinstance(self.name, Accession)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Submission":
        """The submission of a row of `submissions`."""
        return cls(
            **{
                **row,
                "name": parse_name(row["name"]),
                "trust": Trust(row["trust"]),
                "source_check": SourceCheck(row["source_check"]),
            }
        )
