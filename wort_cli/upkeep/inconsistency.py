"""The value that describes an inconsistency in a home and its repair."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Inconsistency:
    """An inconsistency between the ledger, the store and the disk."""

    subject: str
    """The subject: a name, a job or a file."""
    detail: str
    repair: Callable[[], str] | None = None
    """Repairs it and returns a sentence that says how; None if only a user can."""
    hint: str = ""
    """The next step for the user."""
    harmless: bool = False
    """Whether it needs no repair."""
