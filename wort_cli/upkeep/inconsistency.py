"""Something in a home that is not as it should be, and how it is mended.  A value."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Inconsistency:
    """What is wrong; `mend` mends it and says what it did, None if it can't be mended by us; `hint` is for a person."""

    what: str
    detail: str
    mend: Callable[[], str] | None = None
    hint: str = ""
    harmless: bool = False
    """Whether it only takes up space."""
