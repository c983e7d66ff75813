"""The result of one run in a task of a batch system: a line of the file that `wort compute --report FILE` writes.

The file has a JSON document in each line (jsonlines.org).  A line is written when its run has ended, so that a task
that is killed leaves the lines of the runs before; one that is asked to end adds lines of those that it has not
computed, which are `queued`.  If a run has several lines, the last one counts.  A line whose end is missing was being
written when the task was killed, or the disk was full; the next try of the task reports the run again.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from wort_cli.model.accession import Name, parse_name
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState
from wort_cli.model.profile import profile_name

SCHEMA = 1
"""The version of a line; it changes if a key is removed or means something else."""
STATES, REASONS = frozenset(JobState), frozenset(Reason)
START = b'{"schema": '
"""The first bytes of a line."""


@dataclass(frozen=True)
class RunReport:
    """One line; None for what is not known or does not apply."""

    name: Name
    profile: str
    state: JobState
    """`waiting` is a failure that may pass, and `queued` was not tried: the run is worth another task."""
    reason: Reason | None = None
    message: str | None = None
    digest: str | None = None
    """The digest of the signature, by which two tasks that computed the same run can be compared."""
    path: str | None = None
    """The URL of the signature in the bucket; or its path on the task's machine, if it was not published."""
    bases: int | None = None
    source_size: int | None = None
    """Bytes of the archive, or of the files of reads."""
    seconds: float | None = None
    """Seconds since the attempt was started; None if the signature existed already."""
    host: str | None = None
    ended_at: str | None = None
    """The end of the run in UTC, as in ISO 8601."""

    @property
    def wait_until(self) -> None:
        """A report does not know when a job of its home would be tried again."""

    def to_json(self) -> dict[str, Any]:
        """Return the document of the line."""
        values = asdict(self)
        return {
            "schema": SCHEMA,
            **values,
            "name": str(self.name),
            "state": str(self.state),
            "reason": str(self.reason) if self.reason else None,
        }

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Return the report in the document of a line; raise ValueError if it is invalid, or of a later version."""
        if not isinstance(document, Mapping) or "schema" not in document:
            raise ValueError("it is not a line that `wort compute --report FILE` wrote")
        if document["schema"] != SCHEMA:
            raise ValueError("it was written by a later version of wort")
        name, profile, state = (text(document, key) for key in ("name", "profile", "state"))
        if name is None or profile is None or state not in STATES:
            raise ValueError("it has no name, profile or state")
        reason = text(document, "reason")
        if reason is not None and reason not in REASONS:
            raise ValueError("its reason is unknown")
        bases, size = (count(document, key) for key in ("bases", "source_size"))
        return cls(
            parse_name(name),
            profile_name(profile),
            JobState(state),
            Reason(reason) if reason else None,
            text(document, "message"),
            text(document, "digest"),
            text(document, "path"),
            bases,
            size,
            number(document, "seconds"),
            text(document, "host"),
            text(document, "ended_at"),
        )


def text(document: Mapping[str, Any], key: str) -> str | None:
    """Return a text of a document; None if it has none."""
    value = document.get(key)
    return value if isinstance(value, str) else None


def count(document: Mapping[str, Any], key: str) -> int | None:
    """Return a count of a document; None if it has none."""
    value = document.get(key)
    return value if type(value) is int else None


def number(document: Mapping[str, Any], key: str) -> float | None:
    """Return a number of a document; None if it has none."""
    value = document.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
