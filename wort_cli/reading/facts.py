"""The facts of a signature, without its hashes: what the reader returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wort_cli.model.accession import name_in
from wort_cli.model.profile import SRA_V1, Profile, profile_for
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
    """The name that it is stored under: of an assembly, the accession."""
    filename: str
    digest: str
    sketches: tuple[SketchFacts, ...]
    is_joined: bool = False
    """Whether the file has it as several signatures (strict.py)."""
    title: str = ""
    """Its own field `name`, if that is another text."""

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
        name = name_in(document.name)
        found = profile_for(name, profile_name(document, profile))
        title = document.name if document.name != name else ""
        return cls(found, name, document.filename, document.digest, sketches, is_joined, title)
