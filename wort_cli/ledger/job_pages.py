"""Pages of jobs, newest first, and the place of a job in the queue; each in milliseconds, also of a million jobs.

A page starts behind the job at which the one before ended: SQLite would have to read all jobs before an offset.
"""

from dataclasses import dataclass, replace

from wort_cli.ledger.counts import Counts
from wort_cli.ledger.database import Storage
from wort_cli.ledger.jobs import MAX_ID, JobFilter, filled
from wort_cli.model.job import Event, Job, JobState

FURTHEST = 10_000
"""The furthest place in the queue that is counted."""


@dataclass(frozen=True)
class StateFirst(JobFilter):
    """The jobs of a state in a group, read by the index of states: for a large group, of which few have the state."""

    def where(self) -> tuple[str, dict[str, object]]:
        """Return an SQL condition and the values of its parameters."""
        condition, values = JobFilter(self.state, self.reason, runs=self.runs).where()
        member = "SELECT 1 FROM group_members AS own WHERE own.group_name = :group_name AND own.job_id = jobs.id"
        return f"{condition} AND EXISTS ({member})", {**values, "group_name": self.group}

    @property
    def tables(self) -> str:
        """The tables that the condition is about, in SQL."""
        return "jobs"

    @property
    def key(self) -> str:
        """The column of the job's id."""
        return "jobs.id"


class JobPages:
    """The table `jobs`, as pages show it."""

    def __init__(self, storage: Storage, counts: Counts) -> None:
        self._storage = storage
        self._counts = counts

    def page(self, job_filter: JobFilter, limit: int, before: int = MAX_ID) -> list[Job]:
        """Return the newest of the selected jobs whose id is below `before`."""
        found: list[Job] = []
        for one in self.parts(job_filter):
            condition, values = one.where()
            sql = filled("jobs_where", one, f"{one.key} < :before AND {condition}")
            rows = self._storage.select(sql, {**values, "before": before, "limit": limit})
            found += [Job.from_row(row) for row in rows]
        return sorted(found, key=lambda job: -job.id)[:limit]

    def newer(self, job_filter: JobFilter, limit: int, least: int) -> list[int]:
        """Return the ids of the oldest of the selected jobs whose id is at least `least`, in order."""
        found: list[int] = []
        for one in self.parts(job_filter):
            condition, values = one.where()
            sql = filled("next_ids_where", one, f"{one.key} >= :least AND {condition}")
            found += [number for (number,) in self._storage.tuples(sql, {**values, "least": least, "limit": limit})]
        return sorted(found)[:limit]

    def count(self, job_filter: JobFilter) -> int:
        """Return the number of the selected jobs; conditions on runs do not count."""
        counts = self._counts.by_state(job_filter.group)
        return sum(
            n
            for (state, reason), n in counts.items()
            if job_filter.state in (None, state) and job_filter.reason in (None, reason)
        )

    def parts(self, job_filter: JobFilter) -> list[JobFilter]:
        """Return filters that together select the same jobs, and of which each is read by an index in order of ids."""
        counts = self._counts.by_state()
        if job_filter.state is not None:
            states = [job_filter.state]
        elif job_filter.reason is not None:
            states = sorted({state for state, reason in counts if reason == job_filter.reason})
        else:
            return [job_filter]
        return [self._by_index(replace(job_filter, state=state), counts) for state in states]

    def _by_index(self, job_filter: JobFilter, counts: dict[tuple[JobState, str], int]) -> JobFilter:
        if not job_filter.group:
            return job_filter
        in_state = sum(
            n for (state, reason), n in counts.items()
            if state is job_filter.state and job_filter.reason in (None, reason)
        )  # fmt: skip
        in_group = sum(self._counts.by_state(job_filter.group).values())
        if in_group <= in_state:
            return job_filter
        return StateFirst(job_filter.state, job_filter.reason, job_filter.group, job_filter.runs)

    def newest_events(self, job_id: int, limit: int) -> list[Event]:
        """Return the last events of a job, oldest first."""
        return [Event(**row) for row in self._storage.rows("newest_events", id=job_id, limit=limit)][::-1]

    def ahead_of(self, job: Job) -> int:
        """Return how many queued jobs start before a queued one; at least FURTHEST stands for so many or more."""
        row = self._storage.row("jobs_ahead", priority=job.priority, id=job.id, limit=FURTHEST)
        return int(row["n"]) if row else 0
