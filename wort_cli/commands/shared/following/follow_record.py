"""Followed projects and queries as records, for `wort follow`."""

from typing import TYPE_CHECKING, Any

from wort_cli.commands.shared.showing.fields import (
    BOOLEAN,
    COUNT,
    ID,
    JOB,
    MESSAGE,
    NUMBER,
    TEXT,
    TIME,
    Document,
    Field,
    one_of,
)
from wort_cli.model.follow import Follow, FollowReason
from wort_cli.model.units import iso_time

if TYPE_CHECKING:
    from wort_cli.api.following import Outcome

FIELDS = (
    Field("number", JOB, "Its number; null in a dry run", optional=True),
    Field("selection", ID, "The accession, or the query of ENA"),
    Field("profile", ID, "The profile of the signatures"),
    Field("group", ID, "The group of the jobs", optional=True),
    Field("priority", NUMBER, "The priority of the jobs"),
    Field("since", TEXT, "Only runs that were released on this day or later are queued", optional=True),
    Field("most", COUNT, "New runs that are queued at once, at most"),
    Field("accept_public", BOOLEAN, "Whether public signatures are taken in place of computing"),
    Field("runs", COUNT, "How many runs were listed last", optional=True),
    Field("jobs", COUNT, "Jobs that were queued for it in all"),
    Field("listed_at", TIME, "When its runs were listed last", optional=True),
    Field("next_at", TIME, "When they are listed next", optional=True),
    Field("failures", COUNT, "Attempts that failed since the last success"),
    Field("reason", one_of(FollowReason), "Why nothing, or not everything, was listed or queued", optional=True),
    MESSAGE,
)
OUTCOME = (
    Field("new", COUNT, "Runs that were never requested; null if they were not listed", optional=True),
    Field("queued", COUNT, "Jobs that were queued now"),
)
SHOWN = ("number", "selection", "runs", "jobs", "reason", "next_at", "group", "listed_at", "message")
LIST = Document("follow ls", "What is followed.", rows="follows", row=FIELDS, columns=SHOWN)
REMOVED = Document(
    "follow rm",
    "What is followed no longer.",
    rows="follows",
    row=FIELDS,
    columns=("number", "selection", "group", "jobs"),
)
HEAD = (Field("dry_run", BOOLEAN, "Whether nothing was changed"),)
NOW = ("number", "selection", "runs", "new", "queued", "reason", "group", "next_at", "message")
ADDED = Document(
    "follow add", "What is followed from now on.", HEAD, rows="follows", row=(*FIELDS, *OUTCOME), columns=NOW
)
RUN = Document(
    "follow run", "The results of looking for new runs.", HEAD, rows="follows", row=(*FIELDS, *OUTCOME), columns=NOW
)


def follow_record(follow: Follow) -> dict[str, Any]:
    """Return a follow with the keys of FIELDS."""
    request = follow.request
    return {
        "number": follow.id or None,
        "selection": request.selection,
        "profile": request.profile,
        "group": request.group or None,
        "priority": request.priority,
        "since": request.since or None,
        "most": request.most,
        "accept_public": request.accept_public,
        "runs": follow.runs,
        "jobs": follow.queued,
        "listed_at": iso_time(follow.listed_at),
        "next_at": iso_time(follow.next_at) if follow.id else None,
        "failures": follow.failures,
        "reason": str(follow.reason) if follow.reason else None,
        "message": follow.message or None,
    }


def outcome_record(outcome: "Outcome | None") -> dict[str, Any]:
    """Return the result of looking for new runs; None: another process is looking."""
    if outcome is None:
        return {"new": None, "queued": 0}
    reason = str(outcome.reason) if outcome.reason else None
    of_list = {} if outcome.runs is None else {"runs": outcome.runs}
    new = None if outcome.runs is None else outcome.new
    return {**of_list, "new": new, "queued": outcome.queued, "reason": reason, "message": outcome.message or None}
