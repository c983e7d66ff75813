"""A job: one signature to be computed or verified, its states, and what its reads come from.  Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from wort_cli.model.accession import Accession, Name, parse_name
from wort_cli.model.failure import Reason
from wort_cli.model.provenance import Trust


class JobKind(StrEnum):
    """What a job is for."""

    COMPUTE = "compute"
    VERIFY = "verify"


class JobState(StrEnum):
    """Where a job stands; the legal moves between them are in sql/migrations/1.sql, the only place that knows them."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    CANCELLED = "cancelled"

    @property
    def is_live(self) -> bool:
        """Whether something is still going to happen by itself."""
        return self in LIVE


LIVE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.WAITING})


@dataclass(frozen=True)
class Source:
    """What the reads come from: the run that `name` says, or the archive file at `archive`."""

    name: Name
    archive: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether the signature lives in the local namespace: its name is no accession."""
        return not isinstance(self.name, Accession)

    def __str__(self) -> str:
        return str(self.archive or self.name)


@dataclass(frozen=True)
class JobRequest:
    """What a person asks for."""

    source: Source
    profile: str
    priority: int = 0
    group: str = ""
    engine: str = ""
    """The code that is to sketch; empty for that of the settings."""
    upload: bool = True
    """Whether it may be published to the bucket, if there is one."""


@dataclass(frozen=True)
class Progress:
    """How far a running job is; spots are the archive's own unit, `total` is 0 while it is not known."""

    stage: str
    spots: int
    total: int
    bases: int
    at: float
    """When this was so, in seconds since 1970."""

    @property
    def fraction(self) -> float:
        """The share that is done, from 0 to 1."""
        return min(1.0, self.spots / self.total) if self.total else 0.0


@dataclass(frozen=True)
class Job:
    """A row of the ledger.  Times are seconds since 1970; those that did not happen are None."""

    id: int
    source: Source
    profile: str
    state: JobState
    reason: Reason | None
    message: str
    priority: int
    group: str
    force: bool
    engine: str
    upload: bool
    attempt: int
    """How often it was started; fences the results of attempts that were given up."""
    owner: str
    lease_until: float | None
    wait_until: float | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    progress: Progress | None = None
    kind: JobKind = JobKind.COMPUTE
    depth: str = ""
    """Of a verification: full or quick."""
    subject: str = ""
    """Of a verification: the path of the signature that is verified, below the store's root."""
    subject_digest: str = ""
    """The digest that is recorded of it."""
    verdict: Trust | None = None
    """What a verification found, once it is done."""

    @property
    def name(self) -> Name:
        """The name of the signature it makes."""
        return self.source.name

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Job":
        """The job of a row of `jobs`, left-joined with its `progress`."""
        progress = None
        if row.get("stage") is not None:
            progress = Progress(row["stage"], row["spots"], row["total"], row["bases"], row["reported_at"])
        return cls(
            id=row["id"],
            source=Source(parse_name(row["name"]), Path(row["archive"]) if row["archive"] else None),
            profile=row["profile"],
            state=JobState(row["state"]),
            reason=Reason(row["reason"]) if row["reason"] else None,
            message=row["message"],
            priority=row["priority"],
            group=row["group_name"],
            force=bool(row["force"]),
            engine=row["engine"],
            upload=bool(row["upload"]),
            attempt=row["attempt"],
            owner=row["owner"],
            lease_until=row["lease_until"],
            wait_until=row["wait_until"],
            created_at=row["created_at"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            progress=progress,
            kind=JobKind(row["kind"]),
            depth=row["depth"],
            subject=row["subject"],
            subject_digest=row["subject_digest"],
            verdict=Trust(row["verdict"]) if row["verdict"] else None,
        )


@dataclass(frozen=True)
class Event:
    """A move of a job, as the ledger recorded it."""

    job_id: int
    at: float
    before: str
    after: str
    reason: str
    message: str
    attempt: int
