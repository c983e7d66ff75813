"""The badge of a run, for a README: an SVG that says whether its signature is there."""

from dataclasses import dataclass

from wort_cli.ledger.ledger import Ledger
from wort_cli.model.accession import Name
from wort_cli.model.job import JobKind
from wort_cli.model.profile import Profile
from wort_cli.web.pages.run_page import situation_of
from wort_cli.web.pages.words import Standing

LABEL = "wort"
LETTER, MARGIN = 6.6, 6.0
"""The width of a letter, and the margin of a text, in pixels."""
COLOURS = {
    Standing.HAVE: "#1a6b3c",
    Standing.QUEUED: "#1f5fa8",
    Standing.UNAVAILABLE: "#8a5300",
    Standing.FAILED: "#ab2e22",
    Standing.UNKNOWN: "#556064",
}


@dataclass(frozen=True)
class Badge:
    """A badge: its words, and the places of its parts."""

    name: str
    words: str
    colour: str

    @property
    def label(self) -> str:
        """The text on its left side."""
        return LABEL

    @property
    def split(self) -> float:
        """Where its right side begins."""
        return width_of(LABEL)

    @property
    def width(self) -> float:
        """Its width."""
        return self.split + width_of(self.words)


def width_of(words: str) -> float:
    """Return the width of a side with some words."""
    return round(len(words) * LETTER + 2 * MARGIN, 1)


def badge_of(ledger: Ledger, name: Name, profile: Profile) -> Badge:
    """Return the badge of a name: the trust of its signature, or why there is none."""
    record = ledger.catalog.get(name, profile.name)
    jobs = ledger.jobs.named(name)
    newest = next((job for job in jobs if job.kind is JobKind.COMPUTE and job.profile == profile.name), None)
    standing = situation_of(record, newest, None).standing
    words = str(record.trust) if record is not None and standing is Standing.HAVE else str(standing)
    return Badge(str(name), words, COLOURS[standing])
