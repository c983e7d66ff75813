"""An intake: a signature that was submitted at the page of the server, and the result of its checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class IntakeState(StrEnum):
    """The state of an intake."""

    CHECKING = "checking"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"
    """The check could not be completed: a URL did not answer, or the disk was full."""


@dataclass(frozen=True)
class Intake:
    """An intake in the ledger; its id is random, and names its page."""

    id: str
    submitter: str
    origin: str
    """The name of the file, or its URL."""
    received_at: float
    state: IntakeState = IntakeState.CHECKING
    step: str = ""
    """The check that is made, or that failed (`reading/checks.py`)."""
    why: str = ""
    place: str = ""
    """The place of the fault in the file."""
    hint: str = ""
    digest: str = ""
    name: str = ""
    """The digest and the name of the submission that was accepted."""
    ended_at: float | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the intake in a row of the table `intakes`."""
        known = {key: row[key] for key in cls.__dataclass_fields__}
        return cls(**{**known, "state": IntakeState(row["state"])})
