"""Submissions: signatures that were made by someone else, with their submitter, claimed source and trust."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wort_cli.model.accession import Accession, Name, parse_name
from wort_cli.model.provenance import Trust


class SourceCheck(StrEnum):
    """Whether the data from which a signature is claimed to be made are public."""

    PUBLIC = "public"
    """ENA or NCBI has the run, or the server of the URL answers."""
    NOT_CHECKED = "not checked"
    """No server answered or could be asked."""


@dataclass(frozen=True)
class Lookup:
    """The answer of ENA and NCBI about a run; `asked_at` is in seconds since 1970."""

    known: bool
    note: str
    asked_at: float


@dataclass(frozen=True)
class Submission:
    """A submission in the ledger: one content under one name, even if it is submitted several times."""

    name: Name
    """The accession of the run, or the first characters of the digest if the data are at a URL."""
    profile: str
    digest: str
    trust: Trust
    path: str
    """The path of the unchanged submitted file, relative to the store's root."""
    size: int
    sha256: str
    """The checksum of the submitted file."""
    submitter: str
    submitted_at: float
    origin: str
    """The file or URL from which the signature was submitted."""
    url: str
    """The claimed URL of the data; empty for the data of a run."""
    source_check: SourceCheck
    source_note: str
    """The server that answered, or the reason why none was queried."""
    why: str = ""
    """The result of the last verification, in one sentence."""

    @property
    def is_of_a_run(self) -> bool:
        """Whether the signature is of a run, so that it can be recomputed; data at a URL cannot."""
        return isinstance(self.name, Accession)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Submission":
        """Return the submission in a row of the table `submissions`."""
        return cls(
            **{
                **row,
                "name": parse_name(row["name"]),
                "trust": Trust(row["trust"]),
                "source_check": SourceCheck(row["source_check"]),
            }
        )
