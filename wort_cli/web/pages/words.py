"""States and levels of trust in words, as pages have them."""

from dataclasses import dataclass
from enum import StrEnum

from wort_cli.model.job import JobState
from wort_cli.model.provenance import Trust


class Standing(StrEnum):
    """The standing of a signature: whether it exists, and if not, why."""

    HAVE = "have"
    QUEUED = "queued"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def heading(self) -> str:
        """The standing as a heading."""
        return HEADINGS[self]


HEADINGS = {
    Standing.HAVE: "Available",
    Standing.QUEUED: "On its way",
    Standing.UNAVAILABLE: "Unavailable",
    Standing.FAILED: "No signature",
    Standing.UNKNOWN: "Not known here",
}
OF_STATE = {
    JobState.QUEUED: Standing.QUEUED,
    JobState.RUNNING: Standing.QUEUED,
    JobState.WAITING: Standing.QUEUED,
    JobState.DONE: Standing.FAILED,
    JobState.FAILED: Standing.FAILED,
    JobState.CANCELLED: Standing.FAILED,
    JobState.UNAVAILABLE: Standing.UNAVAILABLE,
}
"""The standing of a signature that the catalog has not, by the state of its newest job."""


@dataclass(frozen=True)
class Promise:
    """The promise of a level of trust, and its limits."""

    promise: str
    caveat: str


PROMISES = {
    Trust.COMPUTED: Promise(
        "computed here from an archive that was proved undamaged: every spot was read, and the file was read back",
        "that other tools give the same",
    ),
    Trust.UNPROVED: Promise(
        "computed here, and nothing proves that the reads are undamaged",
        "that they are the reads of the archive",
    ),
    Trust.PUBLISHED: Promise(
        "found in the bucket: a valid signature of this profile, with this name",
        "that it is of this run; nobody here has compared it with the reads",
    ),
    Trust.UNVERIFIED: Promise(
        "submitted: a valid signature of a known profile",
        "that it is of this run; nobody here has compared it with the reads",
    ),
    Trust.QUICK_CHECKED: Promise(
        "some slices of the reads were sketched again, and every hash of them is in it",
        "that nothing was added, or removed elsewhere",
    ),
    Trust.VERIFIED: Promise(
        "recomputed here from all reads: every hash and every abundance was equal",
        "that the reads are what their submitters say",
    ),
    Trust.MISMATCH: Promise(
        "refuted: it differs from what the reads give",
        "anything; do not use it",
    ),
    Trust.UNVERIFIABLE: Promise(
        "submitted, and there is nothing to recompute it from",
        "that it is right, or that it is wrong",
    ),
}
