"""The verdict of a verification: how a signature compares with a recomputed one, and its trust.

A *full* verification recomputes the signature from all reads, so it can confirm or refute.  A *quick* verification
reads a few slices, so it can only refute.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from wort_cli.model.provenance import Trust


class Depth(StrEnum):
    """The part of a run that a verification reads: all slices, or a few."""

    FULL = "full"
    QUICK = "quick"


@dataclass(frozen=True)
class Comparison:
    """The comparison of a sketch with the recomputed one; in a quick verification, with that of a few slices."""

    ksize: int
    hashes: int
    """The number of hashes in the signature."""
    expected: int
    """The number of hashes that were recomputed."""
    missing: int
    """The number of recomputed hashes that the signature does not have."""
    extra: int
    """The number of hashes that only the signature has; always 0 in a quick verification."""
    drifted: int
    """The number of common hashes with a wrong abundance; in a quick verification, with one that is too low."""
    abundance_ratio: float
    """The sum of abundances in the signature, divided by the recomputed or extrapolated sum."""
    jaccard: float
    containment: float
    """The fraction of the recomputed hashes that the signature has."""

    @property
    def differs(self) -> bool:
        """Whether any hash or abundance differs."""
        return bool(self.missing or self.extra or self.drifted)

    def sentence(self) -> str:
        """Return the comparison as a sentence."""
        return (
            f"k={self.ksize}: {self.missing:,} of {self.expected:,} hashes are missing, {self.extra:,} are additional, "
            f"{self.drifted:,} have a different abundance (ratio of the sums {self.abundance_ratio:.3g}); "
            f"Jaccard {self.jaccard:.4f}, containment {self.containment:.4f}"
        )


LATER = frozenset({"format", "made_from", "of_copy"})
"""Keys that are missing in verdicts of earlier versions."""


@dataclass(frozen=True)
class Verdict:
    """The result of a verification."""

    trust: Trust
    depth: Depth
    cause: str = ""
    """The most likely cause of a mismatch; else empty."""
    comparisons: tuple[Comparison, ...] = ()
    slices: tuple[tuple[int, int], ...] = ()
    """The first and last spots of the slices that a quick verification read."""
    engine: str = ""
    bases: int = 0
    """The number of bases that were read."""
    format: str = ""
    """The format of the archive that was read, `normalized` or `lite`; empty if it is unknown."""
    made_from: str = ""
    """The other format, if a signature that does not match `format` matches that; else empty."""
    of_copy: bool = False
    """Whether only the copy in the bucket is wrong.  The signature here keeps its trust."""

    def sentence(self) -> str:
        """Return the verdict in one line."""
        return f"{self.trust}: {self.cause}" if self.cause else f"{self.trust} ({self.depth})"

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the verdict from the data of `to_json`; keys of later versions are ignored.

        Raises KeyError, ValueError or TypeError if a key is missing or invalid.
        """
        known = {key: data[key] for key in cls.__dataclass_fields__ if key in data or key not in LATER}
        return cls(
            **{
                **known,
                "trust": Trust(data["trust"]),
                "depth": Depth(data["depth"]),
                "comparisons": tuple(Comparison(**item) for item in data["comparisons"]),
                "slices": tuple((int(first), int(last)) for first, last in data["slices"]),
            }
        )


UNDECIDED = frozenset({Trust.PUBLISHED, Trust.UNVERIFIED, Trust.UNVERIFIABLE, Trust.QUICK_CHECKED})
"""Levels of trust that a quick verification may change."""


def trust_after(before: Trust, found: Trust) -> Trust:
    """Return the trust in a signature whose trust was `before`, once a verification has found `found`.

    A full verification decides, and so does any mismatch.  Weaker results change nothing that was proved or refuted
    before: neither a few matching slices nor a source that is no longer available.
    """
    if found in (Trust.VERIFIED, Trust.MISMATCH):
        return found
    if found is Trust.QUICK_CHECKED and before in UNDECIDED:
        return found
    if found is Trust.UNVERIFIABLE and before is Trust.UNVERIFIED:
        return found
    return before
