"""Jobs: the computation or verification of one signature, its states, its source and its events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from wort_cli.model.accession import Accession, AssemblyAccession, Name, parse_name
from wort_cli.model.failure import Reason
from wort_cli.model.profile import Profile, profile_named
from wort_cli.model.provenance import Provenance, Recorded, Trust
from wort_cli.model.read_files import ReadFiles


class JobKind(StrEnum):
    """Whether a job computes or verifies a signature."""

    COMPUTE = "compute"
    VERIFY = "verify"


class JobState(StrEnum):
    """The states of a job.  Triggers in ledger/sql/migrations/1.sql define the allowed transitions."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    CANCELLED = "cancelled"

    @property
    def is_live(self) -> bool:
        """Whether the job has not ended yet."""
        return self in LIVE


LIVE = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.WAITING})


@dataclass(frozen=True, slots=True)  # a project has a hundred thousand of them
class Source:
    """Where the reads come from: an archive, files of reads, or else the run or assembly with the accession `name`."""

    name: Name
    archive: Path | None = None
    reads: ReadFiles | None = None

    @property
    def is_local(self) -> bool:
        """Whether the signature has a local name instead of an accession, so that it is never published."""
        return not isinstance(self.name, Accession)

    @property
    def is_assembly(self) -> bool:
        """Whether the sequences are those of an assembly, which is fetched."""
        return isinstance(self.name, AssemblyAccession) and not self.location

    @property
    def location(self) -> str:
        """Where the reads are, as the ledger stores it: the path of an archive, files as JSON, or '' for a run."""
        return self.reads.to_text() if self.reads else str(self.archive or "")

    @classmethod
    def at(cls, name: Name, location: str) -> "Source":
        """Return the source whose location is stored."""
        if location.startswith("{"):
            return cls(name, reads=ReadFiles.from_text(location))
        return cls(name, Path(location) if location else None)

    @classmethod
    def made_from(cls, name: Name, made: Provenance) -> "Source | None":
        """Return the local source that a signature was made from; None for the archive of a run that was fetched."""
        if made.files:
            return cls(name, reads=ReadFiles(tuple(file.path for file in made.files), made.filename))
        return cls(name, Path(made.source)) if made.source not in ("", "remote") else None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files on disk that were named."""
        if self.reads is not None:
            return self.reads.paths
        return (self.archive,) if self.archive else ()

    def __str__(self) -> str:
        return str(self.reads or self.archive or self.name)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A request for a job."""

    source: Source
    profile: str
    priority: int = 0
    group: str = ""
    engine: str = ""
    """The engine that sketches; empty for the engine of the settings."""
    upload: bool = True
    """Whether the signature may be published to the bucket, if one is set."""
    accept_unproved: bool = False
    """Whether an archive on disk is read that nothing proves; its signature is marked."""
    accept_public: bool = False
    """Whether a public signature is taken in place of computing it."""
    selected_by: str = ""
    """The project or the query that selected the run; empty if the run was named."""


@dataclass(frozen=True)
class Progress:
    """The progress of a running job; `total` is the number of spots in the archive, 0 while it is unknown."""

    stage: str
    spots: int
    total: int
    bases: int
    at: float
    """When the progress was measured, in seconds since 1970."""
    first_spots: int = 0
    """The spots of the first report of this stage; the ledger knows it."""
    first_at: float = 0.0
    """When that was measured."""

    @property
    def seconds_left(self) -> float | None:
        """An estimate of the seconds until the stage ends, at its rate so far; None if that is unknown."""
        seconds, done = self.at - self.first_at, self.spots - self.first_spots
        if not self.first_spots or seconds <= 0 or done <= 0 or self.spots >= self.total:
            return None
        return (self.total - self.spots) * seconds / done

    @property
    def fraction(self) -> float:
        """The fraction of spots that is done, from 0 to 1."""
        return min(1.0, self.spots / self.total) if self.total else 0.0


@dataclass(frozen=True)
class Job:
    """A job in the ledger.  Times are in seconds since 1970, or None for what has not happened."""

    id: int
    source: Source
    profile: str
    state: JobState
    reason: Reason | None
    message: str
    priority: int
    groups: tuple[str, ...]
    """The groups in which this is the newest job of a member, in alphabetical order."""
    force: bool
    engine: str
    upload: bool
    attempt: int
    """The number of the current or last attempt, from 1.  It fences off results of earlier attempts."""
    owner: str
    lease_until: float | None
    wait_until: float | None
    created_at: float
    started_at: float | None
    ended_at: float | None
    progress: Progress | None = None
    kind: JobKind = JobKind.COMPUTE
    depth: str = ""
    """The depth of a verification: full or quick; empty for a computation."""
    subject: str = ""
    """The path of the signature that is verified, relative to the store's root; empty for a computation."""
    subject_digest: str = ""
    """The recorded digest of the signature that is verified."""
    subject_sha256: str = ""
    """The recorded checksum of its file; empty if it is not known."""
    verdict: Trust | None = None
    """The result of a verification, once it is done."""
    recorded: Recorded | None = None
    """The signature that the catalog has of this name and profile; None if it has none, or was not asked."""
    path: str = ""
    """The path of that signature, relative to the store's root; empty if it is not in the local store."""
    remote: str = ""
    """The URL of that signature in the bucket; empty if it is not there."""
    accept_unproved: bool = False
    """See JobRequest."""
    accept_public: bool = False
    """See JobRequest."""
    definition: Profile | None = None
    """The profile, if it is not built in; None if it was not asked."""
    others: tuple[tuple[int, Profile], ...] = ()
    """The numbers and profiles of other jobs that are sketched in the same pass."""
    behind: int = 0
    """The job whose pass sketches this one too, as long as it has not ended; else 0."""

    @property
    def name(self) -> Name:
        """The name of the signature."""
        return self.source.name

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Job":
        """Return the job in a row of the table `jobs`, left-joined with `progress`."""
        progress = None
        if row.get("stage") is not None:
            progress = Progress(
                row["stage"],
                row["spots"],
                row["total"],
                row["bases"],
                row["reported_at"],
                row["first_spots"],
                row["first_at"],
            )
        return cls(
            id=row["id"],
            source=Source.at(parse_name(row["name"]), row["archive"]),
            profile=row["profile"],
            state=JobState(row["state"]),
            reason=Reason(row["reason"]) if row["reason"] else None,
            message=row["message"],
            priority=row["priority"],
            groups=tuple(sorted(json.loads(row["groups"]))),
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
            subject_sha256=row.get("subject_sha256") or "",
            verdict=Trust(row["verdict"]) if row["verdict"] else None,
            recorded=Recorded(row["known_digest"], Trust(row["known_trust"]), row["known_sha256"])
            if row.get("known_digest")
            else None,
            path=row.get("known_path") or "",
            remote=row.get("known_remote") or "",
            accept_unproved=bool(row["accept_unproved"]),
            accept_public=bool(row["accept_public"]),
            definition=defined(row["profile"], row.get("definition")),
            others=tuple(
                (other["id"], defined(other["profile"], other["definition"]) or profile_named(other["profile"]))
                for other in json.loads(row.get("others") or "[]")
            ),
            behind=row["behind"],
        )


def defined(name: str, definition: str | None) -> Profile | None:
    """Return the profile with a definition that the ledger stores; None if there is none."""
    return Profile.from_json(name, json.loads(definition)) if definition else None


@dataclass(frozen=True)
class Event:
    """A transition of a job from state `before` to state `after`, as the ledger recorded it."""

    job_id: int
    at: float
    before: str
    after: str
    reason: str
    message: str
    attempt: int
