"""A project or a query that is followed: its new runs are requested as they appear."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FollowReason(StrEnum):
    """Why nothing, or not everything, was listed or requested."""

    NOT_LISTED = "not-listed"
    INCOMPLETE = "incomplete-list"
    NO_RUNS = "no-runs"
    NOT_ASKED = "not-asked"
    TOO_MANY = "too-many"
    STORAGE = "storage"
    INTERRUPTED = "interrupted"

    @property
    def sentence(self) -> str:
        """The reason as a sentence."""
        return SENTENCES[self]

    @property
    def needs_a_person(self) -> bool:
        """Whether to try again changes nothing."""
        return self in (FollowReason.NOT_ASKED, FollowReason.TOO_MANY)


SENTENCES = {
    FollowReason.NOT_LISTED: "no list of its runs could be fetched",
    FollowReason.INCOMPLETE: "one of ENA and NCBI gave no list, so that runs may be missing",
    FollowReason.NO_RUNS: "it has no runs yet",
    FollowReason.NOT_ASKED: "it cannot be listed, because the settings switch off the services",
    FollowReason.TOO_MANY: "it has more new runs than may be requested at once",
    FollowReason.STORAGE: "the list or the jobs could not be stored",
    FollowReason.INTERRUPTED: "the process that asked for the list was interrupted",
}


@dataclass(frozen=True)
class FollowRequest:
    """A project or query to follow, and how its runs are requested."""

    selection: str
    """The accession, or the query of ENA."""
    profile: str
    group: str = ""
    priority: int = 0
    accept_public: bool = False
    since: str = ""
    """YYYY-MM-DD: only runs that were released since, or whose date is not known; empty for all."""
    most: int = 10_000
    """New runs that are requested at once; if there are more, none is."""


@dataclass(frozen=True)
class Follow:
    """A row of the table `follows`.  Times are in seconds since 1970, or None for what has not happened."""

    id: int
    request: FollowRequest
    created_at: float
    next_at: float
    asked_at: float | None
    listed_at: float | None
    runs: int | None
    """The number of runs in the last list."""
    queued: int
    """Jobs that were queued in all."""
    failures: int
    """Attempts that failed since the last success."""
    reason: FollowReason | None
    message: str
    """A sentence with the facts; empty if the reason says all."""

    @property
    def is_failing(self) -> bool:
        """Whether a person should know that it does not work as it should; a project may have no runs yet."""
        return self.reason not in (None, FollowReason.NO_RUNS)

    @property
    def why(self) -> str:
        """Why nothing, or not everything, was listed or requested, as a sentence; empty if all is well."""
        return self.message or (self.reason.sentence if self.reason else "")

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Follow":
        """Return the follow in a row of the table."""
        return cls(
            id=row["id"],
            request=FollowRequest(
                row["selection"],
                row["profile"],
                row["group_name"],
                row["priority"],
                bool(row["accept_public"]),
                row["since"],
                row["most"],
            ),
            **{key: row[key] for key in ("created_at", "next_at", "asked_at", "listed_at", "runs", "queued")},
            failures=row["failures"],
            reason=FollowReason(row["reason"]) if row["reason"] else None,
            message=row["message"],
        )


def next_time(now: float, failures: int, reason: FollowReason | None, every: float, first: float) -> float:
    """Return when the services are asked again.

    every: seconds between two lists
    first: seconds after the first failure; doubled for each further one
    """
    if reason is None or reason is FollowReason.NO_RUNS or reason.needs_a_person:
        return now + every
    return now + min(every, first * 2.0 ** min(failures - 1, 30))
