"""The ledger: the only truth about jobs and signatures.

Commands add jobs, cancel and retry them, and read; a coordinator claims them and ends their attempts.  Every move is
one guarded UPDATE (sql/jobs.sql) under the rules of sql/migrations/1.sql, which also write the events.  Nothing here
knows how a signature is computed.
"""

import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

from wort_cli.errors import NoSuchJob, UsageError
from wort_cli.ledger.controls import Controls
from wort_cli.ledger.database import Storage, queries
from wort_cli.ledger.retry import RetryPolicy, crashes_in_a_row, decide, reasons_like
from wort_cli.ledger.submissions import Submissions
from wort_cli.model.accession import Name, parse_name
from wort_cli.model.failure import Failure, Reason
from wort_cli.model.job import Event, Job, JobRequest, JobState, Progress, Source
from wort_cli.model.job_result import JobResult, Published
from wort_cli.model.lease import Claim
from wort_cli.model.provenance import SignatureRecord, Trust

PAGE = 1000
"""Rows of the catalog that are read together."""
MOVED = 500
"""Jobs that are cancelled or queued again in one transaction."""
WOKEN = 100
"""Jobs that are woken together: more of them would keep others from the ledger for too long."""


class Answer(StrEnum):
    """What became of a request."""

    QUEUED = "queued"
    LIVE = "already queued"
    THERE = "already there"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Submitted:
    """The answer to one request; there is no job where the signature was there before there were jobs."""

    source: Source
    answer: Answer
    job_id: int | None
    state: JobState | None = None
    reason: str = ""


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are meant; an empty filter means all."""

    state: JobState | None = None
    reason: Reason | None = None
    group: str = ""

    def where(self) -> tuple[str, dict[str, object]]:
        """As an SQL condition and its values."""
        given = {"state": self.state, "reason": self.reason, "group_name": self.group}
        values: dict[str, object] = {key: str(value) for key, value in given.items() if value}
        return " AND ".join(f"jobs.{key} = :{key}" for key in values) or "1", values


def parts(job_ids: Iterable[int]) -> Iterator[list[int]]:
    """Jobs that are moved together: a transaction of a million would keep the daemon waiting for a minute."""
    rest = iter(job_ids)
    while part := list(islice(rest, MOVED)):
        yield part


class Ledger:
    """Jobs, events and the catalog, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.storage = Storage(path)
        self.submissions = Submissions(self.storage)
        self.controls = Controls(self.storage)

    def close(self) -> None:
        """Close the file; the next call opens it again.  Needed before a fork."""
        self.storage.close()

    # ---- what commands do ----------------------------------------------------

    def submit(
        self, requests: Sequence[JobRequest], *, force: bool = False, lost: bool = False, dry_run: bool = False
    ) -> list[Submitted]:
        """Accept requests, all or none; each is answered, in order.  `lost`: what the catalog has is not to be found.

        UsageError if a live job of the same name reads another archive.
        """
        with self.storage.transaction(write=not dry_run):
            return [self._submit(request, force, lost, dry_run) for request in requests]

    def _submit(self, request: JobRequest, force: bool, lost: bool, dry_run: bool) -> Submitted:
        source, key = request.source, {"name": str(request.source.name), "profile": request.profile}
        archive = str(source.archive or "")
        latest = self.storage.row("latest_job", **key)
        state = JobState(latest["state"]) if latest else None
        if latest and state and state.is_live:
            if source.is_local and latest["archive"] != archive:
                raise UsageError(
                    f"job {latest['id']}, which is {state}, makes {source.name} of {latest['archive']}",
                    "wait for it or cancel it, or give this one another --name",
                )
            if not dry_run:
                self.storage.change("ask_again", id=latest["id"], priority=request.priority, group_name=request.group)
            return Submitted(source, Answer.LIVE, latest["id"], state)
        if not (force or lost) and self._has_signature(source, request.profile):
            return Submitted(source, Answer.THERE, latest["id"] if latest else None, state)
        same = latest is not None and archive in ("", latest["archive"])  # an archive that is given anew is news
        if latest and state is JobState.UNAVAILABLE and same and not force:
            return Submitted(source, Answer.UNAVAILABLE, latest["id"], state, latest["reason"])
        if dry_run:
            return Submitted(source, Answer.QUEUED, None)
        if latest and state is not JobState.DONE:
            self.storage.change(
                "retry_job",
                id=latest["id"],
                force=force,
                engine=request.engine,
                upload=request.upload,
                archive=archive,
                priority=request.priority,
                group_name=request.group,
            )
            return Submitted(source, Answer.QUEUED, latest["id"], JobState.QUEUED)
        self.storage.change(
            "add_job",
            **key,
            archive=archive,
            priority=request.priority,
            group_name=request.group,
            force=force,
            engine=request.engine,
            upload=request.upload,
            now=time.time(),
        )
        job_id = int(self.storage.connection.execute("SELECT last_insert_rowid()").fetchone()[0])
        return Submitted(source, Answer.QUEUED, job_id, JobState.QUEUED)

    def _has_signature(self, source: Source, profile: str) -> bool:
        """Whether the catalog has this signature; of a local file, whether it was made of the file as it is now."""
        if not source.is_local or source.archive is None:
            return self.storage.row("has_signature", name=str(source.name), profile=profile) is not None
        record = self.signature(source.name, profile)
        try:
            file = source.archive.stat()
        except OSError:
            return False
        return record is not None and (
            (record.provenance.source, record.provenance.source_size, record.provenance.source_mtime)
            == (str(source.archive), file.st_size, file.st_mtime)
        )

    def cancel(self, job_ids: Iterable[int]) -> int:
        """Cancel those of the jobs that are live; return how many were."""
        cancelled = 0
        for part in parts(job_ids):
            with self.storage.transaction():
                cancelled += sum(self.storage.change("cancel_job", id=job_id, now=time.time()) for job_id in part)
        return cancelled

    def retry(self, job_ids: Iterable[int]) -> int:
        """Queue again those of the jobs that failed, are unavailable or were cancelled; return how many did."""
        queued = 0
        for part in parts(job_ids):
            with self.storage.transaction():
                queued += sum(
                    self.storage.change(
                        "retry_job",
                        id=job_id,
                        force=False,
                        engine=None,
                        upload=None,
                        archive=None,
                        priority=-(2**31),
                        group_name="",
                    )
                    for job_id in part
                )
        return queued

    # ---- what is asked -------------------------------------------------------

    def job(self, job_id: int) -> Job:
        """The job of that number; NoSuchJob if there is none."""
        row = self.storage.row("job", id=job_id)
        if row is None:
            raise NoSuchJob(f"job {job_id}")
        return Job.from_row(row)

    def jobs(self, which: JobFilter, limit: int | None = None) -> list[Job]:
        """The jobs that are meant, the newest first."""
        condition, values = which.where()
        return self._jobs_where(condition, values, limit)

    def jobs_named(self, name: Name) -> list[Job]:
        """All jobs of a name, the newest first."""
        return self._jobs_where("jobs.name = :name", {"name": str(name)}, None)

    def jobs_numbered(self, job_ids: Sequence[int]) -> list[Job]:
        """The jobs of these numbers, in no order."""
        found = []
        for start in range(0, len(job_ids), 500):
            numbers = ",".join(str(int(job_id)) for job_id in job_ids[start : start + 500])
            found += self._jobs_where(f"jobs.id IN ({numbers})", {}, None)
        return found

    def _jobs_where(self, condition: str, values: dict[str, object], limit: int | None) -> list[Job]:
        rows = self.storage.select(
            queries()["jobs_where"].replace("{condition}", condition),
            {**values, "limit": -1 if limit is None else limit},
        )
        return [Job.from_row(row) for row in rows]

    def job_ids(self, which: JobFilter) -> list[int]:
        """The numbers of the jobs that are meant."""
        condition, values = which.where()
        rows = self.storage.select(queries()["ids_where"].replace("{condition}", condition), values)
        return [row["id"] for row in rows]

    def counts(self, group: str = "") -> dict[tuple[JobState, str], int]:
        """How many jobs there are of each state and reason, of all or of a group."""
        rows = self.storage.rows("count_group", group_name=group) if group else self.storage.rows("count_states")
        return {(JobState(row["state"]), row["reason"]): row["n"] for row in rows}

    def events(self, job_id: int) -> list[Event]:
        """What happened to a job, the oldest first."""
        return [Event(**row) for row in self.storage.rows("events_of_job", id=job_id)]

    def repairs(self, name: Name) -> list[tuple[float, str]]:
        """What `wort doctor --repair` did about a signature, and when, the oldest first."""
        return [(row["at"], row["what"]) for row in self.storage.rows("repairs_of", name=str(name))]

    def signature(self, name: Name, profile: str) -> SignatureRecord | None:
        """The catalog's entry, if there is one."""
        row = self.storage.row("signature", name=str(name), profile=profile)
        return SignatureRecord.from_row(row, json.loads(row["provenance"])) if row else None

    def remote_names(self, profile: str) -> Iterator[Name]:
        """The runs whose signature was seen in a bucket, in order."""
        after = ""
        while page := self.storage.rows("remote_names", profile=profile, after=after, limit=PAGE):
            yield from (parse_name(row["name"]) for row in page)
            after = page[-1]["name"]

    def count_signatures(self) -> int:
        """How many signatures the catalog has."""
        row = self.storage.row("count_signatures")
        return int(row["n"]) if row else 0

    def moves(self) -> dict[tuple[str, str], int]:
        """How many moves to each state there ever were, by reason; these numbers never fall."""
        return {(row["after"], row["reason"]): row["n"] for row in self.storage.rows("move_counts")}

    def ended_since(self, since: float) -> dict[tuple[JobState, str], int]:
        """How many attempts ended after a time, by the state that their job went to and its reason."""
        rows = self.storage.rows("ended_since", since=since)
        return {(JobState(row["after"]), row["reason"]): row["n"] for row in rows}

    def queued_since(self) -> float | None:
        """Since when the job is queued that was asked for first of those that are."""
        row = self.storage.row("first_queued")
        return row["since"] if row else None

    def check(self) -> str:
        """`ok`, or what SQLite finds wrong with the file."""
        row = self.storage.select("PRAGMA quick_check(1)", {})[0]
        return str(next(iter(row.values())))

    # ---- what moves a job along ----------------------------------------------

    def next_jobs(self, limit: int) -> list[int]:
        """The numbers of the queued jobs whose turn is next."""
        return [row["id"] for row in self.storage.rows("next_jobs", limit=limit)]

    def claim(self, job_id: int, owner: str, lease: float) -> Job | None:
        """Make a queued job running for `lease` seconds; None if it is no longer queued.  A waiting one is woken."""
        with self.storage.transaction():
            self.storage.change("wake_job", id=job_id)
            now = time.time()
            if not self.storage.change("claim_job", id=job_id, owner=owner, lease_until=now + lease, now=now):
                return None
            return self.job(job_id)

    def running(self) -> list[Claim]:
        """All running jobs."""
        rows = self.storage.rows("running_jobs")
        return [Claim(row["id"], row["attempt"], row["owner"], row["lease_until"] or 0.0) for row in rows]

    def extend_lease(self, job_id: int, attempt: int, lease: float) -> bool:
        """The attempt is alive for another `lease` seconds; False if it is no longer the job's."""
        return self.storage.change("extend_lease", id=job_id, attempt=attempt, lease_until=time.time() + lease) > 0

    def report_progress(self, job_id: int, attempt: int, progress: Progress) -> None:
        """Take note of how far an attempt is."""
        self.storage.change("report_progress", id=job_id, attempt=attempt, **asdict(progress))

    def finish(self, result: JobResult, policy: RetryPolicy, jitter: float = 0.5) -> JobState | None:
        """End an attempt with its result; None, and no change, if the job no longer runs in this attempt."""
        with self.storage.transaction():
            if result.published is None and result.verdict is None:
                failure = result.failure or Failure(Reason.TOOL_CRASH, "the worker gave no result")
                return self._fail(result.job_id, result.attempt, failure, policy, jitter)
            if not self._end(result.job_id, result.attempt, JobState.DONE):
                return None
            if result.published is not None:
                self.record(result.published, Trust.VERIFIED if result.verdict else result.published.trust)
            if result.verdict is not None:
                self.submissions.conclude(self.job(result.job_id), result.verdict)
            return JobState.DONE

    def give_back(self, job_id: int, attempt: int, why: str) -> bool:
        """Queue a running job again that was interrupted through no fault of its own."""
        return self._end(job_id, attempt, JobState.QUEUED, Reason.INTERRUPTED, why)

    def crashed(self, job_id: int, attempt: int, work: int, policy: RetryPolicy) -> JobState | None:
        """Queue a job again that was running when a daemon crashed, or set it aside if that happens each time.

        `work` says how much of it is finished for good.  None, and no change, if it no longer runs in this attempt.
        """
        with self.storage.transaction():
            row = self.storage.row("crashes", id=job_id, attempt=attempt)
            if row is None:
                return None
            crashes = crashes_in_a_row(row["crashes"], row["crashes_work"], work)
            self.storage.change("count_crash", id=job_id, crashes=crashes, work=work)
            if crashes < policy.daemon_crashes:
                self._end(job_id, attempt, JobState.QUEUED, Reason.INTERRUPTED, "the daemon that worked on it crashed")
                return JobState.QUEUED
            why = f"it was running {crashes} times in a row when the daemon crashed, and came no further"
            self._end(job_id, attempt, JobState.FAILED, Reason.SET_ASIDE, why)
            return JobState.FAILED

    def _fail(self, job_id: int, attempt: int, failure: Failure, policy: RetryPolicy, jitter: float) -> JobState | None:
        now = time.time()
        row = self.storage.row("count_failures", id=job_id, reasons=json.dumps(reasons_like(failure.reason)))
        earlier, first_at = (row["n"], row["first_at"] or now) if row else (0, now)
        verdict = decide(failure, earlier, policy, jitter, now - first_at)
        if verdict.set_aside:
            failure = Failure(Reason.SET_ASIDE, f"it was tried {earlier + 1} times; the last time {failure.detail}")
        wait_until = now + verdict.delay if verdict.state is JobState.WAITING else None
        moved = self._end(job_id, attempt, verdict.state, failure.reason, failure.detail, wait_until)
        if moved and verdict.state is JobState.UNAVAILABLE:
            self.submissions.source_is_gone(self.job(job_id))
        return verdict.state if moved else None

    def _end(
        self,
        job_id: int,
        attempt: int,
        state: JobState,
        reason: Reason | None = None,
        message: str = "",
        wait_until: float | None = None,
    ) -> bool:
        return (
            self.storage.change(
                "end_attempt",
                id=job_id,
                attempt=attempt,
                state=str(state),
                reason=str(reason or ""),
                message=message.encode("utf-8", "backslashreplace").decode(),  # a path may be any bytes
                wait_until=wait_until,
                now=time.time(),
            )
            > 0
        )

    def record(self, published: Published, trust: Trust | None = None) -> None:
        """Enter a signature that stands in a store into the catalog, in place of an earlier one."""
        provenance = published.provenance
        self.storage.change(
            "record_signature",
            name=provenance.name,
            profile=provenance.profile,
            digest=provenance.digest,
            trust=str(trust or published.trust),
            path=published.path,
            size=published.size,
            created_at=time.time(),
            provenance=json.dumps(provenance.to_json()),
            remote=published.remote,
        )

    def wake(self, longest_wait: float = math.inf, limit: int = WOKEN) -> int:
        """Queue jobs that have waited long enough, or seem to wait for too long, some at a time; return how many."""
        now = time.time()
        return self.storage.change("wake_jobs", now=now, furthest=now + longest_wait, limit=limit)
