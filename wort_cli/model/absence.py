"""Why something that was asked for is not in an export: the state and the reason of its job, or of its file."""

from dataclasses import dataclass
from enum import StrEnum

from wort_cli.model.profile import profile_option


class AbsenceReason(StrEnum):
    """Reasons besides those of jobs (failure.py)."""

    NOT_REQUESTED = "not-requested"
    ONLY_IN_BUCKET = "only-in-bucket"
    FILE_MISSING = "file-missing"
    NOT_THE_RECORDED = "not-the-recorded"
    REFUTED = "refuted"
    NO_SUCH_SKETCH = "no-such-sketch"
    NOT_SELECTED = "not-selected"
    NOT_DONE = "not-done"

    @property
    def sentence(self) -> str:
        """The reason as a sentence; {name} stands for the name of the signature, {option} for that of its profile."""
        return SENTENCES[self]


SENTENCES = {
    AbsenceReason.NOT_REQUESTED: "no job was ever requested: `wort compute {name}{option}`",
    AbsenceReason.ONLY_IN_BUCKET: "only the bucket has it: `wort sync pull {name}{option}`",
    AbsenceReason.FILE_MISSING: "the catalog has it, but its file is missing or can't be read: `wort doctor`",
    AbsenceReason.NOT_THE_RECORDED: "its file is not the recorded signature: `wort compute --force {name}{option}`",
    AbsenceReason.REFUTED: "it was refuted by a verification: `wort compute {name}{option}` computes the right one",
    AbsenceReason.NO_SUCH_SKETCH: "it has no sketch with the requested parameters",
    AbsenceReason.NOT_SELECTED: "the catalog has it, but --trust or --where leaves it out",
    AbsenceReason.NOT_DONE: "its job has not ended: `wort status {name}`",
}

UNKNOWN, DONE = "unknown", "done"
"""States of what has no job, and of what the catalog has."""
UNAVAILABLE = "unavailable"
COLUMNS = (
    *("accession", "name", "moltype", "md5sum", "download_filename", "url", "range"),
    *("state", "reason", "sentence"),
)
"""The columns of `missing.csv`.

The first seven are those of sourmash_plugin_directsketch's list of failures, which is also its input (src/utils/mod.rs,
load_accession_info).  They have no commas.
"""


@dataclass(frozen=True)
class Absence:
    """Something that was asked for and is not there; `md5` is that of a sketch, if only that is known."""

    name: str
    state: str
    reason: str
    sentence: str
    md5: str = ""

    @classmethod
    def of(cls, name: str, reason: AbsenceReason, profile: str, state: str = DONE, md5: str = "") -> "Absence":
        """Return the absence of a signature of a profile, for a reason that is not one of a job."""
        sentence = reason.sentence.format(name=name or "ID", option=profile_option(profile))
        return cls(name, state, str(reason), sentence, md5)

    def cells(self) -> tuple[str, ...]:
        """Return the values of COLUMNS."""
        return (self.name, self.name, "DNA", self.md5, "", "", "", self.state, self.reason, self.sentence)
