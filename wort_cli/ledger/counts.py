"""Counts of jobs and transitions.  Triggers keep them, so a count costs the same with a million jobs."""

from wort_cli.ledger.database import Storage
from wort_cli.model.job import JobState


class Counts:
    """How many jobs there are, and how many transitions there were."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def by_state(self, group: str = "") -> dict[tuple[JobState, str], int]:
        """How many jobs there are of each state and reason, of all or of a group."""
        rows = self._storage.rows("count_group", group_name=group) if group else self._storage.rows("count_states")
        return {(JobState(row["state"]), row["reason"]): row["n"] for row in rows}

    def transitions(self) -> dict[tuple[str, str], int]:
        """How many moves to each state there ever were, by reason; these numbers never fall."""
        return {(row["after"], row["reason"]): row["n"] for row in self._storage.rows("move_counts")}

    def ended_since(self, since: float) -> dict[tuple[JobState, str], int]:
        """How many attempts ended after a time, by the state that their job went to and its reason."""
        rows = self._storage.rows("ended_since", since=since)
        return {(JobState(row["after"]), row["reason"]): row["n"] for row in rows}

    def oldest_queued_at(self) -> float | None:
        """Since when the job is queued that was asked for first of those that are."""
        row = self._storage.row("first_queued")
        return row["since"] if row else None
