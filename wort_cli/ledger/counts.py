"""Counts of jobs and transitions.  Triggers maintain them, so reading a count takes no longer with a million jobs.

kept_counts.py counts the rows again.
"""

from wort_cli.ledger.database import Storage
from wort_cli.model.failure import Reason
from wort_cli.model.job import JobState


class Counts:
    """Numbers of jobs and of transitions, and the age of the queue."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def by_state(self, group: str = "") -> dict[tuple[JobState, str], int]:
        """Return the number of jobs for each state and reason, of a group or of all."""
        rows = self._storage.rows("count_group", group_name=group) if group else self._storage.rows("count_states")
        return {(JobState(row["state"]), row["reason"]): row["n"] for row in rows}

    def transitions(self) -> dict[tuple[str, str], int]:
        """Return the number of transitions ever made, for each new state and reason.  They never decrease."""
        return {(row["after"], row["reason"]): row["n"] for row in self._storage.rows("transition_counts")}

    def ended_since(self, since: float) -> dict[tuple[JobState, str], int]:
        """Return the number of attempts that ended after a time, for each new state of the job and its reason."""
        rows = self._storage.rows("ended_since", since=since)
        return {(JobState(row["after"]), row["reason"]): row["n"] for row in rows}

    def only_reason_since(self, since: float, reason: Reason) -> str:
        """Return the message of a job that waits for a reason, if no attempt ended in another way after a time.

        Empty if there is no such job.
        """
        waiting = self._storage.row("waiting_message", reason=str(reason))
        if waiting is None or self._storage.row("ended_otherwise", since=since, reason=str(reason)):
            return ""
        return str(waiting["message"])

    def last_reason(self, reason: Reason) -> str:
        """Return the message of a job that waits for a reason, if the attempt that ended last has that reason too.

        Empty if there is no such job.
        """
        last = self._storage.row("last_ended_reason")
        waiting = self._storage.row("waiting_message", reason=str(reason))
        return str(waiting["message"]) if last and waiting and last["reason"] == reason else ""

    def oldest_queued_at(self) -> float | None:
        """Return when the oldest queued job was queued, in seconds since 1970; None if no job is queued."""
        row = self._storage.row("oldest_queued")
        return row["since"] if row else None
