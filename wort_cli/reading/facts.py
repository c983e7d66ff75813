"""The facts of a signature, without its hashes: what the reader returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wort_cli.model.profile import SRA_V1, Profile
from wort_cli.model.provenance import SketchSummary
from wort_cli.model.signature_file import SignatureDocument
from wort_cli.reading.abundance import Bin, abundance_histogram, sketch_statistics
from wort_cli.reading.strict import profile_name


@dataclass(frozen=True)
class SketchFacts:
    """The facts of one sketch."""

    statistics: Mapping[str, Any]
    """See `sketch_statistics`."""
    abundance_sum: int
    histogram: tuple[Bin, ...]

    def summary(self) -> SketchSummary:
        """Return the summary of the sketch for a provenance."""
        known = self.statistics
        return SketchSummary(known["k"], known["hashes"], self.abundance_sum, known["md5"])


@dataclass(frozen=True)
class SignatureFacts:
    """The facts of a signature, without its hashes."""

    profile: str
    """The name of the profile that has exactly its parameters; '' if there is none."""
    name: str
    filename: str
    digest: str
    sketches: tuple[SketchFacts, ...]
    is_joined: bool = False
    """Whether the file has it as several signatures (strict.py)."""

    @classmethod
    def of(cls, document: SignatureDocument, *, is_joined: bool = False, profile: Profile = SRA_V1) -> "SignatureFacts":
        """Return the facts of a signature that was read; it is of `profile`, if it has those parameters."""
        sketches = tuple(
            SketchFacts(
                sketch_statistics(sketch),
                0 if sketch.abundances is None else int(sketch.abundances.sum()),
                abundance_histogram(sketch),
            )
            for sketch in document.sketches
        )
        found = profile_name(document, profile)
        return cls(found, document.name, document.filename, document.digest, sketches, is_joined)
