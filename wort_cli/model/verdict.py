"""What a verification found: how a signature compares with what the recipe makes, and how far it is trusted then.

Values only.  A *full* verification compares with all reads and can prove; a *quick* one looks at a few slices and can
only refute.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from wort_cli.model.provenance import Trust


class Depth(StrEnum):
    """How much of a run a verification reads."""

    FULL = "full"
    QUICK = "quick"


@dataclass(frozen=True)
class Comparison:
    """One sketch beside the recalculated one; of a quick check, beside that of the slices alone."""

    ksize: int
    hashes: int
    """Of the signature."""
    expected: int
    """Of what was recalculated."""
    missing: int
    """Recalculated hashes that the signature does not have."""
    extra: int
    """Hashes of the signature that were not recalculated; a quick check can't know of any."""
    drifted: int
    """Hashes in both with abundances that can't be; in a quick check, abundances below those of the slices."""
    abundance_ratio: float
    """Of the sums of abundances: the signature's to what was recalculated, or to what the slices let expect."""
    jaccard: float
    containment: float
    """The share of the recalculated hashes that the signature has."""

    @property
    def differs(self) -> bool:
        """Whether any hash or abundance is not as it must be."""
        return bool(self.missing or self.extra or self.drifted)

    def sentence(self) -> str:
        """The comparison in words."""
        return (
            f"k={self.ksize}: {self.missing:,} of {self.expected:,} hashes are missing, {self.extra:,} too many, "
            f"{self.drifted:,} with other abundances (sums {self.abundance_ratio:.3g} : 1); "
            f"Jaccard {self.jaccard:.4f}, containment {self.containment:.4f}"
        )


@dataclass(frozen=True)
class Verdict:
    """The outcome of a verification."""

    trust: Trust
    depth: Depth
    cause: str = ""
    """Of a mismatch: what most likely made the difference."""
    comparisons: tuple[Comparison, ...] = ()
    slices: tuple[tuple[int, int], ...] = ()
    """Of a quick check: the first and last spots of the slices that were read."""
    engine: str = ""
    bases: int = 0
    """Bases that were read."""

    def sentence(self) -> str:
        """The verdict in one line."""
        return f"{self.trust}: {self.cause}" if self.cause else f"{self.trust} ({self.depth})"

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; keys that a later version added are passed over."""
        known = {key: data[key] for key in cls.__dataclass_fields__}
        return cls(
            **{
                **known,
                "trust": Trust(data["trust"]),
                "depth": Depth(data["depth"]),
                "comparisons": tuple(Comparison(**item) for item in data["comparisons"]),
                "slices": tuple((int(first), int(last)) for first, last in data["slices"]),
            }
        )


UNDECIDED = frozenset({Trust.UNVERIFIED, Trust.UNVERIFIABLE, Trust.QUICK_CHECKED})
"""What a better check may still confirm or refute."""


def trust_after(before: Trust, found: Trust) -> Trust:
    """How far a signature is trusted that was trusted as `before` says and of which a verification found `found`.

    All reads decide in any case, and so does a refutation.  Less than that takes nothing away: a source that is gone,
    or a few slices that fit, leave what was proved as it was, and what was refuted refuted.
    """
    if found in (Trust.VERIFIED, Trust.MISMATCH):
        return found
    if found is Trust.QUICK_CHECKED and before in UNDECIDED:
        return found
    if found is Trust.UNVERIFIABLE and before is Trust.UNVERIFIED:
        return found
    return before
