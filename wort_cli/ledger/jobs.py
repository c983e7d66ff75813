"""Jobs: enqueueing, cancelling and retrying them, and reading them with their events.

The statements are in sql/jobs.sql.  The triggers of sql/migrations/1.sql guard every transition and write its event.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from wort_cli.errors import NoSuchJob, UsageError, shown
from wort_cli.ledger.catalog import Catalog, is_made_from
from wort_cli.ledger.database import Storage, queries
from wort_cli.ledger.groups import Groups
from wort_cli.ledger.run_conditions import run_conditions_sql
from wort_cli.model.accession import Name
from wort_cli.model.failure import Reason
from wort_cli.model.job import Event, Job, JobRequest, JobState, Source
from wort_cli.model.profile import SRA_V1, profile_for
from wort_cli.model.run_condition import RunCondition

BATCH = 500
"""Jobs cancelled or retried in one transaction.  A transaction of a million would block the daemon for a minute."""
MAX_ID = 2**63 - 1
"""The highest id that SQLite can store."""


class EnqueueStatus(StrEnum):
    """The answer to a request."""

    QUEUED = "queued"
    LIVE = "already queued"
    EXISTS = "already there"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The answer to one request.  `job_id` is None if no job made the signature, and for a dry run."""

    source: Source
    status: EnqueueStatus
    job_id: int | None
    state: JobState | None = None
    reason: str = ""
    profile: str = SRA_V1.name

    @property
    def member_job(self) -> int | None:
        """The job that has the state of the signature; None if the signature exists, and no job made it."""
        exists = self.status is EnqueueStatus.EXISTS
        return None if exists and self.state is not JobState.DONE else self.job_id


@dataclass(frozen=True)
class JobFilter:
    """Selects jobs by state, reason, group, and the metadata of their runs; an empty filter selects all."""

    state: JobState | None = None
    reason: Reason | None = None
    group: str = ""
    runs: tuple[RunCondition, ...] = ()

    def where(self) -> tuple[str, dict[str, object]]:
        """Return an SQL condition and the values of its parameters."""
        given = {"jobs.state": self.state, "jobs.reason": self.reason, "members.group_name": self.group}
        found = {column: str(value) for column, value in given.items() if value}
        condition = " AND ".join(f"{column} = :{column.partition('.')[2]}" for column in found) or "1"
        of_runs, parameters = run_conditions_sql(self.runs, "jobs.name")
        values = {column.partition(".")[2]: value for column, value in found.items()}
        return f"{condition} AND {of_runs}" if self.runs else condition, {**values, **parameters}

    @property
    def tables(self) -> str:
        """The tables that the condition is about, in SQL.  A group is read by its own index, not all jobs."""
        return "group_members AS members CROSS JOIN jobs ON jobs.id = members.job_id" if self.group else "jobs"

    @property
    def key(self) -> str:
        """The column of the job's id by which these tables are read in order."""
        return "members.job_id" if self.group else "jobs.id"


ALL_JOBS = JobFilter()


def filled(query: str, job_filter: JobFilter, condition: str) -> str:
    """Return the SQL of a query with the tables of a filter and a condition."""
    sql = queries()[query].replace("{tables}", job_filter.tables).replace("{key}", job_filter.key)
    return sql.replace("{condition}", condition)


def batches(job_ids: Iterable[int]) -> Iterator[list[int]]:
    """Split job ids into lists of at most BATCH."""
    rest = iter(job_ids)
    while batch := list(islice(rest, BATCH)):
        yield batch


class Jobs:
    """The table `jobs`, as commands use it."""

    def __init__(self, storage: Storage, catalog: Catalog, groups: Groups) -> None:
        self._storage = storage
        self._catalog = catalog
        self._groups = groups

    def enqueue(
        self, requests: Sequence[JobRequest], *, force: bool = False, lost: bool = False, dry_run: bool = False
    ) -> list[Enqueued]:
        """Enqueue a job for each request that needs one, all in one transaction; return the answers in order.

        force: compute a signature even if the catalog has it, or if the run was unavailable
        lost: compute signatures that the catalog has, because their files are missing
        dry_run: change nothing; return what would happen

        Raises UsageError if a live job of the same name reads another archive, or a signature of it was made from one.
        """
        requests = [replace(one, profile=profile_for(one.source.name, one.profile)) for one in requests]
        with self._storage.transaction(write=not dry_run):
            answers = [
                replace(self._enqueue(request, force, lost, dry_run), profile=request.profile) for request in requests
            ]
            if not dry_run:
                for request, answer in zip(requests, answers, strict=True):
                    self._groups.add(request.group, request.source.name, request.profile, answer.member_job)
            return answers

    def _enqueue(self, request: JobRequest, force: bool, lost: bool, dry_run: bool) -> Enqueued:
        source, key = request.source, {"name": str(request.source.name), "profile": request.profile}
        archive = source.location
        latest = self._storage.row("latest_job", **key)
        state = JobState(latest["state"]) if latest else None
        before = Source.at(source.name, latest["archive"]) if latest else None
        if latest and state and state.is_live:
            if source.is_local and before != source:
                raise UsageError(
                    f"job {latest['id']}, which is {state}, computes {source.name} from {before}",
                    "wait for it or cancel it, or give this one another --name",
                )
            if not dry_run:
                accepts = {"accept_unproved": request.accept_unproved, "accept_public": request.accept_public}
                self._storage.change("merge_request", id=latest["id"], priority=request.priority, **accepts)
            return Enqueued(source, EnqueueStatus.LIVE, latest["id"], state)
        if not force:
            self._check_same_source(source, request.profile)
        if not (force or lost) and self._catalog.has(source, request.profile, public=request.accept_public):
            return Enqueued(source, EnqueueStatus.EXISTS, latest["id"] if latest else None, state)
        same = latest is not None and (not archive or source == before)  # with another archive, the old reason is void
        if latest and state is JobState.UNAVAILABLE and same and not force:
            return Enqueued(source, EnqueueStatus.UNAVAILABLE, latest["id"], state, latest["reason"])
        if dry_run:
            return Enqueued(source, EnqueueStatus.QUEUED, None)
        if latest and state is not JobState.DONE:
            self._storage.change(
                "retry_job",
                id=latest["id"],
                force=force,
                engine=request.engine,
                upload=request.upload,
                accept_unproved=request.accept_unproved,
                accept_public=request.accept_public,
                archive=archive,
                priority=request.priority,
            )
            return Enqueued(source, EnqueueStatus.QUEUED, latest["id"], JobState.QUEUED)
        self._storage.change(
            "add_job",
            **key,
            archive=archive,
            priority=request.priority,
            force=force,
            engine=request.engine,
            upload=request.upload,
            selected_by=request.selected_by,
            accept_unproved=request.accept_unproved,
            accept_public=request.accept_public,
            now=time.time(),
        )
        job_id = int(self._storage.connection.execute("SELECT last_insert_rowid()").fetchone()[0])
        return Enqueued(source, EnqueueStatus.QUEUED, job_id, JobState.QUEUED)

    def put_behind(self, first: int, others: Iterable[int]) -> None:
        """Let other jobs for the same source wait for the first one, whose pass sketches them too."""
        for job_id in others:
            self._storage.change("put_behind", first=first, id=job_id)

    def _check_same_source(self, source: Source, profile: str) -> None:
        """Raise UsageError if the signature of a local name was computed from another archive: it stays."""
        record = self._catalog.get(source.name, profile) if source.is_local and source.location else None
        if record and record.provenance.source and not is_made_from(record.provenance, source):
            raise UsageError(
                f"the signature {source.name} was computed from {shown(record.provenance.source, 200)}",
                "give this one another --name, or replace that one with --force",
            )

    def queued_by(self, selected_by: str, limit: int) -> int:
        """Return how many queued jobs have this reason of selection; no more than `limit` are counted."""
        return int(self._storage.rows("queued_of_selector", selected_by=selected_by, limit=limit)[0]["n"])

    def cancel(self, job_ids: Iterable[int]) -> int:
        """Cancel the live ones among the jobs; return how many were cancelled."""
        cancelled = 0
        for batch in batches(job_ids):
            with self._storage.transaction():
                cancelled += sum(self._storage.change("cancel_job", id=job_id, now=time.time()) for job_id in batch)
        return cancelled

    def forget(self, job_ids: Iterable[int]) -> int:
        """Delete the ended ones among the jobs, with their events; return how many were deleted."""
        forgotten = 0
        for batch in batches(job_ids):
            with self._storage.transaction():
                forgotten += sum(self._storage.change("forget_job", id=job_id) for job_id in batch)
        return forgotten

    def retry(self, job_ids: Iterable[int]) -> int:
        """Requeue the failed, unavailable, cancelled and waiting ones among the jobs; return how many were requeued."""
        queued = 0
        for batch in batches(job_ids):
            with self._storage.transaction():
                queued += sum(
                    self._storage.change(
                        "retry_job",
                        id=job_id,
                        force=False,
                        engine=None,
                        upload=None,
                        accept_unproved=None,
                        accept_public=None,
                        archive=None,
                        priority=-(2**31),
                    )
                    or self._storage.change("hasten_job", id=job_id)
                    for job_id in batch
                )
        return queued

    def get(self, job_id: int) -> Job:
        """Return a job.  Raises NoSuchJob if it does not exist."""
        row = self._storage.row("job", id=job_id)
        if row is None:
            raise NoSuchJob(f"job {job_id}")
        return Job.from_row(row)

    def next_jobs(self, limit: int) -> list[int]:
        """Return the ids of the next queued jobs: highest priority first, then oldest; none of paused groups."""
        return [row["id"] for row in self._storage.rows("next_jobs", limit=limit)]

    def matching(self, job_filter: JobFilter, limit: int | None = None) -> list[Job]:
        """Return the selected jobs, newest first."""
        condition, values = job_filter.where()
        return self._where(condition, values, limit, job_filter)

    def every(self, job_filter: JobFilter, before: int = MAX_ID, batch_size: int = BATCH) -> Iterator[Job]:
        """Yield all selected jobs with an id below `before`, newest first; only a batch of them is in memory."""
        condition, values = job_filter.where()
        condition = f"{job_filter.key} < :before AND {condition}"
        while batch := self._where(condition, {**values, "before": before}, batch_size, job_filter):
            yield from batch
            before = batch[-1].id

    def named(self, name: Name) -> list[Job]:
        """Return all jobs of a name, newest first."""
        return self._where("jobs.name = :name", {"name": str(name)}, None)

    def with_ids(self, job_ids: Sequence[int]) -> list[Job]:
        """Return the jobs with these ids, in no particular order."""
        found = []
        for start in range(0, len(job_ids), 500):
            numbers = ",".join(str(int(job_id)) for job_id in job_ids[start : start + 500])
            found += self._where(f"jobs.id IN ({numbers})", {}, None)
        return found

    def states_among(self, job_ids: Iterable[int]) -> Counter[JobState]:
        """Return how many of these jobs are in each state."""
        found: Counter[JobState] = Counter()
        for batch in batches(job_ids):
            for row in self._storage.rows("states_among", ids=json.dumps(batch)):
                found[JobState(row["state"])] += row["n"]
        return found

    def live_among(self, job_ids: Iterable[int]) -> set[int]:
        """Return those of these jobs that have not ended."""
        return {
            row["id"] for batch in batches(job_ids) for row in self._storage.rows("live_among", ids=json.dumps(batch))
        }

    def _where(
        self, condition: str, values: dict[str, object], limit: int | None, job_filter: JobFilter = ALL_JOBS
    ) -> list[Job]:
        rows = self._storage.select(
            filled("jobs_where", job_filter, condition), {**values, "limit": -1 if limit is None else limit}
        )
        return [Job.from_row(row) for row in rows]

    def ids(self, job_filter: JobFilter) -> list[int]:
        """Return the ids of the selected jobs, oldest first."""
        condition, values = job_filter.where()
        return [number for (number,) in self._storage.tuples(filled("ids_where", job_filter, condition), values)]

    def events(self, job_id: int) -> list[Event]:
        """Return the events of a job, oldest first."""
        return [Event(**row) for row in self._storage.rows("events_of_job", id=job_id)]
